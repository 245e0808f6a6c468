"""What PutEvents, PutItems and PutUsers brought since the last training: on disk, and at hand at once."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.personalize.avro import INTERACTIONS, ITEMS, USERS

Record = dict[str, Any]


@dataclass(frozen=True)
class StreamedEvent:
    """An event with an item; `event_type` as given."""

    item_id: str
    timestamp: int
    event_type: str
    event_value: float


class Stream:
    """Records by dataset type, appended to one JSON Lines file each before they count.

    Events without a user id belong to their session; the first event of the session with a user id gives the
    user all of them.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.events: dict[str, list[StreamedEvent]] = defaultdict(list)
        self.items: dict[str, Record] = {}
        self.users: dict[str, Record] = {}
        self._records: dict[str, list[Record]] = {INTERACTIONS: [], ITEMS: [], USERS: []}
        self._anonymous: dict[str, list[Record]] = defaultdict(list)
        self._user_of_session: dict[str, str] = {}
        self._seen: set[str] = set()
        for dataset_type in self._records:
            path = self._path(dataset_type)
            if path.exists():
                for line in path.read_text().splitlines():
                    self._take(dataset_type, json.loads(line))

    def add(self, dataset_type: str, records: list[Record]) -> None:
        """Store records durably; an event that is the same as an earlier one counts once."""
        lines = [json.dumps(record, sort_keys=True) for record in records]
        with self._path(dataset_type).open("a") as file:
            file.writelines(f"{line}\n" for line in lines)
        for record in records:
            self._take(dataset_type, record)

    def pending(self, dataset_type: str) -> list[Record]:
        """Return the records to hand over to the store; not the events of sessions without a user."""
        return self._records[dataset_type]

    def handed_over(self, dataset_type: str) -> None:
        """Forget the records that `pending` gave; anonymous events stay."""
        kept = [event for events in self._anonymous.values() for event in events]
        self.clear(dataset_type)
        if dataset_type == INTERACTIONS and kept:
            self.add(INTERACTIONS, kept)

    def clear(self, dataset_type: str) -> None:
        """Forget all records of a dataset type."""
        self._path(dataset_type).unlink(missing_ok=True)
        self._records[dataset_type] = []
        if dataset_type == INTERACTIONS:
            self.events.clear()
            self._anonymous.clear()
            self._seen.clear()
        elif dataset_type == ITEMS:
            self.items.clear()
        else:
            self.users.clear()

    def forget_users(self, user_ids: set[str]) -> int:
        """Remove users and their events; return the number of users that were there."""
        present = 0
        for dataset_type in (INTERACTIONS, USERS):
            records = self._records[dataset_type]
            kept = [record for record in records if record["USER_ID"] not in user_ids]
            present += len({record["USER_ID"] for record in records} & user_ids)
            anonymous = [event for events in self._anonymous.values() for event in events]
            self.clear(dataset_type)
            self.add(dataset_type, kept + (anonymous if dataset_type == INTERACTIONS else []))
        return present

    def _path(self, dataset_type: str) -> Path:
        return self._folder / f"{dataset_type.lower()}.jsonl"

    def _take(self, dataset_type: str, record: Record) -> None:
        if dataset_type == ITEMS:
            self.items[record["ITEM_ID"]] = record
            self._records[ITEMS].append(record)
        elif dataset_type == USERS:
            self.users[record["USER_ID"]] = record
            self._records[USERS].append(record)
        else:
            self._take_event(record)

    def _take_event(self, record: Record) -> None:
        identity = json.dumps(
            {name: value for name, value in record.items() if name != "EVENT_ID"}, sort_keys=True
        )
        if identity in self._seen:
            return
        self._seen.add(identity)
        session = record["SESSION_ID"]
        user_id = record.get("USER_ID") or self._user_of_session.get(session)
        if user_id is None:
            self._anonymous[session].append(record)
            return
        self._user_of_session[session] = user_id
        for earlier in self._anonymous.pop(session, []):
            self._attribute(earlier, user_id)
        self._attribute(record, user_id)

    def _attribute(self, record: Record, user_id: str) -> None:
        self._records[INTERACTIONS].append({**record, "USER_ID": user_id})
        value = record.get("EVENT_VALUE")
        event = StreamedEvent(
            item_id=record["ITEM_ID"],
            timestamp=record["TIMESTAMP"],
            event_type=record["EVENT_TYPE"],
            event_value=float("nan") if value is None else value,
        )
        self.events[user_id].append(event)
        self.events[user_id].sort(key=lambda one: one.timestamp)
