"""What the Put operations brought since the last training: on disk, and at hand at once."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.personalize.avro import ACTION_INTERACTIONS, ACTIONS, INTERACTIONS, ITEMS, USERS

Record = dict[str, Any]

_ID_COLUMN = {ITEMS: "ITEM_ID", USERS: "USER_ID", ACTIONS: "ACTION_ID"}
_SUBJECT = {INTERACTIONS: "ITEM_ID", ACTION_INTERACTIONS: "ACTION_ID"}


@dataclass(frozen=True)
class StreamedEvent:
    """An event with an item, or with an action; `event_type` as given."""

    item_id: str
    timestamp: int
    event_type: str
    event_value: float


class EventLog:
    """Events of one kind: of users, and of sessions whose user is not known yet.

    Events without a user id belong to their session; the first event of the session with a user id gives the
    user all of them. An event that is the same as an earlier one, or has its EVENT_ID, counts once.
    """

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self.records: list[Record] = []
        self.by_user: dict[str, list[StreamedEvent]] = defaultdict(list)
        self._anonymous: dict[str, list[Record]] = defaultdict(list)
        self._user_of_session: dict[str, str] = {}
        self._seen: set[str] = set()

    def of(self, user_id: str) -> list[StreamedEvent]:
        """Return the events of a user, or of a session whose user is not known yet; oldest first."""
        known = self.by_user.get(user_id)
        if known is None:
            known = [self._event(record) for record in self._anonymous.get(user_id, [])]
            known.sort(key=lambda event: event.timestamp)
        return known

    def anonymous(self) -> list[Record]:
        """Return the events of sessions without a user."""
        return [record for records in self._anonymous.values() for record in records]

    def clear(self) -> None:
        """Forget all events, but not whose the sessions are."""
        self.records = []
        self.by_user.clear()
        self._anonymous.clear()
        self._seen.clear()

    def take(self, record: Record) -> None:
        """Add an event."""
        if self._is_known(record):
            return
        session = record["SESSION_ID"]
        user_id = record.get("USER_ID") or self._user_of_session.get(session)
        if user_id is None:
            self._anonymous[session].append(record)
            return
        self._user_of_session[session] = user_id
        for earlier in self._anonymous.pop(session, []):
            self._attribute(earlier, user_id)
        self._attribute(record, user_id)

    def _is_known(self, record: Record) -> bool:
        content = {name: value for name, value in record.items() if name != "EVENT_ID"}
        marks = {json.dumps(content, sort_keys=True)}
        if record.get("EVENT_ID"):
            marks.add(f"id {record['EVENT_ID']}")
        known = bool(marks & self._seen)
        self._seen |= marks
        return known

    def _attribute(self, record: Record, user_id: str) -> None:
        self.records.append({**record, "USER_ID": user_id})
        self.by_user[user_id].append(self._event(record))
        self.by_user[user_id].sort(key=lambda event: event.timestamp)

    def _event(self, record: Record) -> StreamedEvent:
        value = record.get("EVENT_VALUE")
        return StreamedEvent(
            item_id=record[self._subject],
            timestamp=record["TIMESTAMP"],
            event_type=record["EVENT_TYPE"],
            event_value=float("nan") if value is None else value,
        )


class Stream:
    """Records by dataset type, appended to one JSON Lines file each before they count."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._logs = {dataset_type: EventLog(subject) for dataset_type, subject in _SUBJECT.items()}
        self._rows: dict[str, list[Record]] = {dataset_type: [] for dataset_type in _ID_COLUMN}
        self._latest: dict[str, dict[str, Record]] = {dataset_type: {} for dataset_type in _ID_COLUMN}
        for dataset_type in (*_SUBJECT, *_ID_COLUMN):
            path = self._path(dataset_type)
            if path.exists():
                _drop_torn_line(path)
                self._take(dataset_type, (json.loads(line) for line in path.read_text().splitlines()))

    def add(self, dataset_type: str, records: list[Record]) -> None:
        """Store records durably."""
        lines = [json.dumps(record, sort_keys=True) for record in records]
        with self._path(dataset_type).open("a") as file:
            file.writelines(f"{line}\n" for line in lines)
        self._take(dataset_type, records)

    def events(self, dataset_type: str = INTERACTIONS) -> EventLog:
        """Return the events of the interactions or the action interactions."""
        return self._logs[dataset_type]

    def latest(self, dataset_type: str) -> dict[str, Record]:
        """Return the newest record of each user, item or action, by id."""
        return self._latest[dataset_type]

    def pending(self, dataset_type: str) -> list[Record]:
        """Return the records to hand over to the store; not the events of sessions without a user."""
        return self._logs[dataset_type].records if dataset_type in _SUBJECT else self._rows[dataset_type]

    def handed_over(self, dataset_type: str) -> None:
        """Forget the records that `pending` gave; anonymous events stay."""
        kept = self._logs[dataset_type].anonymous() if dataset_type in _SUBJECT else []
        self.clear(dataset_type)
        if kept:
            self.add(dataset_type, kept)

    def clear(self, dataset_type: str) -> None:
        """Forget all records of a dataset type."""
        self._path(dataset_type).unlink(missing_ok=True)
        if dataset_type in _SUBJECT:
            self._logs[dataset_type].clear()
        else:
            self._rows[dataset_type] = []
            self._latest[dataset_type].clear()

    def forget_users(self, user_ids: set[str]) -> int:
        """Remove users and their events; return the number of users that were there."""
        present: set[str] = set()
        for dataset_type in (USERS, *_SUBJECT):
            records = self.pending(dataset_type)
            present |= {record["USER_ID"] for record in records} & user_ids
            kept = [record for record in records if record["USER_ID"] not in user_ids]
            if dataset_type in _SUBJECT:
                kept += self._logs[dataset_type].anonymous()
            self.clear(dataset_type)
            self.add(dataset_type, kept)
        return len(present)

    def _path(self, dataset_type: str) -> Path:
        return self._folder / f"{dataset_type.lower()}.jsonl"

    def _take(self, dataset_type: str, records: Iterable[Record]) -> None:
        for record in records:
            if dataset_type in _SUBJECT:
                self._logs[dataset_type].take(record)
            else:
                self._latest[dataset_type][record[_ID_COLUMN[dataset_type]]] = record
                self._rows[dataset_type].append(record)


def _drop_torn_line(path: Path) -> None:
    """Cut off a last line without its end: localcloud was killed while it wrote, before it answered."""
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with path.open("r+b") as file:
            file.truncate(whole)
