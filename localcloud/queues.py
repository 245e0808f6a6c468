"""SQS: moto's queues, which lose messages and slow down when much waits in them, mended."""

from __future__ import annotations

import time
from typing import Any

from moto.sqs import models
from moto.sqs.models import Message

from localcloud.context import CloudContext


def install(context: CloudContext) -> None:  # noqa: ARG001 - every service takes it
    """Mend the queues."""
    _lock_deletions()
    _look_at_one_message_only()
    _read_the_clock_only()


def _lock_deletions() -> None:
    """Let no message sent during a deletion be lost: moto replaces the queue's list in it."""
    queue: Any = models.Queue
    by_moto = queue.delete_message

    def delete_message(self: Any, receipt_handle: str) -> None:
        with self._messages_lock:
            by_moto(self, receipt_handle)

    queue.delete_message = delete_message


def _look_at_one_message_only() -> None:
    """Let receiving take as long as what is received: moto counts the queue's messages for each of them."""
    backend: Any = models.SQSBackend

    def is_kept(self: Any, queue_name: str, message: Message) -> bool:
        kept_seconds = int(self.get_queue(queue_name).message_retention_period)
        return kept_seconds + float(message.sent_timestamp or 0) / 1000 > time.time()

    backend.is_message_valid_based_on_retention_period = is_kept


def _read_the_clock_only() -> None:
    """Look at messages' times without making dates: moto does it for a whole queue in each call."""
    message: Any = models.Message
    message.visible = property(lambda self: time.time() * 1000 > self.visible_at)
    message.delayed = property(lambda self: time.time() * 1000 < self.delayed_until)
