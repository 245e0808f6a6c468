"""Reads the event queue: archives events in the raw bucket, and lets Personalize learn from them.

A message is done when it is archived and Personalize took it. One that is not comes again, and in the end
goes to the dead-letter queue; what succeeded of it may happen again then, which event ids make harmless.
"""

from __future__ import annotations

import os
import time
from typing import Any

import messages
from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from messages import Message
from shared.clients import client

TRACKING_ID_SECONDS = 300.0

logger = Logger()
_tracking_id: tuple[float, str] = (0.0, "")


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take a batch of SQS records; returns those that are to come again."""
    failed: dict[str, str] = {}
    batch = _decoded(event["Records"], failed)
    events = [message for message in batch if message.kind == "event"]
    _archive(events, failed)
    archived = [message for message in events if message.id not in failed]
    if archived:
        _learn(archived, failed)
    for group in messages.parts([message for message in batch if message.kind == "user"]):
        users = messages.put_users(os.environ["USERS_DATASET_ARN"], group)
        _call(client("personalize-events").put_users, users, group, failed)
    for group in messages.parts([message for message in batch if message.kind == "item"]):
        items = messages.put_items(os.environ["ITEMS_DATASET_ARN"], group)
        _call(client("personalize-events").put_items, items, group, failed)
    logger.info("batch", extra={"records": len(event["Records"]), "failed": len(failed)})
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _decoded(records: list[dict[str, Any]], failed: dict[str, str]) -> list[Message]:
    batch = []
    for record in records:
        try:
            batch.append(messages.decoded(record["messageId"], record["body"]))
        except messages.UnreadableError as error:
            _fail(failed, [Message(record["messageId"], {})], error)
    return batch


def _archive(events: list[Message], failed: dict[str, str]) -> None:
    bucket = os.environ["RAW_BUCKET"]
    try:
        for key, content in messages.archives(events).items():
            client("s3").put_object(Bucket=bucket, Key=key, Body=content)
    except (ClientError, BotoCoreError, KeyError) as error:
        _fail(failed, events, error)


def _learn(events: list[Message], failed: dict[str, str]) -> None:
    try:
        tracking_id = _tracking()
    except (ClientError, BotoCoreError) as error:
        _fail(failed, events, error)
        return
    for group in messages.sessions(events):
        _call(client("personalize-events").put_events, messages.put_events(tracking_id, group), group, failed)


def _call(operation: Any, parameters: dict[str, Any], group: list[Message], failed: dict[str, str]) -> None:
    try:
        operation(**parameters)
    except (ClientError, BotoCoreError) as error:
        _fail(failed, group, error)


def _tracking() -> str:
    """Return the tracking id, which changes when an event tracker is made again; read every five minutes."""
    global _tracking_id  # noqa: PLW0603 - a container's cache
    until, value = _tracking_id
    if until < time.monotonic():
        name = os.environ["TRACKING_ID_PARAMETER"]
        value = client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
        _tracking_id = (time.monotonic() + TRACKING_ID_SECONDS, value)
    return value


def _fail(failed: dict[str, str], group: list[Message], error: Exception) -> None:
    """Let messages come again. The error is logged, and none of what the messages say."""
    logger.warning("not done", extra={"messages": len(group), "error": str(error)})
    failed.update({message.id: str(error) for message in group})
