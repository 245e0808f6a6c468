"""Counts what users bought by what had been recommended to them: each event once, however often it comes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator

from botocore.exceptions import BotoCoreError, ClientError
from messages import Message
from shared.attribution import dimensions
from shared.clients import client
from shared.error_code import error_code

# An event that comes again later than this is counted again: longer than the queues keep it.
KEPT_SECONDS = 20 * 24 * 3600
ALREADY = "ConditionalCheckFailedException"


def new(events: Iterable[Message], failed: dict[str, str]) -> Iterator[dict[str, str]]:
    """Yield EventType, Recipe, Source and Variant of each event that was not counted before.

    Each is yielded as soon as it is remembered: what a function that is stopped between the two loses is one
    event. What can't be remembered as counted is not counted, and comes again.
    """
    types = os.environ["COUNTED_EVENT_TYPES"].split(",")
    recipes = os.environ["RECIPES"].split(",")
    for event in events:
        if event.body["eventType"] not in types:
            continue
        try:
            is_new = _remember(event.body["eventId"])
        except (ClientError, BotoCoreError) as error:
            failed[event.id] = f"not counted: {error_code(error)}"
            continue
        if is_new:
            yield {"EventType": event.body["eventType"], **dimensions(event.body.get("attribution"), recipes)}


def _remember(event_id: str) -> bool:
    """Say whether the event was not counted before; from now on it was."""
    item = {"event_id": {"S": event_id}, "expires_at": {"N": str(int(time.time()) + KEPT_SECONDS)}}
    try:
        client("dynamodb").put_item(
            TableName=os.environ["COUNTED_TABLE"],
            Item=item,
            ConditionExpression="attribute_not_exists(event_id)",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == ALREADY:
            return False
        raise
    return True
