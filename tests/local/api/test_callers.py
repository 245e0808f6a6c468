"""On a deployed API, a token opens what it is for and nothing else."""

from __future__ import annotations

import time

import pytest

from tests.local.deployed_api import DeployedApi

EVENT = {"eventId": "e1", "userId": "ada", "sessionId": "s", "eventType": "view", "timestamp": 1_800_000_000}
OF_ADA = [
    ("GET", "/users/ada/recommendations", None),
    ("GET", "/users/ada/coupons", None),
    ("POST", "/users/ada/rankings", {"itemIds": ["DEL|GOI|flight|1"]}),
    ("PUT", "/users/ada", {"properties": {"LOYALTY_TIER": "gold"}}),
    ("GET", "/items/x/similar?userId=ada", None),
    ("POST", "/events", {"events": [EVENT]}),
]
FOR_BACK_ENDS = [
    ("PUT", "/items/x", {"properties": {"ORIGIN": "DEL"}}),
    ("PUT", "/availability/x", {"available": False}),
    ("POST", "/availability", {"items": [{"itemId": "x", "available": False}]}),
]


@pytest.mark.parametrize(("method", "path", "body"), [*OF_ADA, *FOR_BACK_ENDS])
def test_each_route_is_its_own_users(
    deployed_api: DeployedApi, method: str, path: str, body: dict[str, object] | None
) -> None:
    api, is_adas = deployed_api, (method, path, body) in OF_ADA
    assert api.call(method, path, body)[0] == 401
    status, problem = api.call(method, path, body, token=api.issuer.token("bob"))
    assert (status, problem["title"]) == (403, "Forbidden")
    assert api.call(method, path, body, token=api.issuer.token("ada"))[0] == (
        _good(method, path) if is_adas else 403
    )
    assert api.call(method, path, body, token=api.back_end)[0] == _good(method, path)


def test_a_token_of_another_audience_or_time_opens_nothing(deployed_api: DeployedApi) -> None:
    api = deployed_api
    for changed in ({"aud": "other"}, {"exp": int(time.time()) - 3600}, {"iss": "http://elsewhere"}):
        assert api.call("GET", "/users/ada/coupons", token=api.issuer.token("ada", **changed))[0] == 401


def test_health_and_documentation_are_open(deployed_api: DeployedApi) -> None:
    assert deployed_api.call("GET", "/health") == (200, {"status": "ok"})
    document = deployed_api.call("GET", "/openapi.json")[1]
    assert document["components"]["securitySchemes"] == {
        "jwt": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }


def _good(method: str, path: str) -> int:
    return 202 if path == "/events" or (method == "PUT" and not path.startswith("/availability")) else 200
