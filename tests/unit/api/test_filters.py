"""A filter is applied by Personalize, or by what is known of items, or the answer says that it is not."""

from __future__ import annotations

from typing import Any

import pytest

from stacks.constructs.filter_rules import parameters, rules
from tests.unit.api.conftest import Api, Aws

EXPRESSIONS: list[tuple[str, list[dict[str, Any]], bool]] = [
    ("INCLUDE ItemID WHERE Items.ORIGIN IN ($origin)",
     [{"column": "origin", "excludes": False, "parameter": "origin"}], True),
    ('EXCLUDE ItemID WHERE Items.ORIGIN IN ("DEL", "BOM")',
     [{"column": "origin", "excludes": True, "values": ["DEL", "BOM"]}], True),
    ("INCLUDE ItemID WHERE Items.A NOT IN ($a) AND Items.B IN ($b)",
     [{"column": "a", "excludes": True, "parameter": "a"},
      {"column": "b", "excludes": False, "parameter": "b"}], True),
    ("INCLUDE ItemID WHERE Items.A IN ($a) AND Items.PRICE < 10",
     [{"column": "a", "excludes": False, "parameter": "a"}], False),
    ('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchase")', [], False),
    ("EXCLUDE ItemID WHERE Items.A IN ($a) AND Items.B IN ($b)", [], False),
    ("INCLUDE ItemID WHERE Items.A IN ($a) OR Items.B IN ($b)", [], False),
    ('INCLUDE ItemID WHERE Items.A IN ("x") | EXCLUDE ItemID WHERE Items.B IN ("y")', [], False),
    ("INCLUDE ItemID WHERE Items.A IN ($a, $b)", [], False),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "expected", "all_of_it"), EXPRESSIONS)
def test_rules_are_what_speaks_of_items_alone(
    expression: str, expected: list[dict[str, Any]], all_of_it: bool
) -> None:
    assert rules(expression) == (expected, all_of_it)


def test_parameters_are_the_placeholders() -> None:
    assert parameters("INCLUDE ItemID WHERE Items.A IN ($b) AND Items.B IN ($a, $b)") == ["a", "b"]


@pytest.fixture
def trains(aws: Aws) -> Aws:
    """Popular items, half of them trains, all bookable."""
    aws.popular = [
        {"itemId": f"p{n}", "score": 0.5, "transport_mode": "train" if n % 2 else "flight|bus"}
        for n in range(10)
    ]
    aws.open_items |= {f"p{n}" for n in range(10)}
    return aws


def ids(answer: dict[str, Any]) -> list[str]:
    return [item["itemId"] for item in answer["items"]]


def test_the_fallback_keeps_to_a_filter_that_metadata_can_tell(api: Api, trains: Aws) -> None:
    api.recommend()
    trains.broken = {"get_recommendations"}
    answer = api.recommend(filter="mode", transportMode="train", metadata="true")
    assert (ids(answer), answer["filtered"]) == (["p1", "p3", "p5", "p7", "p9"], True)
    assert {item["metadata"]["transport_mode"] for item in answer["items"]} == {"train"}
    assert len(ids(api.recommend(filter="mode", transportMode="bus", numResults="9"))) == 5
    assert ids(api.recommend(filter="mode", transportMode="ship")) == []


def test_a_filter_that_nothing_here_can_apply_is_said_not_to_be(api: Api, trains: Aws) -> None:
    assert api.recommend(filter="not-bought")["filtered"] is True
    trains.broken = {"get_recommendations"}
    answer = api.recommend(filter="not-bought")
    assert answer["filtered"] is False
    assert len(answer["items"]) == 5


def test_a_page_without_a_filter_says_nothing_of_filtering(api: Api) -> None:
    assert "filtered" not in api.recommend()


def test_a_short_page_is_topped_up_with_what_passes_the_filter(api: Api, trains: Aws) -> None:
    trains.open_items -= {f"i{n}" for n in range(1, 200)}
    answer = api.recommend(filter="mode", transportMode="train")
    assert (ids(answer), answer["toppedUpWithPopular"]) == (["i0", "p1", "p3", "p5", "p7"], 4)


def test_similar_items_can_be_filtered_for_a_user(api: Api, aws: Aws) -> None:
    query = {"userId": "u1", "filter": "not-bought"}
    status, answer = api.call("GET", "/items/{itemId}/similar", {"itemId": "i0"}, query)
    asked = next(p for name, p in aws.calls if name == "get_recommendations")
    assert (status, asked["itemId"], asked["userId"], asked["filterArn"]) == (200, "i0", "u1", "arn:other")
    assert answer["filtered"] is True


def test_more_items_than_personalize_describes_are_described_from_what_is_known(api: Api, aws: Aws) -> None:
    aws.popular = [{"itemId": "i30", "score": 1.0, "origin": "DEL"}]
    aws.open_items = {f"i{n}" for n in range(30, 80)}
    answer = api.recommend(metadata="true", numResults="50")
    assert ids(answer) == [f"i{n}" for n in range(30, 80)]
    asked = [
        (p["numResults"], "metadataColumns" in p) for name, p in aws.calls if name == "get_recommendations"
    ]
    assert asked == [(50, True), (500, False)]
    assert answer["items"][0]["metadata"] == {"origin": "DEL"}
