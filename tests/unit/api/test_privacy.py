"""No log line of the functions says who a person is or what they did, even when AWS's errors quote it."""

from __future__ import annotations

import json
import sys
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.api.conftest import Api, Aws, Client, load
from tests.unit.api.test_events import Context, sqs_record

PERSONAL = "ada-lovelace-1815"
EVENT = {
    "eventId": f"e-{PERSONAL}", "userId": PERSONAL, "sessionId": f"s-{PERSONAL}", "eventType": "checkout",
    "itemId": f"i-{PERSONAL}", "timestamp": 1_800_000_000, "properties": {"price_band": PERSONAL},
}  # fmt: skip
USER = {"userId": PERSONAL}
REQUESTS: list[tuple[Any, ...]] = [
    ("GET", "/users/{userId}/recommendations", USER, {"filter": "mode", "transportMode": PERSONAL}),
    ("GET", "/users/{userId}/recommendations", USER, {"numResults": PERSONAL}),
    ("GET", "/users/{userId}/coupons", USER),
    ("POST", "/users/{userId}/rankings", USER, None, {"itemIds": [PERSONAL, "i1"]}),
    ("PUT", "/users/{userId}", USER, None, {"properties": {"name": PERSONAL}}),
    ("GET", "/items/{itemId}/similar", {"itemId": "i1"}, {"userId": PERSONAL}),
    ("POST", "/events", None, None, {"events": [EVENT]}),
    ("POST", "/events", None, None, {"events": [{**EVENT, "timestamp": PERSONAL}]}),
    ("GET", "/availability/{itemId}", {"itemId": PERSONAL}),
]
OPERATIONS = [
    "get_recommendations", "get_personalized_ranking", "describe_campaign", "batch_get_item", "get_item",
    "put_item", "send_message_batch", "put_object", "put_events", "put_users", "put_items",
    "change_message_visibility_batch",
]  # fmt: skip


@pytest.fixture
def quoting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let errors of AWS quote what was sent, as some do."""

    def refuse(self: Client, operation: str) -> Any:
        def call(**parameters: Any) -> Any:
            if operation in self._aws.broken:
                message = f"1 validation error detected: {parameters}"
                raise ClientError({"Error": {"Code": "InternalError", "Message": message}}, operation)
            return by_aws(self, operation)(**parameters)

        return call

    by_aws = Client.__getattr__
    monkeypatch.setattr(Client, "__getattr__", refuse)


def logged(log: pytest.LogCaptureFixture) -> str:
    """All that was logged, with every field and traceback."""
    formatter = sys.modules["aws_lambda_powertools.logging.formatter"].LambdaPowertoolsFormatter()
    return "\n".join(formatter.format(record) for record in log.records)


@pytest.mark.usefixtures("quoting")
@pytest.mark.parametrize("broken", [set(), *({operation} for operation in OPERATIONS), set(OPERATIONS)])
def test_the_api_logs_nothing_personal(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, broken: set[str]
) -> None:
    api = Api(aws, monkeypatch)
    aws.broken = broken
    for method, resource, *rest in REQUESTS:
        api.answer(method, resource, *rest)
    text = logged(caplog)
    assert text.count('"message":"answered"') == len(REQUESTS)
    assert PERSONAL not in text


@pytest.fixture
def events(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = load("events")
    for name in ("check_outs", "delivery", "waiting"):
        monkeypatch.setattr(sys.modules[name], "client", aws.client)
    monkeypatch.setattr(module, "client", aws.client)
    return module


@pytest.mark.usefixtures("quoting")
@pytest.mark.parametrize("broken", [set(), *({operation} for operation in OPERATIONS)])
def test_the_consumer_logs_nothing_personal(
    events: ModuleType, aws: Aws, caplog: pytest.LogCaptureFixture, broken: set[str]
) -> None:
    aws.broken = broken
    bodies = [
        json.dumps({"kind": "event", **EVENT, "attribution": PERSONAL}),
        json.dumps({"kind": "user", "userId": PERSONAL, "properties": {"name": PERSONAL}}),
        json.dumps({"kind": PERSONAL}),
        PERSONAL,
    ]
    events.handler({"Records": [sqs_record(f"m{n}", body) for n, body in enumerate(bodies)]}, Context())
    text = logged(caplog)
    assert "batch" in text
    assert PERSONAL not in text
