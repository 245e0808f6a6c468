"""Deployed REST stages answer: routed, guarded, validated, and integrated as on AWS."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
import urllib3

from tests.local.conftest import REGION, LocalCloudServer
from tests.local.test_lambda import deploy

ECHO = """
import json
def handler(event, context):
    if event["path"] == "/broken":
        return "not a proxy response"
    return {"statusCode": 200, "headers": {"X-Kind": "echo"}, "body": json.dumps(event)}
"""


@dataclass
class Api:
    """A deployed test API."""

    server: LocalCloudServer
    api_id: str
    root_id: str
    function_arn: str

    def method(self, path: str, http_method: str = "GET", **settings: Any) -> None:
        client, parent = self.server.client("apigateway"), self.root_id
        existing = {
            r["path"]: r["id"] for r in client.get_resources(restApiId=self.api_id, limit=500)["items"]
        }
        walked = ""
        for part in path.strip("/").split("/"):
            walked += f"/{part}"
            parent = (
                existing.get(walked)
                or client.create_resource(restApiId=self.api_id, parentId=parent, pathPart=part)["id"]
            )
        place = {"restApiId": self.api_id, "resourceId": parent, "httpMethod": http_method}
        client.put_method(**place, authorizationType=settings.pop("authorizationType", "NONE"), **settings)
        uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{self.function_arn}/invocations"
        client.put_integration(**place, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)

    def deploy(self) -> None:
        self.server.client("apigateway").create_deployment(restApiId=self.api_id, stageName="v1")

    def call(self, path: str, method: str = "GET", **rest: Any) -> tuple[int, Any]:
        headers = {"Host": f"{self.api_id}.execute-api.{REGION}.amazonaws.com", **rest.pop("headers", {})}
        url = f"{self.server.endpoint_url}/v1{path}"
        response = urllib3.request(method, url, headers=headers, **rest)
        return response.status, json.loads(response.data)


@pytest.fixture
def api(localcloud_server: LocalCloudServer) -> Api:
    name = deploy(localcloud_server, ECHO, Timeout=10)
    arn = localcloud_server.client("lambda").get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    client = localcloud_server.client("apigateway")
    api_id = client.create_rest_api(name=f"api-{uuid.uuid4().hex[:6]}")["id"]
    root = client.get_resources(restApiId=api_id)["items"][0]["id"]
    return Api(localcloud_server, api_id, root, arn)


def test_the_function_sees_the_request_in_awss_shape(api: Api) -> None:
    api.method("/users/{userId}/trips", "POST")
    api.deploy()
    status, event = api.call("/users/a%2Fb/trips?n=1&n=2", "POST", body=b'{"x": 1}', headers={"X-Extra": "y"})
    assert status == 200
    assert event["resource"] == "/users/{userId}/trips"
    assert event["pathParameters"] == {"userId": "a/b"}
    assert event["multiValueQueryStringParameters"] == {"n": ["1", "2"]}
    assert event["body"] == '{"x": 1}'
    assert event["headers"]["X-Extra"] == "y"
    assert event["requestContext"]["stage"] == "v1"


def test_the_stage_also_answers_under_a_path_of_localcloud(api: Api) -> None:
    api.method("/health")
    api.deploy()
    url = f"{api.server.endpoint_url}/_localcloud/execute-api/{api.api_id}/v1/health"
    assert urllib3.request("GET", url).status == 200


def test_only_what_is_deployed_answers(api: Api) -> None:
    api.method("/old")
    api.deploy()
    api.method("/new")
    assert api.call("/old")[0] == 200
    assert api.call("/new") == (403, {"message": "Missing Authentication Token"})
    api.deploy()
    assert api.call("/new")[0] == 200


def test_an_exact_path_wins_over_a_parameter_and_a_greedy_one(api: Api) -> None:
    api.method("/items/{proxy+}")
    api.method("/items/{itemId}")
    api.method("/items/popular")
    api.deploy()
    assert api.call("/items/popular")[1]["resource"] == "/items/popular"
    assert api.call("/items/7")[1]["resource"] == "/items/{itemId}"
    assert api.call("/items/7/similar")[1]["pathParameters"] == {"proxy": "7/similar"}


def test_a_key_in_a_usage_plan_is_needed_and_its_throttle_holds(api: Api) -> None:
    api.method("/guarded", apiKeyRequired=True)
    api.deploy()
    client = api.server.client("apigateway")
    key = client.create_api_key(name="k", enabled=True)
    assert api.call("/guarded")[0] == 403
    assert api.call("/guarded", headers={"x-api-key": key["value"]})[0] == 403
    plan = client.create_usage_plan(
        name="p",
        apiStages=[{"apiId": api.api_id, "stage": "v1"}],
        throttle={"rateLimit": 0.001, "burstLimit": 2},
    )
    client.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
    answers = [api.call("/guarded", headers={"x-api-key": key["value"]})[0] for _ in range(3)]
    assert answers == [200, 200, 429]


def test_request_validators_refuse_before_the_function_is_called(api: Api) -> None:
    client = api.server.client("apigateway")
    validator = client.create_request_validator(
        restApiId=api.api_id, name="all", validateRequestBody=True, validateRequestParameters=True
    )["id"]
    schema = {"type": "object", "required": ["items"]}
    client.create_model(
        restApiId=api.api_id, name="Items", contentType="application/json", schema=json.dumps(schema)
    )
    api.method(
        "/rank",
        "POST",
        requestValidatorId=validator,
        requestModels={"application/json": "Items"},
        requestParameters={"method.request.querystring.n": True},
    )
    api.deploy()
    status, body = api.call("/rank", "POST", body=b'{"items": []}')
    assert (status, body["message"]) == (400, "Missing required request parameters: [n]")
    assert api.call("/rank?n=1", "POST", body=b"{}") == (400, {"message": "Invalid request body"})
    assert api.call("/rank?n=1", "POST", body=b'{"items": []}')[0] == 200


def test_a_malformed_answer_is_a_bad_gateway(api: Api) -> None:
    api.method("/broken")
    api.deploy()
    assert api.call("/broken") == (502, {"message": "Internal server error"})


def test_iam_authorization_needs_a_signature(api: Api) -> None:
    api.method("/signed", authorizationType="AWS_IAM")
    api.deploy()
    assert api.call("/signed")[0] == 403
    signature = (
        "AWS4-HMAC-SHA256 Credential=AKID/20260101/ap-south-1/execute-api/aws4_request, "
        f"SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
    )
    assert api.call("/signed", headers={"Authorization": signature})[0] == 200


POLICY = """
def handler(event, context):
    effect = {"good": "Allow", "bad": "Deny"}.get(event["authorizationToken"])
    if effect is None:
        raise Exception("Unauthorized")
    scope = event["methodArn"].rsplit("/", 2)[0]
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": scope + "/GET/mine*"}
    return {"principalId": "u1", "policyDocument": {"Statement": [statement]}, "context": {"tier": 2}}
"""


def test_an_authorizer_function_decides_by_its_policy(api: Api) -> None:
    name = deploy(api.server, POLICY, Timeout=10)
    arn = api.server.client("lambda").get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    authorizer = api.server.client("apigateway").create_authorizer(
        restApiId=api.api_id,
        name="tokens",
        type="TOKEN",
        identitySource="method.request.header.X-Token",
        authorizerUri=f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations",
    )["id"]
    for path in ("/mine", "/other"):
        api.method(path, authorizationType="CUSTOM", authorizerId=authorizer)
    api.deploy()
    assert api.call("/mine")[0] == 401
    assert api.call("/mine", headers={"X-Token": "unknown"})[0] == 401
    assert api.call("/mine", headers={"X-Token": "bad"})[0] == 403
    assert api.call("/other", headers={"X-Token": "good"})[0] == 403
    status, event = api.call("/mine", headers={"X-Token": "good"})
    assert status == 200
    assert event["requestContext"]["authorizer"] == {"principalId": "u1", "tier": "2"}


def test_users_of_the_pool_are_let_in_by_their_id_token(api: Api) -> None:
    cognito = api.server.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="travellers")["UserPool"]
    client_id = cognito.create_user_pool_client(UserPoolId=pool["Id"], ClientName="app")["UserPoolClient"][
        "ClientId"
    ]
    cognito.admin_create_user(UserPoolId=pool["Id"], Username="ada")
    cognito.admin_set_user_password(
        UserPoolId=pool["Id"], Username="ada", Password="Pass-w0rd!", Permanent=True
    )
    tokens = cognito.admin_initiate_auth(
        UserPoolId=pool["Id"],
        ClientId=client_id,
        AuthFlow="ADMIN_NO_SRP_AUTH",
        AuthParameters={"USERNAME": "ada", "PASSWORD": "Pass-w0rd!"},
    )["AuthenticationResult"]
    authorizer = api.server.client("apigateway").create_authorizer(
        restApiId=api.api_id,
        name="pool",
        type="COGNITO_USER_POOLS",
        identitySource="method.request.header.Authorization",
        providerARNs=[pool["Arn"]],
    )["id"]
    api.method("/mine", authorizationType="COGNITO_USER_POOLS", authorizerId=authorizer)
    api.deploy()
    token = tokens["IdToken"]
    head, body, signature = token.split(".")
    forged = ".".join((head, body, ("A" if signature[0] != "A" else "B") + signature[1:]))
    assert api.call("/mine")[0] == 401
    for refused in (forged, tokens["AccessToken"], "nonsense"):
        assert api.call("/mine", headers={"Authorization": refused})[0] == 401
    status, event = api.call("/mine", headers={"Authorization": token})
    assert status == 200
    assert event["requestContext"]["authorizer"]["claims"]["cognito:username"] == "ada"


def test_a_missing_function_is_the_servers_fault(api: Api) -> None:
    api.function_arn = api.function_arn + "-gone"
    api.method("/gone")
    api.deploy()
    assert api.call("/gone") == (500, {"message": "Internal server error"})


def test_a_methods_own_throttle_holds_before_the_stages(api: Api) -> None:
    api.method("/slow")
    api.method("/fast")
    api.deploy()
    settings = {"rateLimit": "0.001", "burstLimit": "1"}
    api.server.client("apigateway").update_stage(
        restApiId=api.api_id,
        stageName="v1",
        patchOperations=[
            {"op": "replace", "path": f"/~1slow/GET/throttling/{key}", "value": value}
            for key, value in settings.items()
        ],
    )
    assert [api.call("/slow")[0] for _ in range(2)] == [200, 429]
    assert [api.call("/fast")[0] for _ in range(2)] == [200, 200]


def test_a_body_sent_in_chunks_arrives_whole(api: Api) -> None:
    api.method("/events", "POST")
    api.deploy()
    status, event = api.call("/events", "POST", body=iter([b'{"x"', b": 1}"]))
    assert (status, event["body"]) == (200, '{"x": 1}')
