"""SQS event sources: queues polled, functions invoked in batches, what failed left for the queue to redrive.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-concepts.html
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import threading
import time
from typing import Any

from moto.awslambda.models import EventSourceMapping, lambda_backends
from moto.sqs import models
from moto.sqs.exceptions import QueueDoesNotExist
from moto.sqs.models import Message, sqs_backends

from localcloud.context import ACCOUNT_ID, CloudContext

SCAN_SECONDS = 0.2
POLL_SECONDS = 1
DEFAULT_BATCH = 10


class _Unused(dict[str, Any]):
    """Keeps moto from delivering messages inside SendMessage: delivery is the pollers' work."""

    def __setitem__(self, key: str, value: Any) -> None:
        """Forget the mapping."""


def install(context: CloudContext) -> None:
    """Poll every enabled mapping's queue."""
    queue: Any = models.Queue
    queue.lambda_event_source_mappings = property(lambda _queue: _Unused(), lambda _queue, _value: None)
    pollers = Pollers()
    threading.Thread(target=pollers.watch, daemon=True, name="event-sources").start()
    context.on_stop(pollers.stop)


class Pollers:
    """One thread a mapping, started and ended as mappings come and go."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._threads: dict[str, threading.Thread] = {}

    def watch(self) -> None:
        """Start a poller for each mapping that has none."""
        while not self._stopped.wait(SCAN_SECONDS):
            for region, backend in list(lambda_backends[ACCOUNT_ID].items()):
                for mapping in list(backend._event_source_mappings.values()):
                    thread = self._threads.get(mapping.uuid)
                    is_queue = ":sqs:" in mapping.event_source_arn
                    if is_queue and _enabled(mapping) and (thread is None or not thread.is_alive()):
                        thread = threading.Thread(target=self._poll, args=(region, mapping), daemon=True)
                        self._threads[mapping.uuid] = thread
                        thread.start()

    def stop(self) -> None:
        """End all polling."""
        self._stopped.set()

    def _poll(self, region: str, mapping: EventSourceMapping) -> None:
        backend: Any = lambda_backends[ACCOUNT_ID][region]
        while (
            not self._stopped.is_set()
            and mapping.uuid in backend._event_source_mappings
            and _enabled(mapping)
        ):
            try:
                messages = _batch(region, mapping)
            except QueueDoesNotExist:
                self._stopped.wait(POLL_SECONDS)
                continue
            if messages:
                _deliver(region, mapping, messages)


def _enabled(mapping: EventSourceMapping) -> bool:
    return str(mapping.enabled).lower() != "false"


def _batch(region: str, mapping: EventSourceMapping) -> list[Message]:
    """Receive one batch: as soon as there are messages, or when the batching window is over."""
    sqs, name = sqs_backends[ACCOUNT_ID][region], mapping.event_source_arn.rsplit(":", 1)[1]
    size = int(mapping.batch_size or DEFAULT_BATCH)
    queue: Any = sqs.get_queue(name)
    visibility = int(queue.visibility_timeout)
    messages: list[Message] = sqs.receive_message(name, size, POLL_SECONDS, visibility, ["All"])
    window_end = time.monotonic() + int(mapping.max_batch_window or 0)
    while messages and len(messages) < size and (left := window_end - time.monotonic()) > 0:
        messages += sqs.receive_message(
            name, size - len(messages), min(POLL_SECONDS, math.ceil(left)), visibility, ["All"]
        )
    return messages


def _deliver(region: str, mapping: EventSourceMapping, messages: list[Message]) -> None:
    """Invoke the function; delete what it handled, leave the rest to become visible again."""
    backend = lambda_backends[ACCOUNT_ID][region]
    records = [_record(message, mapping.event_source_arn, region) for message in messages]
    headers: dict[str, str] = {}
    try:
        function = backend.get_function(mapping.function_arn)
        payload = function.invoke(json.dumps({"Records": records}), {}, headers)
    except Exception:  # noqa: BLE001 - an invocation that cannot start leaves its messages for the queue to redrive
        return
    if "x-amz-function-error" in headers:
        return
    failed = _failed_ids(mapping, payload, messages)
    sqs, name = sqs_backends[ACCOUNT_ID][region], mapping.event_source_arn.rsplit(":", 1)[1]
    for message in messages:
        if message.id not in failed:
            with contextlib.suppress(Exception):
                sqs.delete_message(name, str(message.receipt_handle))


def _failed_ids(mapping: EventSourceMapping, payload: str | bytes, messages: list[Message]) -> set[str]:
    """Return the messages reported as failed; an unreadable report fails the whole batch, as on AWS."""
    if "ReportBatchItemFailures" not in (mapping.function_response_types or []):
        return set()
    everything = {message.id for message in messages}
    report = json.loads(payload or "null")
    if not report or not report.get("batchItemFailures"):
        return set()
    failures = {str(item.get("itemIdentifier")) for item in report["batchItemFailures"]}
    unknown = failures - everything
    return everything if unknown else failures


def _record(message: Message, queue_arn: str, region: str) -> dict[str, Any]:
    body = str(message.body)
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt_handle,
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": str(message.approximate_receive_count),
            "SentTimestamp": str(message.sent_timestamp),
            "SenderId": ACCOUNT_ID,
            "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp),
        },
        "messageAttributes": {
            name: {"stringValue": value.get("string_value"), "dataType": value.get("data_type")}
            for name, value in (message.message_attributes or {}).items()
        },
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    }
