"""The functions' modules imported as Lambda does, with AWS replaced by small fakes."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from http import HTTPStatus
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

LAMBDAS = Path(__file__).parents[3] / "lambdas"
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "ap-south-1",
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "POWERTOOLS_SERVICE_NAME": "api",
    "CAMPAIGN_USER_PERSONALIZATION": "arn:aws:personalize:ap-south-1:1:campaign/up",
    "CAMPAIGN_SIMS": "arn:aws:personalize:ap-south-1:1:campaign/sims",
    "CAMPAIGN_PERSONALIZED_RANKING": "arn:aws:personalize:ap-south-1:1:campaign/pr",
    "CAMPAIGN_COUPON_RANKING": "arn:aws:personalize:ap-south-1:1:campaign/coupons",
    "FILTERS": json.dumps(
        {
            "mode": {
                "arn": "arn:filter",
                "parameters": ["transportMode"],
                "rules": [{"column": "transport_mode", "excludes": False, "parameter": "transportMode"}],
                "rulesAreAll": True,
            },
            "not-bought": {"arn": "arn:other", "parameters": [], "rules": [], "rulesAreAll": False},
        }
    ),
    "AVAILABILITY_TABLE": "availability",
    "UNKNOWN_AVAILABILITY": "unavailable",
    "FALLBACK_TABLE": "fallback",
    "EVENT_QUEUE_URL": "https://queue",
    "LATEST_DATASETS_URI": "s3://datasets/personalize/latest.json",
    "DEFAULT_RESULTS": "5",
    "MAXIMUM_RESULTS": "50",
    "AUTHORIZATION": "api_key",
    "TOKENS": json.dumps({"user_claim": "sub", "group_claim": "scope", "back_end_group": "back-ends"}),
    "EXPERIMENT": "null",
    "TIME_BUDGET_SECONDS": "1.0",
    "CONTEXT": "[]",
    "CACHE_SECONDS": "{}",
    "PSEUDONYM_KEY_SECRET_ARN": "",
    "RAW_BUCKET": "raw",
    "TRACKING_ID_PARAMETER": "/tracking",
    "USERS_DATASET_ARN": "arn:users",
    "ITEMS_DATASET_ARN": "arn:items",
    "INTERACTION_COLUMNS": "price_band,source",
    "FIRST_RETRY_SECONDS": "5",
    "COUNTED_TABLE": "counted",
    "COUNTED_EVENT_TYPES": "checkout,purchase",
    "RECIPES": "user-personalization,sims,popular",
    "POWERTOOLS_METRICS_NAMESPACE": "travel",
}


def load(folder: str) -> ModuleType:
    """Import `handler` of a folder, and what it imports, fresh."""
    for name in [path.stem for path in (LAMBDAS / folder).glob("*.py")] + [
        "shared",
        "shared.clients",
    ]:
        sys.modules.pop(name, None)
    sys.path[:0] = [str(LAMBDAS / folder), str(LAMBDAS)]
    try:
        spec = importlib.util.spec_from_file_location(f"{folder}_handler", LAMBDAS / folder / "handler.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        del sys.path[:2]


class Aws:
    """Fakes of the clients, by service, with what the tests set and what they saw."""

    def __init__(self) -> None:
        self.recommended = [f"i{n}" for n in range(200)]
        self.open_items = {f"i{n}" for n in range(200)}
        self.popular = [{"itemId": f"p{n}", "score": 1.0 / (n + 1), "origin": "DEL"} for n in range(10)]
        self.broken: set[str] = set()
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.tables: dict[str, dict[str, Any]] = {"availability": {}, "fallback": {}, "counted": {}}
        self.queue: list[dict[str, Any]] = []
        self.rejected_once: set[str] = set()
        self.refused: set[str] = set()
        self.objects: dict[str, bytes] = {}

    def client(self, service: str, *_: Any, **__: Any) -> Any:
        return Client(self, service)

    def count(self, operation: str) -> int:
        return sum(name == operation for name, _ in self.calls)


class Client:
    def __init__(self, aws: Aws, service: str) -> None:
        self._aws = aws
        self._service = service

    def __getattr__(self, operation: str) -> Any:
        def call(**parameters: Any) -> Any:
            self._aws.calls.append((operation, parameters))
            if operation in self._aws.broken:
                if operation == "get_recommendations":
                    raise ReadTimeoutError(endpoint_url="https://personalize")
                raise ClientError({"Error": {"Code": "ServiceUnavailable", "Message": "down"}}, operation)
            return getattr(Answers, operation)(self._aws, parameters)

        return call


class Answers:
    """What each operation answers."""

    @staticmethod
    def get_recommendations(aws: Aws, parameters: dict[str, Any]) -> Any:
        rows = [{"itemId": i, "score": 0.5} for i in aws.recommended[: parameters["numResults"]]]
        return {"recommendationId": "RID-1", "itemList": rows}

    @staticmethod
    def get_personalized_ranking(_aws: Aws, parameters: dict[str, Any]) -> Any:
        rows = [{"itemId": i, "score": 0.1} for i in reversed(parameters["inputList"])]
        return {"recommendationId": "RID-2", "personalizedRanking": rows}

    @staticmethod
    def describe_campaign(_aws: Aws, _parameters: dict[str, Any]) -> Any:
        return {"campaign": {"solutionVersionArn": "arn:version"}}

    @staticmethod
    def batch_get_item(aws: Aws, parameters: dict[str, Any]) -> Any:
        keys = [key["item_id"]["S"] for key in parameters["RequestItems"]["availability"]["Keys"]]
        assert parameters["RequestItems"]["availability"]["ConsistentRead"]
        assert len(keys) <= 100
        stored = aws.tables["availability"]
        rows = [
            stored.get(key, {"item_id": {"S": key}, "available": {"BOOL": True}, "seats": {"N": "3"}})
            for key in keys
            if key in stored or key in aws.open_items
        ]
        return {"Responses": {"availability": rows}}

    @staticmethod
    def batch_write_item(aws: Aws, parameters: dict[str, Any]) -> Any:
        for request in parameters["RequestItems"]["availability"]:
            item = request["PutRequest"]["Item"]
            aws.tables["availability"][item["item_id"]["S"]] = item
        return {}

    @staticmethod
    def put_item(aws: Aws, parameters: dict[str, Any]) -> Any:
        item, table = parameters["Item"], aws.tables[parameters["TableName"]]
        key = next(value["S"] for name, value in item.items() if name.endswith("_id"))
        if "ConditionExpression" in parameters and key in table:
            raise ClientError({"Error": {"Code": "ConditionalCheckFailedException", "Message": "no"}}, "")
        table[key] = item
        return {}

    @staticmethod
    def get_item(aws: Aws, parameters: dict[str, Any]) -> Any:
        key = next(iter(parameters["Key"].values()))["S"]
        item = aws.tables[parameters["TableName"]].get(key)
        return {"Item": item} if item else {}

    @staticmethod
    def send_message_batch(aws: Aws, parameters: dict[str, Any]) -> Any:
        accepted = []
        for entry in parameters["Entries"]:
            body = json.loads(entry["MessageBody"])
            if body.get("eventId") in aws.rejected_once:
                aws.rejected_once.remove(body["eventId"])
                continue
            aws.queue.append(body)
            accepted.append({"Id": entry["Id"]})
        return {"Successful": accepted}

    @staticmethod
    def put_object(aws: Aws, parameters: dict[str, Any]) -> Any:
        aws.objects[parameters["Key"]] = parameters["Body"]
        return {}

    @staticmethod
    def get_parameter(_aws: Aws, _parameters: dict[str, Any]) -> Any:
        return {"Parameter": {"Value": "tracker"}}

    @staticmethod
    def get_secret_value(_aws: Aws, parameters: dict[str, Any]) -> Any:
        assert parameters == {"SecretId": "arn:secret"}
        return {"SecretString": "key"}

    @staticmethod
    def put_events(aws: Aws, parameters: dict[str, Any]) -> Any:
        if any(event["eventId"] in aws.refused for event in parameters.get("eventList", ())):
            raise ClientError({"Error": {"Code": "InvalidInputException", "Message": "no"}}, "PutEvents")
        return {}

    put_users = put_items = put_events

    @staticmethod
    def change_message_visibility_batch(_aws: Aws, _parameters: dict[str, Any]) -> Any:
        return {}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    """The fakes, and the environment of the functions."""
    for name in [name for name in os.environ if name.startswith("CAMPAIGN_")]:
        monkeypatch.delenv(name)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return Aws()


class Api:
    """The handler, called as API Gateway does."""

    def __init__(self, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
        self.module = load("api")
        for name in ("availability", "event_queue", "fallback", "recommender"):
            module = sys.modules[name]
            for function in ("client", "within"):
                monkeypatch.setattr(module, function, aws.client, raising=False)
        monkeypatch.setattr(self.module.api().catalogue, "refresh", lambda _deadline: None)
        monkeypatch.setattr(self.module.api().catalogue, "popular", lambda _deadline: aws.popular)
        monkeypatch.setattr(self.module.api().catalogue, "coupons", lambda _deadline: ["c1", "c2", "c3"])
        self.authorizer: dict[str, Any] = {}

    def call(
        self,
        method: str,
        resource: str,
        path: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, Any]]:
        answer = self.answer(method, resource, path, query, body, headers=headers)
        expected = "application/json" if answer["statusCode"] < 400 else "application/problem+json"
        assert answer["headers"]["Content-Type"] == expected
        return answer["statusCode"], json.loads(answer["body"])

    def answer(
        self,
        method: str,
        resource: str,
        path: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        event = {
            "httpMethod": method,
            "resource": resource,
            "headers": headers,
            "pathParameters": path,
            "queryStringParameters": query,
            "requestContext": {"authorizer": self.authorizer},
            "body": body if isinstance(body, str) or body is None else json.dumps(body),
        }
        found: dict[str, Any] = self.module.handler(event, None)
        return found

    def recommend(self, **query: str) -> dict[str, Any]:
        status, answer = self.call("GET", "/users/{userId}/recommendations", {"userId": "u1"}, query)
        assert status == HTTPStatus.OK, answer
        return answer


@pytest.fixture
def api(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Api:
    """The API of a fresh container."""
    return Api(aws, monkeypatch)
