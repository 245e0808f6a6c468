"""Send events to a deployed API while what is behind it fails, and see where they all came to."""

from __future__ import annotations

import gzip
import json
import random
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import urllib3

from benchmarks.api_functions.deployment import Deployed, export_streamed
from ops.errors import OperatorError
from ops.redrive import redrive

# Sent twice, the second time among other events.
DUPLICATED_SHARE = 0.05
FAILING_SHARE = 0.5
EVENTS_IN_A_REQUEST = 100
EVENTS_IN_A_SESSION = 50
CHECK_OUT_EVERY = 20
# The events of this user fail until they are redriven.
UNLUCKY = "unlucky"
UNLUCKY_EVENTS = 50
# localcloud's queue is a list: the sender waits rather than make it long.
MOST_WAITING = 500
SENDERS = 2
ATTEMPTS = 10
LONGEST_SECONDS = 1_800
FIRST_MOMENT = 1_700_000_000
RECIPE, SOURCE = "user-personalization", "personalize"
FOREVER = 10**9

Event = dict[str, Any]
Send = Callable[[list[Event]], object]


@dataclass(frozen=True)
class Delivered:
    """What came of the events, by their ids and in numbers."""

    sent: set[str]
    duplicates: int
    in_personalize: set[str]
    archived: Counter[str]
    archive_objects: int
    differing: int
    dead_letters: int
    left_over: int
    kills: int
    failed_calls: int
    check_outs: int
    counted: float
    seconds: float


def deliver(
    deployed: Deployed, dataset: str, *, send: Send, faults_url: str, events: int, kills: int
) -> Delivered:
    """Send events, redrive those that were given up once nothing fails any more, and find them all."""
    began, sqs = time.monotonic(), deployed.client("sqs")
    queue, dead_letter_queue = (
        deployed.output(name) for name in ("EventQueueUrl", "EventDeadLetterQueueUrl")
    )
    made = _events(events)
    requests = _requests(made)
    _let_calls_fail(faults_url)
    consumer = _consumer(deployed)
    with ThreadPoolExecutor(SENDERS) as pool:
        sending = [pool.submit(_send_when_there_is_room, send, request, sqs, queue) for request in requests]
        for place, sent in enumerate(sending):
            if place % max(1, len(requests) // kills) == 0:
                # Soon enough to meet a batch in its middle.
                _add_fault(faults_url, function=consumer, seconds=0.1 + 0.05 * (place % 4))
            sent.result()
    _wait(sqs, queue, 0)
    happened = _end_faults(faults_url)
    dead_letters = redrive(sqs, dead_letters=dead_letter_queue, queue=queue)
    _wait(sqs, queue, 0)
    archived, differing, objects = _archived(deployed, made)
    by_moment = {event["timestamp"]: event["eventId"] for event in made}
    return Delivered(
        sent=set(by_moment.values()),
        duplicates=sum(map(len, requests)) - len(made),
        in_personalize={
            by_moment[int(row["TIMESTAMP"])]
            for row in export_streamed(deployed, dataset)
            if int(row["TIMESTAMP"]) in by_moment
        },
        archived=archived,
        archive_objects=objects,
        differing=differing,
        dead_letters=dead_letters,
        left_over=_waiting(sqs, queue) + _waiting(sqs, dead_letter_queue),
        kills=happened["function"],
        failed_calls=happened["operation"],
        check_outs=sum(event["eventType"] == "checkout" for event in made),
        counted=_counted(deployed),
        seconds=time.monotonic() - began,
    )


def _events(count: int) -> list[Event]:
    """Return events of which each has a moment of its own, by which it is known in Personalize."""
    run = uuid.uuid4().hex[:8]
    return [
        {
            "eventId": f"{run}-{n}",
            "userId": UNLUCKY if n < UNLUCKY_EVENTS else f"user-{n // EVENTS_IN_A_SESSION % 500}",
            "sessionId": f"session-{n // EVENTS_IN_A_SESSION}",
            "eventType": "checkout" if n % CHECK_OUT_EVERY == 0 else "view",
            "itemId": f"DEL|GOI|train|{n % 200}",
            "timestamp": FIRST_MOMENT + n,
            "recommendationId": f"RID-{n}",
            "attribution": f"{RECIPE}/{SOURCE}",
        }
        for n in range(count)
    ]


def _requests(made: list[Event]) -> list[list[Event]]:
    """Return the events as requests' bodies, and some of them again, anywhere after."""
    chance = random.Random(5)  # noqa: S311 - repeatable duplicates
    requests = list(_parts(made))
    again = chance.sample(made, int(len(made) * DUPLICATED_SHARE))
    for part in _parts(again):
        requests.insert(chance.randint(len(requests) // 2, len(requests)), part)
    return requests


def _parts(events: list[Event]) -> Iterator[list[Event]]:
    for start in range(0, len(events), EVENTS_IN_A_REQUEST):
        yield events[start : start + EVENTS_IN_A_REQUEST]


def _send_when_there_is_room(send: Send, request: list[Event], sqs: Any, queue: str) -> None:
    """Send as a client does: what is not accepted is sent again."""
    _wait(sqs, queue, MOST_WAITING, in_flight=False)
    for attempt in range(ATTEMPTS):
        try:
            send(request)
        except OperatorError:
            time.sleep(0.2 * attempt)
        else:
            return
    raise OperatorError(f"{len(request)} events were not accepted in {ATTEMPTS} attempts")


def _let_calls_fail(faults_url: str) -> None:
    call = {"service": "personalize-events", "operation": "PutEvents", "times": FOREVER}
    _add_fault(faults_url, **call, error="InternalServerException", status=500, match={"userId": UNLUCKY})
    _add_fault(faults_url, **call, throttle=True, share=FAILING_SHARE)


def _add_fault(faults_url: str, **fault: Any) -> None:
    answer = urllib3.request("POST", faults_url, body=json.dumps(fault))
    if answer.status != 201:
        raise OperatorError(f"no fault was set: {answer.data.decode()}")


def _end_faults(faults_url: str) -> Counter[str]:
    """Let nothing fail any more; return how often functions and operations did."""
    happened: Counter[str] = Counter()
    for fault in urllib3.request("GET", faults_url).json()["faults"]:
        happened["function" if "function" in fault else "operation"] += fault["happened"]
    urllib3.request("DELETE", faults_url)
    return happened


def _consumer(deployed: Deployed) -> str:
    """Return the name of the function that reads the event queue."""
    queue = deployed.output("EventQueueUrl").rsplit("/", 1)[1]
    for mapping in deployed.client("lambda").list_event_source_mappings()["EventSourceMappings"]:
        if mapping["EventSourceArn"].endswith(f":{queue}"):
            return str(mapping["FunctionArn"]).rsplit(":", 1)[1]
    raise OperatorError(f"no function reads {queue}")


def _wait(sqs: Any, queue: str, most: int, *, in_flight: bool = True) -> None:
    """Wait until no more messages than `most` are in a queue, those in flight among them or not."""
    until = time.monotonic() + LONGEST_SECONDS
    while (waiting := _waiting(sqs, queue, in_flight=in_flight)) > most:
        if time.monotonic() > until:
            raise OperatorError(f"{waiting} messages still wait in {queue} after {LONGEST_SECONDS} s")
        time.sleep(0.1)


def _waiting(sqs: Any, queue: str, *, in_flight: bool = True) -> int:
    names = ["ApproximateNumberOfMessages", *(["ApproximateNumberOfMessagesNotVisible"] if in_flight else [])]
    found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def _archived(deployed: Deployed, made: list[Event]) -> tuple[Counter[str], int, int]:
    """Return how many lines each event has, how many events have one that was not sent, how many objects."""
    sent = {event["eventId"]: event for event in made}
    found: Counter[str] = Counter()
    differing: set[str] = set()
    objects = 0
    for content in _objects(deployed):
        objects += 1
        for line in gzip.decompress(content).decode().splitlines():
            event = json.loads(line)
            event_id = event["eventId"]
            found[event_id] += 1
            if event_id in sent and event != sent[event_id]:
                differing.add(event_id)
    return found, len(differing), objects


def _objects(deployed: Deployed) -> Iterator[bytes]:
    s3, bucket = deployed.client("s3"), deployed.output("RawBucket")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="clickstream/api/")
    for page in pages:
        for entry in page.get("Contents", []):
            yield s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()


def _counted(deployed: Deployed) -> float:
    """Return how many check-outs the metric has."""
    dimensions = {"EventType": "checkout", "Recipe": RECIPE, "Source": SOURCE, "Variant": "none"}
    now = datetime.now(UTC)
    found = deployed.client("cloudwatch").get_metric_statistics(
        Namespace=deployed.name, MetricName="Events", Statistics=["Sum"], Period=86_400,
        StartTime=now - timedelta(days=1), EndTime=now + timedelta(days=1),
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
    )  # fmt: skip
    return sum(float(point["Sum"]) for point in found["Datapoints"])
