"""A user's token is for the user's own data, on every route; a back end's for everybody's."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import pytest

from tests.unit.api.conftest import Api, Aws

EVENT = {"eventId": "e", "userId": "u1", "sessionId": "s", "eventType": "view", "timestamp": 1}
U1 = {"userId": "u1"}
ITEM = {"itemId": "i1"}
PROPERTIES = {"properties": {"tier": "gold"}}
OPEN = {"/health", "/openapi.json", "/docs"}
# Every route that tells or changes something of u1, or what only back ends change.
OF_U1: list[tuple[str, str, dict[str, str] | None, dict[str, str] | None, Any]] = [
    ("GET", "/users/{userId}/recommendations", U1, None, None),
    ("GET", "/users/{userId}/coupons", U1, None, None),
    ("POST", "/users/{userId}/rankings", U1, None, {"itemIds": ["i1"]}),
    ("PUT", "/users/{userId}", U1, None, PROPERTIES),
    ("GET", "/items/{itemId}/similar", ITEM, {"userId": "u1"}, None),
    ("POST", "/events", None, None, {"events": [EVENT]}),
    ("POST", "/events", None, None, {"events": [{**EVENT, "userId": "u2"}, EVENT]}),
]
FOR_BACK_ENDS: list[tuple[str, str, dict[str, str] | None, dict[str, str] | None, Any]] = [
    ("PUT", "/items/{itemId}", ITEM, None, PROPERTIES),
    ("PUT", "/availability/{itemId}", ITEM, None, {"available": True}),
    ("POST", "/availability", None, None, {"items": [{"itemId": "i1", "available": True}]}),
]
OF_NOBODY: list[tuple[str, str, dict[str, str] | None, dict[str, str] | None, Any]] = [
    ("GET", "/items/{itemId}/similar", ITEM, None, None),
    ("GET", "/availability/{itemId}", ITEM, None, None),
    ("POST", "/events", None, None, {"events": [{**EVENT, "userId": None}]}),
]
ROUTES = [*OF_U1, *FOR_BACK_ENDS, *OF_NOBODY]


@pytest.fixture
def api(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.setenv("AUTHORIZATION", "jwt")
    aws.tables["availability"]["i1"] = {"item_id": {"S": "i1"}, "available": {"BOOL": True}}
    return Api(aws, monkeypatch)


def answers(api: Api, route: tuple[Any, ...], **claims: str) -> int:
    api.authorizer = claims
    return api.call(*route)[0]


@pytest.mark.parametrize("route", [*OF_U1, *FOR_BACK_ENDS])
def test_another_users_token_gets_403_and_nothing_happens(api: Api, aws: Aws, route: tuple[Any, ...]) -> None:
    assert answers(api, route, sub="u2") == HTTPStatus.FORBIDDEN
    assert not aws.calls


@pytest.mark.parametrize("route", [OF_U1[n] for n in range(6)])
def test_the_users_own_token_is_let_in(api: Api, route: tuple[Any, ...]) -> None:
    assert answers(api, route, sub="u1") in {HTTPStatus.OK, HTTPStatus.ACCEPTED}


@pytest.mark.parametrize("route", OF_NOBODY)
def test_what_is_of_no_user_is_for_everybody_with_a_token(api: Api, route: tuple[Any, ...]) -> None:
    assert answers(api, route, sub="u2") in {HTTPStatus.OK, HTTPStatus.ACCEPTED}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("groups", ["read back-ends", "read,back-ends", "[read back-ends]"])
def test_a_back_end_may_ask_for_everybody(api: Api, route: tuple[Any, ...], groups: str) -> None:
    assert answers(api, route, sub="app", scope=groups) in {HTTPStatus.OK, HTTPStatus.ACCEPTED}


@pytest.mark.parametrize("route", ROUTES)
def test_without_checked_claims_nobody_is_let_in(api: Api, aws: Aws, route: tuple[Any, ...]) -> None:
    assert answers(api, route) == HTTPStatus.UNAUTHORIZED
    assert not aws.calls


@pytest.mark.parametrize("scope", ["not-back-ends", "back-ends-too", "xback-ends"])
def test_a_group_of_a_similar_name_is_no_back_end(api: Api, scope: str) -> None:
    assert answers(api, FOR_BACK_ENDS[0], sub="u2", scope=scope) == HTTPStatus.FORBIDDEN


def test_claims_of_a_cognito_pool_are_read_too(api: Api) -> None:
    api.authorizer = {"claims": {"sub": "u1"}}
    assert api.call(*OF_U1[0])[0] == HTTPStatus.OK
    assert api.call("GET", OF_U1[0][1], {"userId": "u2"})[0] == HTTPStatus.FORBIDDEN


def test_every_route_is_tried_above(api: Api) -> None:
    tried = {(method, resource) for method, resource, *_ in ROUTES}
    assert tried == {route for route in api.module.ROUTES if route[1] not in OPEN}
    assert json.loads(api.module.handler({"httpMethod": "GET", "resource": "/health"}, None)["body"])
