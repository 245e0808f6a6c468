"""SQS: moto's queues, which lose messages and slow down when much waits in them, mended."""

from __future__ import annotations

import time
from typing import Any

from moto.sqs import models
from moto.sqs.models import Message

from localcloud.context import CloudContext


def install(context: CloudContext) -> None:  # noqa: ARG001 - every service takes it
    """Mend the queues."""
    _lock_each_queue()
    _look_at_one_message_only()
    _read_the_clock_only()


def _lock_each_queue() -> None:
    """Let one call at a time change a queue's list: moto replaces it in a deletion, and hands out unlocked.

    The lock is a condition's: a call that waits for messages lets others in.
    """
    queue: Any = models.Queue
    backend: Any = models.SQSBackend
    delete_by_moto, receive_by_moto = queue.delete_message, backend.receive_message

    def delete_message(self: Any, receipt_handle: str) -> None:
        with self._messages_lock:
            delete_by_moto(self, receipt_handle)

    def receive_message(self: Any, queue_name: str, *args: Any, **kwargs: Any) -> list[Message]:
        with self.get_queue(queue_name)._messages_lock:
            messages: list[Message] = receive_by_moto(self, queue_name, *args, **kwargs)
            return messages

    queue.delete_message, backend.receive_message = delete_message, receive_message


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
