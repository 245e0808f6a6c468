"""How long a message that failed waits before it comes again: twice as long each time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from shared.clients import client

LONGEST_SECONDS = 900
MOST_IN_A_CALL = 10


def seconds(receives: int, first: int) -> int:
    """Return how long to wait after the n-th receive failed."""
    return int(min(LONGEST_SECONDS, first * 2 ** min(receives - 1, 30)))


def postpone(records: Iterable[dict[str, Any]], failed: Mapping[str, str]) -> None:
    """Let failed records come again after their time, sooner than the queue's own time-out.

    Where SQS does not take it, they come again after that time-out.
    """
    first = int(os.environ["FIRST_RETRY_SECONDS"])
    entries = [
        {
            "Id": str(place),
            "ReceiptHandle": record["receiptHandle"],
            "VisibilityTimeout": seconds(int(record["attributes"]["ApproximateReceiveCount"]), first),
        }
        for place, record in enumerate(records)
        if record["messageId"] in failed
    ]
    for start in range(0, len(entries), MOST_IN_A_CALL):
        try:
            client("sqs").change_message_visibility_batch(
                QueueUrl=os.environ["EVENT_QUEUE_URL"], Entries=entries[start : start + MOST_IN_A_CALL]
            )
        except (ClientError, BotoCoreError):
            return
