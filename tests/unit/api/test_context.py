"""Personalize is told of the situation: what the client states, else what the request shows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.api.conftest import LAMBDAS, Api, Aws, load

load("api")
from context import ContextField, context_of, device, platform  # noqa: E402 - the function's own module

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
IPAD = "Mozilla/5.0 (iPad; CPU OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Version/17.4 Mobile/15E148"
PIXEL = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/131.0 Mobile Safari/537.36"
GALAXY_TAB = "Mozilla/5.0 (Linux; Android 14; SM-X910) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"
LAPTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
BACK_END = "python-urllib3/2.2.3"
FIELDS = [
    {"column": "source", "parameter": "source", "values": ["ios", "android", "web"], "automatic": "platform"},
    {
        "column": "device_kind",
        "parameter": "deviceKind",
        "values": ["phone", "tablet"],
        "automatic": "device",
    },
]


@pytest.mark.parametrize(
    ("agent", "seen"),
    [
        (IPHONE, ("ios", "phone")),
        (IPAD, ("ios", "tablet")),
        ("TravelApp/3 CFNetwork/1568 Darwin/24.0", ("ios", "")),
        (PIXEL, ("android", "phone")),
        (GALAXY_TAB, ("android", "tablet")),
        (LAPTOP, ("web", "desktop")),
        (BACK_END, ("", "")),
        ("", ("", "")),
    ],
)
def test_a_user_agent_shows_platform_and_device(agent: str, seen: tuple[str, str]) -> None:
    assert (platform(agent), device(agent)) == seen


@pytest.mark.parametrize(("month", "season"), [(1, "cool"), (4, "hot"), (7, "monsoon"), (10, None)])
def test_the_month_shows_the_season(month: int, season: str | None) -> None:
    months = {"cool": (12, 1, 2), "hot": (3, 4, 5), "monsoon": (6, 7, 8, 9)}
    field = ContextField("season", "season", tuple(months), "season", months)
    assert context_of((field,), {}, {}, month) == ({"SEASON": season} if season else {})


@pytest.fixture
def api(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.setenv("CONTEXT", json.dumps(FIELDS))
    monkeypatch.syspath_prepend(LAMBDAS / "api")
    return Api(aws, monkeypatch)


@pytest.mark.parametrize(
    ("agent", "stated", "told"),
    [
        (PIXEL, {}, {"SOURCE": "android", "DEVICE_KIND": "phone"}),
        (PIXEL, {"source": "web"}, {"SOURCE": "web", "DEVICE_KIND": "phone"}),
        (LAPTOP, {}, {"SOURCE": "web"}),
        (BACK_END, {"deviceKind": "tablet"}, {"DEVICE_KIND": "tablet"}),
        (BACK_END, {}, None),
    ],
)
def test_recommendations_and_rankings_are_for_the_situation(
    api: Api, aws: Aws, agent: str, stated: dict[str, str], told: dict[str, str] | None
) -> None:
    headers, user = {"User-Agent": agent}, {"userId": "u"}
    body = {"itemIds": ["i1", "i2"]}
    api.call("GET", "/users/{userId}/recommendations", user, stated, headers=headers)
    api.call("POST", "/users/{userId}/rankings", user, stated, body, headers=headers)
    asked: list[dict[str, Any]] = [
        parameters
        for name, parameters in aws.calls
        if name in {"get_recommendations", "get_personalized_ranking"}
    ]
    assert [parameters.get("context") for parameters in asked] == [told, told]


def test_a_situation_that_there_is_not_is_refused(api: Api, aws: Aws) -> None:
    user, query = {"userId": "u"}, {"source": "fax"}
    status, problem = api.call("GET", "/users/{userId}/recommendations", user, query)
    assert (status, problem["errors"][0]["field"]) == (400, "source")
    assert not aws.calls


def test_the_served_document_has_what_can_be_stated(api: Api) -> None:
    paths = api.call("GET", "/openapi.json")[1]["paths"]
    for path, method in (("recommendations", "get"), ("rankings", "post")):
        parameters = paths[f"/users/{{userId}}/{path}"][method]["parameters"]
        found = {parameter["name"]: parameter["schema"] for parameter in parameters}
        assert found["source"]["enum"] == ["ios", "android", "web"]
        assert found["deviceKind"]["enum"] == ["phone", "tablet"]
