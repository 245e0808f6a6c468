"""The queue that what clients send goes into: accepted means durable."""

from __future__ import annotations

import json
from typing import Any

from shared.clients import client

MOST_SENT = 10
ATTEMPTS = 3


class NotQueuedError(Exception):
    """Some messages could not be made durable; the client is to send them again."""


class EventQueue:
    """Sends messages to the event queue."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = client("sqs")

    def send(self, messages: list[dict[str, Any]]) -> None:
        """Send messages; returns when all are durable. Raises NotQueuedError."""
        for start in range(0, len(messages), MOST_SENT):
            waiting = {
                str(place): {"Id": str(place), "MessageBody": json.dumps(message, separators=(",", ":"))}
                for place, message in enumerate(messages[start : start + MOST_SENT])
            }
            for _ in range(ATTEMPTS):
                answer = self._client.send_message_batch(QueueUrl=self._url, Entries=list(waiting.values()))
                for sent in answer.get("Successful", ()):
                    del waiting[sent["Id"]]
                if not waiting:
                    break
            else:
                raise NotQueuedError(f"{len(waiting)} messages were not accepted by the queue")
