"""The API answers with what can be booked, always, and refuses nonsense before it calls anything."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from tests.unit.api.conftest import Answers, Api, Aws


def ids(answer: dict[str, Any]) -> list[str]:
    return [item["itemId"] for item in answer["items"]]


def test_a_sold_out_item_is_never_returned(api: Api, aws: Aws) -> None:
    assert ids(api.recommend()) == ["i0", "i1", "i2", "i3", "i4"]
    api.call("PUT", "/availability/{itemId}", {"itemId": "i1"}, body={"available": True, "seats": 0})
    api.call("PUT", "/availability/{itemId}", {"itemId": "i3"}, body={"available": False})
    assert ids(api.recommend()) == ["i0", "i2", "i4", "i5", "i6"]
    del aws


def test_an_expired_or_unknown_record_counts_as_the_configuration_says(api: Api, aws: Aws) -> None:
    aws.open_items -= {"i0"}
    expired = {"available": True, "expiresAt": 1_000_000_000}
    api.call("PUT", "/availability/{itemId}", {"itemId": "i1"}, body=expired)
    assert ids(api.recommend())[:2] == ["i2", "i3"]
    assert api.call("GET", "/availability/{itemId}", {"itemId": "i1"})[0] == HTTPStatus.NOT_FOUND


def test_the_page_is_widened_once_and_then_topped_up_with_popular_items(api: Api, aws: Aws) -> None:
    aws.open_items = {f"i{n}" for n in range(150, 153)} | {"p1", "p2", "p3"}
    answer = api.recommend()
    assert ids(answer) == ["i150", "i151", "i152", "p1", "p2"]
    assert answer["toppedUpWithPopular"] == 2
    asked = [p["numResults"] for name, p in aws.calls if name == "get_recommendations"]
    assert asked == [25, 500]


def test_a_page_that_cannot_be_widened_keeps_what_it_has(
    api: Api, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.open_items = {"i3", "i150", "p1", "p2", "p3", "p4"}
    narrow = Answers.get_recommendations

    def refuse_wide(aws: Aws, parameters: dict[str, Any]) -> Any:
        if parameters["numResults"] == 500:
            raise ReadTimeoutError(endpoint_url="https://personalize")
        return narrow(aws, parameters)

    monkeypatch.setattr(Answers, "get_recommendations", staticmethod(refuse_wide))
    answer = api.recommend()
    assert ids(answer) == ["i3", "p1", "p2", "p3", "p4"]
    assert (answer["source"], answer["recommendationId"]) == ("personalize", "RID-1")


def test_a_filtered_page_is_not_topped_up_with_what_the_filter_may_refuse(api: Api, aws: Aws) -> None:
    aws.open_items = {"i0", "p1"}
    answer = api.recommend(filter="mode", transportMode="flight,train")
    assert ids(answer) == ["i0"]
    call = next(p for name, p in aws.calls if name == "get_recommendations")
    assert call["filterArn"] == "arn:filter"
    assert call["filterValues"] == {"transportMode": '"flight","train"'}


@pytest.mark.parametrize("stored", [True, False])
def test_reads_answer_when_personalize_does_not(api: Api, aws: Aws, stored: bool) -> None:
    aws.open_items |= {"p0", "p1", "p2", "p3", "p4"}
    if stored:
        first = ids(api.recommend())
    aws.broken = {"get_recommendations", "get_personalized_ranking"}
    answer = api.recommend()
    assert answer["source"] == ("stored" if stored else "popular")
    assert ids(answer) == (first if stored else ["p0", "p1", "p2", "p3", "p4"])
    assert answer["modelVersion"] is None
    assert answer["attribution"] == f"user-personalization/{answer['source']}"
    similar = api.call("GET", "/items/{itemId}/similar", {"itemId": "p0"})[1]
    assert ids(similar) == ["p1", "p2", "p3", "p4"]
    ranked = api.call("POST", "/users/{userId}/rankings", {"userId": "u"}, body={"itemIds": ["i1", "i2"]})[1]
    assert (ids(ranked), ranked["source"]) == (["i1", "i2"], "given-order")


def test_a_campaign_that_keeps_failing_is_left_alone_for_a_while(api: Api, aws: Aws) -> None:
    aws.broken = {"get_recommendations"}
    for _ in range(20):
        api.recommend()
    assert aws.count("get_recommendations") == 5 * api.module.Recommender.__init__.__globals__["ATTEMPTS"]


def test_every_answer_says_who_recommended(api: Api) -> None:
    answer = api.recommend()
    assert (answer["recommendationId"], answer["modelVersion"], answer["source"]) == (
        "RID-1",
        "arn:version",
        "personalize",
    )


def test_every_recommendation_id_can_be_sent_back_with_an_event(api: Api, aws: Aws) -> None:
    aws.broken = {"get_recommendations"}
    event = {**EVENT, "recommendationId": api.recommend()["recommendationId"]}
    assert api.call("POST", "/events", body={"events": [event]})[0] == HTTPStatus.ACCEPTED


def test_the_docs_page_needs_nothing_from_elsewhere(api: Api) -> None:
    page = api.module.handler({"httpMethod": "GET", "resource": "/docs"}, None)["body"]
    assert "openapi.json" in page
    assert "//" not in page


def test_similar_items_leave_the_item_itself_out(api: Api) -> None:
    answer = api.call("GET", "/items/{itemId}/similar", {"itemId": "i0"}, {"numResults": "2"})[1]
    assert ids(answer) == ["i1", "i2"]


def test_rankings_and_coupons_come_in_the_users_order(api: Api, aws: Aws) -> None:
    aws.open_items -= {"i2"}
    body = {"itemIds": ["i1", "i2", "i3"]}
    assert ids(api.call("POST", "/users/{userId}/rankings", {"userId": "u"}, body=body)[1]) == ["i3", "i1"]
    coupons = api.call("GET", "/users/{userId}/coupons", {"userId": "u"}, {"numResults": "2"})[1]
    assert ids(coupons) == ["c3", "c2"]


def test_accepted_events_are_in_the_queue_even_when_it_refuses_some_at_first(api: Api, aws: Aws) -> None:
    events = [
        {"eventId": f"e{n}", "userId": "u", "sessionId": "s", "eventType": "view", "timestamp": 1.8e9}
        for n in range(25)
    ]
    aws.rejected_once = {"e3", "e17"}
    assert api.call("POST", "/events", body={"events": events}) == (202, {"accepted": 25})
    assert sorted(m["eventId"] for m in aws.queue) == sorted(e["eventId"] for e in events)


def test_a_queue_that_does_not_answer_accepts_nothing(api: Api, aws: Aws) -> None:
    aws.broken = {"send_message_batch"}
    event = {"eventId": "e", "sessionId": "s", "eventType": "view", "timestamp": "2026-11-01T00:00:00Z"}
    assert api.call("POST", "/events", body={"events": [event]})[0] == HTTPStatus.SERVICE_UNAVAILABLE


EVENT = {"eventId": "e", "sessionId": "s", "eventType": "view", "timestamp": 1}
USER = {"userId": "u"}
REFUSED = [
    ("GET", "/users/{userId}/recommendations", USER, {"numResults": "0"}, None, "numResults"),
    ("GET", "/users/{userId}/recommendations", USER, {"numResults": "51"}, None, "numResults"),
    ("GET", "/users/{userId}/recommendations", USER, {"colour": "red"}, None, "colour"),
    ("GET", "/users/{userId}/recommendations", USER, {"filter": "none"}, None, "filter"),
    ("GET", "/users/{userId}/recommendations", USER, {"filter": "mode"}, None, "transportMode"),
    ("GET", "/users/{userId}/recommendations", USER, {"filter": "mode", "transportMode": 'x"'}, None,
     "transportMode"),
    ("GET", "/users/{userId}/recommendations", {"userId": "u" * 257}, None, None, "userId"),
    ("POST", "/users/{userId}/rankings", USER, None, {"itemIds": []}, "itemIds"),
    ("POST", "/users/{userId}/rankings", USER, None, "not json", "body"),
    ("POST", "/events", None, None, {"events": [{**EVENT, "eventId": ""}]}, "events[0].eventId"),
    (
        "POST",
        "/events",
        None,
        None,
        {"events": [EVENT, {**EVENT, "timestamp": "today"}]},
        "events[1].timestamp",
    ),
    ("POST", "/events", None, None, {"events": [{**EVENT, "card": "4111"}]}, "events[0].card"),
    ("POST", "/events", None, None, {"events": [EVENT] * 101}, "events"),
    ("POST", "/events", None, None, {"events": [{**EVENT, "eventValue": float("nan")}]},
     "events[0].eventValue"),
    ("POST", "/events", None, None, {"events": [{**EVENT, "recommendationId": "r" * 41}]},
     "events[0].recommendationId"),
    ("POST", "/events", None, None, {"events": [{**EVENT, "properties": {"a": "x" * 600, "b": "x" * 600}}]},
     "events[0].properties"),
    ("POST", "/events", None, None, "[" * 100_000, "body"),
    ("PUT", "/users/{userId}", USER, None, '{"properties": {"a": 1e999}}', "properties.a"),
    ("PUT", "/items/{itemId}", {"itemId": "i"}, None,
     {"properties": {f"p{n}": "x" * 900 for n in range(30)}}, "properties"),
    ("PUT", "/users/{userId}", USER, None, {"properties": {"a": {"b": 1}}}, "properties.a"),
    ("PUT", "/availability/{itemId}", {"itemId": "i"}, None, {"available": "yes"}, "available"),
    ("PUT", "/availability/{itemId}", {"itemId": "i"}, None, {"available": True, "seats": -1}, "seats"),
    ("POST", "/availability", None, None, {"items": [{"itemId": "i"}]}, "items[0].available"),
]  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_request_names_its_field_and_calls_nothing(api: Api, aws: Aws, case: tuple[Any, ...]) -> None:
    method, resource, path, query, body, field = case
    status, problem = api.call(method, resource, path, query, body)
    assert status == HTTPStatus.BAD_REQUEST
    assert problem["errors"][0]["field"] == field
    assert problem["status"] == status
    assert not aws.calls


def test_a_problem_may_name_a_field_that_is_no_proper_text(api: Api) -> None:
    status, problem = api.call("PUT", "/availability/{itemId}", {"itemId": "i1"}, body={"\ud800": 1})
    assert status == HTTPStatus.BAD_REQUEST
    assert problem["errors"][0]["field"] == "\ud800"
