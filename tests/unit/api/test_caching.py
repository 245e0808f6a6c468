"""An answer says how long it may be kept, and is not sent again to who has it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.api.conftest import Answers, Api, Aws

USER = {"userId": "u1"}
PAGES: list[tuple[str, str, dict[str, str]]] = [
    ("GET", "/users/{userId}/recommendations", USER),
    ("GET", "/users/{userId}/coupons", USER),
    ("GET", "/items/{itemId}/similar", {"itemId": "i1"}),
]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("spelling", ["If-None-Match", "if-none-match"])
def test_who_has_an_answer_gets_it_not_again(
    api: Api, page: tuple[str, str, dict[str, str]], spelling: str
) -> None:
    first = api.answer(*page)
    tag = first["headers"]["ETag"]
    assert first["headers"]["Cache-Control"] == "private, no-cache"
    for sent in (tag, f'"other", {tag}', tag.removeprefix("W/"), "*"):
        again = api.answer(*page, headers={spelling: sent})
        assert (again["statusCode"], again["body"]) == (304, "")
        assert again["headers"]["ETag"] == tag
    assert api.answer(*page, headers={spelling: '"other"'})["body"] == first["body"]


def test_the_tag_is_of_the_items_not_of_the_call(api: Api, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    by_aws, ids = Answers.get_recommendations, iter(["RID-1", "RID-2", "RID-3"])

    def with_new_id(aws: Aws, parameters: dict[str, Any]) -> Any:
        return {**by_aws(aws, parameters), "recommendationId": next(ids)}

    monkeypatch.setattr(Answers, "get_recommendations", staticmethod(with_new_id))
    first, second = api.answer(*PAGES[0]), api.answer(*PAGES[0])
    assert first["body"] != second["body"]
    assert first["headers"]["ETag"] == second["headers"]["ETag"]
    aws.open_items -= {"i0"}
    assert api.answer(*PAGES[0])["headers"]["ETag"] != first["headers"]["ETag"]


def test_what_sold_out_is_seen_by_who_asks_again(api: Api) -> None:
    tag = api.answer(*PAGES[0])["headers"]["ETag"]
    api.call("PUT", "/availability/{itemId}", {"itemId": "i0"}, body={"available": False})
    again = api.answer(*PAGES[0], headers={"If-None-Match": tag})
    assert again["statusCode"] == 200
    assert json.loads(again["body"])["items"][0]["itemId"] == "i1"


def test_answers_are_kept_as_long_as_configured_but_no_stand_ins(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CACHE_SECONDS", json.dumps({"similar": 60, "recommendations": 30}))
    api = Api(aws, monkeypatch)

    def control(page: tuple[str, str, dict[str, str]], query: dict[str, str] | None = None) -> str:
        return str(api.answer(*page, query)["headers"]["Cache-Control"])

    assert control(PAGES[0]) == "private, max-age=30"
    assert control(PAGES[1]) == "private, no-cache"
    assert control(PAGES[2]) == "public, max-age=60"
    assert control(PAGES[2], {"userId": "u1"}) == "private, max-age=60"
    aws.broken = {"get_recommendations"}
    assert control(PAGES[0]) == "private, no-cache"


def test_availability_and_refusals_are_not_kept(api: Api, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.tables["availability"]["i1"] = {"item_id": {"S": "i1"}, "available": {"BOOL": True}}
    item = ("GET", "/availability/{itemId}", {"itemId": "i1"})
    assert api.answer(*item)["headers"]["Cache-Control"] == "no-store"
    assert api.answer(*PAGES[0], {"numResults": "0"})["headers"]["Cache-Control"] == "no-store"

    def down(_aws: Aws, _parameters: Any) -> Any:
        raise ClientError({"Error": {"Code": "ServiceUnavailable", "Message": ""}}, "BatchGetItem")

    monkeypatch.setattr(Answers, "batch_get_item", staticmethod(down))
    assert api.answer(*PAGES[0])["headers"]["Cache-Control"] == "no-store"
