"""What the queue holds is archived and learned, or comes again."""

from __future__ import annotations

import gzip
import json
import sys
from types import ModuleType
from typing import Any

import pytest

from tests.unit.api.conftest import Aws, load


@pytest.fixture
def events(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = load("events")
    monkeypatch.setattr(module, "client", aws.client)
    monkeypatch.setitem(sys.modules, "events_messages", sys.modules["messages"])
    return module


def record(number: int, **body: Any) -> dict[str, Any]:
    message = {
        "kind": "event", "eventId": f"e{number}", "userId": "u", "sessionId": "s", "eventType": "view",
        "itemId": "i", "timestamp": 1_800_000_000, **body,
    }  # fmt: skip
    return {"messageId": f"m{number}", "body": json.dumps(message)}


def failures(module: ModuleType, *records: dict[str, Any]) -> list[str]:
    answer = module.handler({"Records": list(records)}, None)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def archived(aws: Aws) -> list[dict[str, Any]]:
    lines = [line for body in aws.objects.values() for line in gzip.decompress(body).decode().splitlines()]
    return [json.loads(line) for line in lines]


def test_events_are_archived_by_day_and_put_by_session(events: ModuleType, aws: Aws) -> None:
    records = [record(n, sessionId=f"s{n % 2}", recommendationId="RID") for n in range(6)]
    records.append(record(6, timestamp=1_800_000_000 + 86_400))
    assert failures(events, *records) == []
    assert sorted(event["eventId"] for event in archived(aws)) == [f"e{n}" for n in range(7)]
    assert len({key.rsplit("/", 1)[0] for key in aws.objects}) == 2
    put = [parameters for name, parameters in aws.calls if name == "put_events"]
    assert sorted((p["sessionId"], len(p["eventList"])) for p in put) == [("s", 1), ("s0", 3), ("s1", 3)]
    assert put[0]["eventList"][0]["recommendationId"] == "RID"
    assert put[0]["trackingId"] == "tracker"


def test_the_same_events_again_are_the_same_object(events: ModuleType, aws: Aws) -> None:
    failures(events, record(1), record(2))
    failures(events, record(2), record(1))
    assert len(aws.objects) == 1


def test_a_duplicate_in_a_batch_is_archived_once(events: ModuleType, aws: Aws) -> None:
    failures(events, record(1), record(1))
    assert len(archived(aws)) == 1


def test_what_personalize_refuses_comes_again_and_the_rest_does_not(events: ModuleType, aws: Aws) -> None:
    aws.broken = {"put_events"}
    user = {"messageId": "mu", "body": json.dumps({"kind": "user", "userId": "u", "properties": {"A": 1}})}
    assert failures(events, record(1), user) == ["m1"]
    assert aws.count("put_users") == 1


def test_what_is_not_archived_is_not_put(events: ModuleType, aws: Aws) -> None:
    aws.broken = {"put_object"}
    assert failures(events, record(1), record(2)) == ["m1", "m2"]
    assert aws.count("put_events") == 0


@pytest.mark.parametrize(
    "body",
    ["not json", "[]", '{"kind": "joke"}', "{}", '{"kind": []}', '{"kind": "event"}', '{"kind": "user"}'],
)
def test_a_message_of_no_known_kind_goes_to_the_dead_letter_queue(
    events: ModuleType, aws: Aws, body: str
) -> None:
    assert failures(events, {"messageId": "odd", "body": body}, record(1)) == ["odd"]
    assert aws.count("put_events") == 1
