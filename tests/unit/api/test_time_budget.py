"""Whatever Personalize does, every well-formed read answers 200 within the time budget."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.api.conftest import Answers, Api, Aws

BUDGET = 1.0
READS: list[tuple[Any, ...]] = [
    ("GET", "/users/{userId}/recommendations", {"userId": "u1"}, {"metadata": "true"}),
    (
        "GET",
        "/users/{userId}/recommendations",
        {"userId": "u2"},
        {"filter": "mode", "transportMode": "train"},
    ),
    ("GET", "/users/{userId}/recommendations", {"userId": "u3"}, {"numResults": "50"}),
    ("GET", "/items/{itemId}/similar", {"itemId": "i1"}, {"userId": "u1"}),
    ("POST", "/users/{userId}/rankings", {"userId": "u1"}, None, {"itemIds": ["i1", "i2"]}),
    ("GET", "/users/{userId}/coupons", {"userId": "u1"}, None),
]
PERSONALIZE = {"get_recommendations", "get_personalized_ranking", "describe_campaign"}


class Clock:
    """Time that passes only where something waits."""

    def __init__(self) -> None:
        self.now = time.time()

    def monotonic(self) -> float:
        return self.now

    time = monotonic

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Flaky:
    """Personalize's and DynamoDB's clients; Personalize does as the plan says, call by call."""

    def __init__(self, aws: Aws, clock: Clock, plan: Iterator[str], seconds: float) -> None:
        self._aws, self._clock, self._plan, self._seconds = aws, clock, plan, seconds

    def __getattr__(self, operation: str) -> Any:
        def call(**parameters: Any) -> Any:
            fate = next(self._plan, "ok") if operation in PERSONALIZE else "ok"
            self._clock.sleep(self._seconds if fate == "slow" else self._seconds * 0.1)
            if fate == "slow":
                raise ReadTimeoutError(endpoint_url="https://personalize")
            if fate == "unreachable":
                raise EndpointConnectionError(endpoint_url="https://personalize")
            if fate != "ok":
                raise ClientError({"Error": {"Code": fate, "Message": "no"}}, operation)
            return getattr(Answers, operation)(self._aws, parameters)

        return call


fates = st.sampled_from(
    [
        "ok",
        "slow",
        "unreachable",
        "ThrottlingException",
        "InternalServerException",
        "ResourceNotFoundException",
    ]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    plan=st.lists(fates, max_size=40),
    reads=st.lists(st.sampled_from(READS), min_size=1, max_size=8),
    bookable=st.integers(0, 200),
)
def test_every_read_answers_200_within_the_budget(
    aws: Aws, plan: list[str], reads: list[tuple[Any, ...]], bookable: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        aws.open_items = {f"i{n}" for n in range(bookable)} | {"p0", "p1", "i1", "i2"}
        aws.tables = {"availability": {}, "fallback": {}}
        api, clock, fate = Api(aws, patch), Clock(), iter(plan)
        for name in ("availability", "fallback", "recommender"):
            module = sys.modules[name]
            patch.setattr(module, "within", lambda _, seconds: Flaky(aws, clock, fate, max(seconds, 0.05)))
            patch.setattr(module, "time", clock)
        patch.setattr(sys.modules["deadline"], "time", clock)
        for read in reads:
            began = clock.now
            status, answer = api.call(*read)
            assert status == 200
            assert clock.now - began <= BUDGET
            assert answer["source"] in {"personalize", "stored", "popular", "given-order", "none"}


def test_availability_is_read_again_when_a_read_fails(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    api, by_aws, failing = Api(aws, monkeypatch), Answers.batch_get_item, iter([True, True])

    def failing_twice(aws: Aws, parameters: dict[str, Any]) -> Any:
        if next(failing, False):
            raise ReadTimeoutError(endpoint_url="https://dynamodb")
        return by_aws(aws, parameters)

    monkeypatch.setattr(Answers, "batch_get_item", staticmethod(failing_twice))
    assert len(api.recommend()["items"]) == 5
    assert aws.count("batch_get_item") == 3
