"""Queue messages as Personalize's requests and as raw clickstream lines. Pure: no AWS."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

# What PutEvents, PutUsers and PutItems take in one call.
MOST_IN_A_CALL = 10
# What a message of each kind must have; one without would fail the messages that came with it.
NEEDED = {
    "event": {"eventId", "sessionId", "eventType", "timestamp"},
    "item": {"itemId", "properties"},
    "user": {"userId", "properties"},
}
LATEST_MOMENT = 10**11
ARCHIVED_FIELDS = (
    "eventId", "userId", "sessionId", "eventType", "eventValue", "itemId", "timestamp", "properties",
    "recommendationId", "impression", "attribution",
)  # fmt: skip


@dataclass(frozen=True)
class Message:
    """A message of the queue: its SQS id and its decoded body."""

    id: str
    body: dict[str, Any]

    @property
    def kind(self) -> str:
        """What it is about: `event`, `user` or `item`."""
        return str(self.body.get("kind"))


class UnreadableError(ValueError):
    """A message is none of ours; it ends in the dead-letter queue."""


def decoded(message_id: str, text: str) -> Message:
    """Return a record of the queue as a message. Raises UnreadableError."""
    try:
        body = json.loads(text)
    except ValueError as error:
        raise UnreadableError("it is not JSON") from error
    kind = body.get("kind") if isinstance(body, dict) else None
    if not isinstance(kind, str) or kind not in NEEDED:
        raise UnreadableError(f"its kind is none of {', '.join(NEEDED)}")
    if missing := NEEDED[kind] - body.keys():
        raise UnreadableError(f"it has no {', '.join(sorted(missing))}")
    if kind == "event" and not _is_moment(body["timestamp"]):
        raise UnreadableError("its timestamp is not epoch seconds")
    return Message(message_id, body)


def _is_moment(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < LATEST_MOMENT


def sessions(messages: Iterable[Message]) -> list[list[Message]]:
    """Group events by user and session, which PutEvents takes one of, at most ten in a group."""
    groups: dict[tuple[str | None, str], list[Message]] = {}
    for message in messages:
        groups.setdefault((message.body.get("userId"), message.body["sessionId"]), []).append(message)
    return [part for group in groups.values() for part in parts(group)]


def parts(messages: list[Message]) -> list[list[Message]]:
    """Cut a list into what one call takes."""
    return [messages[start : start + MOST_IN_A_CALL] for start in range(0, len(messages), MOST_IN_A_CALL)]


def put_events(
    tracking_id: str, columns: Sequence[str], name_of: Callable[[str], str], messages: list[Message]
) -> dict[str, Any]:
    """Return PutEvents' parameters for events of one session; `name_of` names users.

    Of properties only those that are `columns` of the interactions go along: others Personalize refuses.
    """
    first = messages[0].body
    request: dict[str, Any] = {
        "trackingId": tracking_id,
        "sessionId": first["sessionId"],
        "eventList": [_event(message.body, columns) for message in messages],
    }
    return {**request, "userId": name_of(first["userId"])} if first.get("userId") else request


def put_users(dataset_arn: str, name_of: Callable[[str], str], messages: list[Message]) -> dict[str, Any]:
    """Return PutUsers' parameters; `name_of` names users."""
    users = [
        {"userId": name_of(m.body["userId"]), "properties": _json(m.body["properties"])} for m in messages
    ]
    return {"datasetArn": dataset_arn, "users": users}


def put_items(dataset_arn: str, messages: list[Message]) -> dict[str, Any]:
    """Return PutItems' parameters."""
    items = [{"itemId": m.body["itemId"], "properties": _json(m.body["properties"])} for m in messages]
    return {"datasetArn": dataset_arn, "items": items}


def archives(messages: Iterable[Message]) -> dict[str, bytes]:
    """Return events as gzipped JSON lines by key, one object a day; only the same lines give the same key.

    An id that another user's event has too is no duplicate: only whole lines are compared here.
    """
    days: dict[str, set[str]] = {}
    for message in messages:
        event = {name: message.body[name] for name in ARCHIVED_FIELDS if name in message.body}
        day = datetime.fromtimestamp(event["timestamp"], tz=UTC).date().isoformat()
        days.setdefault(day, set()).add(_json(event))
    found = {}
    for day, lines in days.items():
        text = "".join(f"{line}\n" for line in sorted(lines)).encode()
        digest = hashlib.sha256(text).hexdigest()[:32]
        found[f"clickstream/api/dt={day}/{digest}.jsonl.gz"] = gzip.compress(text, mtime=0)
    return found


def _event(body: dict[str, Any], columns: Sequence[str]) -> dict[str, Any]:
    event = {
        "eventId": body["eventId"],
        "eventType": body["eventType"],
        "sentAt": datetime.fromtimestamp(body["timestamp"], tz=UTC),
    }
    for name in ("itemId", "eventValue", "recommendationId", "impression"):
        if name in body:
            event[name] = body[name]
    if "attribution" in body:
        event["metricAttribution"] = {"eventAttributionSource": body["attribution"]}
    given = {_plain(name): value for name, value in body.get("properties", {}).items()}
    properties = {_camel(name): given[_plain(name)] for name in columns if _plain(name) in given}
    if properties:
        event["properties"] = _json(properties)
    return event


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _camel(column: str) -> str:
    first, *rest = column.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True)
