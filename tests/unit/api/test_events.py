"""What the queue holds is archived and learned, or comes again."""

from __future__ import annotations

import gzip
import json
import sys
from collections import Counter
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.api.conftest import Answers, Aws, load


@pytest.fixture
def events(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = load("events")
    for name in ("check_outs", "delivery", "waiting"):
        monkeypatch.setattr(sys.modules[name], "client", aws.client)
    monkeypatch.setattr(sys.modules["delivery"], "PAUSE_SECONDS", 0)
    monkeypatch.setattr(module, "client", aws.client)
    return module


class Context:
    """An invocation's context; time passes by calls."""

    def __init__(self, seconds: float = 60, seconds_a_look: float = 0) -> None:
        self._seconds, self._a_look = seconds, seconds_a_look

    def get_remaining_time_in_millis(self) -> int:
        self._seconds -= self._a_look
        return int(self._seconds * 1000)


def record(number: int, **body: Any) -> dict[str, Any]:
    message = {
        "kind": "event", "eventId": f"e{number}", "userId": "u", "sessionId": "s", "eventType": "view",
        "itemId": "i", "timestamp": 1_800_000_000, **body,
    }  # fmt: skip
    return sqs_record(f"m{number}", json.dumps(message))


def sqs_record(message_id: str, body: str, receives: int = 1) -> dict[str, Any]:
    return {
        "messageId": message_id,
        "receiptHandle": f"handle of {message_id}",
        "attributes": {"ApproximateReceiveCount": str(receives)},
        "body": body,
    }


def failures(module: ModuleType, *records: dict[str, Any], context: Context | None = None) -> list[str]:
    answer = module.handler({"Records": list(records)}, context or Context())
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


@pytest.mark.parametrize("batches", [[[1], [2]], [[1, 2]]])
def test_an_id_used_again_leaves_what_was_archived_under_it(
    events: ModuleType, aws: Aws, batches: list[list[int]]
) -> None:
    for batch in batches:
        failures(events, *(record(n, eventId="1", userId=f"u{n}") for n in batch))
    assert sorted(event["userId"] for event in archived(aws)) == ["u1", "u2"]


def test_a_duplicate_in_a_batch_is_archived_once(events: ModuleType, aws: Aws) -> None:
    failures(events, record(1), record(1))
    assert len(archived(aws)) == 1


def test_what_personalize_refuses_comes_again_and_the_rest_does_not(events: ModuleType, aws: Aws) -> None:
    aws.broken = {"put_events"}
    user = sqs_record("mu", json.dumps({"kind": "user", "userId": "u", "properties": {"A": 1}}))
    assert failures(events, record(1), user) == ["m1"]
    assert aws.count("put_users") == 1


def test_what_is_not_archived_is_not_put(events: ModuleType, aws: Aws) -> None:
    aws.broken = {"put_object"}
    assert failures(events, record(1), record(2)) == ["m1", "m2"]
    assert aws.count("put_events") == 0


@pytest.mark.parametrize(
    "body",
    [
        "not json",
        "[]",
        '{"kind": "joke"}',
        "{}",
        '{"kind": []}',
        '{"kind": "event"}',
        '{"kind": "user"}',
        '{"kind": "event", "eventId": "e", "sessionId": "s", "eventType": "v", "timestamp": "now"}',
        '{"kind": "event", "eventId": "e", "sessionId": "s", "eventType": "v", "timestamp": 1e300}',
    ],
)
def test_a_message_of_no_known_kind_goes_to_the_dead_letter_queue(
    events: ModuleType, aws: Aws, body: str
) -> None:
    assert failures(events, sqs_record("odd", body), record(1)) == ["odd"]
    assert aws.count("put_events") == 1


def test_one_refused_event_fails_alone(events: ModuleType, aws: Aws) -> None:
    aws.refused = {"e3"}
    assert failures(events, *(record(n) for n in range(6))) == ["m3"]
    put = [p["eventList"] for name, p in aws.calls if name == "put_events"]
    assert {event["eventId"] for group in put for event in group} == {f"e{n}" for n in range(6)}


def test_a_call_that_fails_once_is_tried_again_at_once(
    events: ModuleType, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "PutEvents")])

    def throttled_once(_aws: Aws, _parameters: Any) -> Any:
        for error in answers:
            raise error
        return {}

    monkeypatch.setattr(Answers, "put_events", staticmethod(throttled_once))
    assert failures(events, record(1)) == []
    assert aws.count("put_events") == 2


def test_what_there_is_no_time_for_comes_again(events: ModuleType, aws: Aws) -> None:
    records = [record(n, sessionId=f"s{n}") for n in range(6)]
    assert failures(events, *records, context=Context(seconds=38, seconds_a_look=8)) == ["m4", "m5"]
    assert aws.count("put_events") == 4


def test_what_failed_waits_twice_as_long_each_time(events: ModuleType, aws: Aws) -> None:
    records = [sqs_record(f"odd{n}", "x", receives=n) for n in (1, 2, 5, 20)]
    assert len(failures(events, *records, record(1))) == 4
    (entries,) = [p["Entries"] for name, p in aws.calls if name == "change_message_visibility_batch"]
    assert [entry["VisibilityTimeout"] for entry in entries] == [5, 10, 80, 900]
    assert entries[0]["ReceiptHandle"] == "handle of odd1"


def test_personalize_gets_the_columns_it_knows_and_the_origin_of_an_event(
    events: ModuleType, aws: Aws
) -> None:
    properties = {"price_band": "under-1000", "SOURCE": "ios", "origin": "DEL"}
    origin = {"recommendationId": "RID", "impression": ["a", "b"]}
    attribution = "user-personalization/personalize"
    failures(events, record(1, properties=properties, attribution=attribution, **origin))
    (put,) = [p["eventList"][0] for name, p in aws.calls if name == "put_events"]
    assert json.loads(put["properties"]) == {"priceBand": "under-1000", "source": "ios"}
    assert put["metricAttribution"] == {"eventAttributionSource": attribution}
    assert {name: put[name] for name in origin} == origin
    assert archived(aws)[0]["properties"] == properties


def metrics(log: pytest.LogCaptureFixture) -> Counter[tuple[str, ...]]:
    """What CloudWatch makes of the logged lines: counts by type, recipe, source and variant."""
    found: Counter[tuple[str, ...]] = Counter()
    for record in log.records:
        if line := vars(record).get("_aws"):
            (directive,) = line["CloudWatchMetrics"]
            assert directive["Namespace"] == "travel"
            assert [metric["Name"] for metric in directive["Metrics"]] == ["Events"]
            assert directive["Dimensions"] == [["EventType", "Recipe", "Source", "Variant"]]
            found[tuple(vars(record)[name] for name in directive["Dimensions"][0])] += vars(record)["Events"]
    return found


def test_a_check_out_counts_once_for_what_had_recommended_it(
    events: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    by = "user-personalization/personalize/treatment"
    batch = [
        record(1, eventType="checkout", attribution=by),
        record(2, eventType="checkout", attribution=by),
        record(3, eventType="purchase", attribution="sims/popular"),
        record(4, eventType="checkout"),
        record(5, eventType="checkout", attribution="my/own/metric"),
        record(6, eventType="view", attribution=by),
    ]
    failures(events, *batch, record(1, eventType="checkout", attribution=by))
    failures(events, *batch[:3])
    assert metrics(caplog) == {
        ("checkout", "user-personalization", "personalize", "treatment"): 2,
        ("purchase", "sims", "popular", "none"): 1,
        ("checkout", "none", "none", "none"): 1,
        ("checkout", "unknown", "unknown", "none"): 1,
    }


def test_a_check_out_that_fails_counts_when_it_comes_again(
    events: ModuleType, aws: Aws, caplog: pytest.LogCaptureFixture
) -> None:
    for broken in ("put_events", "put_object", "put_item"):
        aws.broken = {broken}
        assert failures(events, record(1, eventType="checkout")) == ["m1"]
    assert not metrics(caplog)
    aws.broken = set()
    assert failures(events, record(1, eventType="checkout")) == []
    assert metrics(caplog).total() == 1
