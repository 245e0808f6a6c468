"""Reads the event queue: archives events in the raw bucket, and lets Personalize learn from them.

A message is done when it is archived and Personalize took it. One that is not comes again, and in the end
goes to the dead-letter queue; what succeeded of it may happen again then, which event ids make harmless.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import check_outs
import messages
import waiting
from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from delivery import Delivery
from messages import Message
from shared.clients import client
from shared.error_code import error_code
from shared.metric_line import counted
from shared.user_names import UserNames

TRACKING_ID_SECONDS = 300.0

logger = Logger()
_tracking_id: tuple[float, str] = (0.0, "")
_user_names = UserNames(os.environ["PSEUDONYM_KEY_SECRET_ARN"])


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take a batch of SQS records; returns those that are to come again."""
    failed: dict[str, str] = {}
    batch = _decoded(event["Records"], failed)
    delivery = Delivery(failed, _seconds_left(context))
    events = [message for message in batch if message.kind == "event"]
    _archive(events, failed)
    _read_key([message for message in batch if message.kind != "item"], failed)
    _learn([message for message in events if message.id not in failed], delivery, failed)
    for kind, operation, request in (
        ("user", "put_users", partial(messages.put_users, os.environ["USERS_DATASET_ARN"], _user_names.of)),
        ("item", "put_items", partial(messages.put_items, os.environ["ITEMS_DATASET_ARN"])),
    ):
        of_kind = [message for message in batch if message.kind == kind and message.id not in failed]
        for group in messages.parts(of_kind):
            delivery.send(operation, group, request)
    _count([message for message in events if message.id not in failed], failed)
    waiting.postpone(event["Records"], failed)
    # Reasons are error codes: a message of AWS may quote what was sent.
    reasons = dict(Counter(failed.values()))
    logger.info("batch", extra={"records": len(event["Records"]), "failed": len(failed), "reasons": reasons})
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _seconds_left(context: Any) -> Callable[[], float]:
    return lambda: float(context.get_remaining_time_in_millis()) / 1000


def _decoded(records: list[dict[str, Any]], failed: dict[str, str]) -> list[Message]:
    batch = []
    for record in records:
        try:
            batch.append(messages.decoded(record["messageId"], record["body"]))
        except messages.UnreadableError as error:
            failed[record["messageId"]] = str(error)
    return batch


def _archive(events: list[Message], failed: dict[str, str]) -> None:
    bucket = os.environ["RAW_BUCKET"]
    try:
        for key, content in messages.archives(events).items():
            client("s3").put_object(Bucket=bucket, Key=key, Body=content)
    except (ClientError, BotoCoreError) as error:
        failed.update({message.id: f"not archived: {error_code(error)}" for message in events})


def _read_key(about_users: list[Message], failed: dict[str, str]) -> None:
    """Read the key of the pseudonyms, once; without it nothing about users may go to Personalize."""
    if _user_names.is_ready or not about_users:
        return
    try:
        _user_names.read(client("secretsmanager"))
    except (ClientError, BotoCoreError) as error:
        failed.update({message.id: f"no pseudonym: {error_code(error)}" for message in about_users})


def _learn(events: list[Message], delivery: Delivery, failed: dict[str, str]) -> None:
    if not events:
        return
    try:
        tracking_id = _tracking()
    except (ClientError, BotoCoreError) as error:
        failed.update({message.id: f"no tracking id: {error_code(error)}" for message in events})
        return
    columns = [name for name in os.environ["INTERACTION_COLUMNS"].split(",") if name]
    for group in messages.sessions(events):
        delivery.send("put_events", group, partial(messages.put_events, tracking_id, columns, _user_names.of))
    if delivery.refused:
        _forget_tracking()


def _count(events: list[Message], failed: dict[str, str]) -> None:
    """Publish the check-outs as metrics, each in a log line of its own."""
    for dimensions in check_outs.new(events, failed):
        logger.info("counted", extra=counted("Events", 1, dimensions))


def _tracking() -> str:
    """Return the tracking id, which changes when an event tracker is made again; read every five minutes."""
    global _tracking_id  # noqa: PLW0603 - a container's cache
    until, value = _tracking_id
    if until < time.monotonic():
        name = os.environ["TRACKING_ID_PARAMETER"]
        value = client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
        _tracking_id = (time.monotonic() + TRACKING_ID_SECONDS, value)
    return value


def _forget_tracking() -> None:
    """Read the tracking id anew next time: a refusal may be of a tracker that is no more."""
    global _tracking_id  # noqa: PLW0603 - a container's cache
    _tracking_id = (0.0, "")
