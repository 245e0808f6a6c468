"""The data of a dataset group: what was imported (the store) and streamed since (the stream), as one."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa

from localcloud.personalize.avro import ACTION_INTERACTIONS, ACTIONS, INTERACTIONS, ITEMS, USERS
from localcloud.personalize.history import History
from localcloud.personalize.store import BULK, PUT, Store
from localcloud.personalize.stream import Stream


class GroupData:
    """The users, items and interactions of one dataset group.

    `version` grows with every change of items or bulk data: then what a reader derived is stale.
    """

    def __init__(self, folder: Path) -> None:
        self.store_folder = folder / "store"
        self._lock = threading.RLock()
        self._store = Store(self.store_folder)
        self._stream = Stream(folder / "stream")
        self._user_rows: dict[str, dict[str, Any]] | None = None
        self.version = 0

    def import_table(self, dataset_type: str, schema_text: str, table: pa.Table, mode: str) -> None:
        """Take in imported rows."""
        with self._lock:
            self._store.import_table(dataset_type, schema_text, table, mode)
            self._changed(dataset_type)
            if dataset_type == INTERACTIONS:
                # Sorted now, so that the first request after the import does not wait for it.
                _ = self._store.log.user_index

    def put(self, dataset_type: str, records: list[dict[str, Any]]) -> None:
        """Take in streamed records, durably."""
        with self._lock:
            self._stream.add(dataset_type, records)
            if dataset_type in {ITEMS, ACTIONS}:
                self.version += 1

    def fold_in(self, schema_texts: dict[str, str]) -> None:
        """Move what was streamed so far into the store, for a training or an export."""
        with self._lock:
            for dataset_type, schema_text in schema_texts.items():
                records = self._stream.pending(dataset_type)
                if records:
                    self._store.append(dataset_type, schema_text, records)
                    self._stream.handed_over(dataset_type)
                    self._changed(dataset_type)

    def history(self, user_id: str) -> History:
        """Return all interactions of a user, the streamed ones included, oldest first.

        The id may be that of a session whose user is not known yet.
        """
        with self._lock:
            log = self._store.log
            return History.of(log, log.rows_of(user_id), self._stream.events().of(user_id))

    def action_history(self, user_id: str) -> History:
        """Return all action interactions of a user, or of a session, oldest first; its items are actions."""
        with self._lock:
            log = self._store.action_log
            streamed = self._stream.events(ACTION_INTERACTIONS).of(user_id)
            return History.of(log, log.rows_of(user_id), streamed)

    def user_ids(self) -> list[str]:
        """Return all users with interactions."""
        with self._lock:
            known = self._store.log.user_index
            return [*known, *(user_id for user_id in self._stream.events().by_user if user_id not in known)]

    def user(self, user_id: str) -> dict[str, Any]:
        """Return the attributes of a user by column name, empty when there are none."""
        with self._lock:
            streamed = self._stream.latest(USERS)
            if user_id in streamed:
                return streamed[user_id]
            if self._user_rows is None:
                table = self._store.table(USERS)
                rows = table.to_pylist() if table is not None else []
                self._user_rows = {row["USER_ID"]: row for row in rows}
            return self._user_rows.get(user_id, {})

    def items(self) -> dict[str, dict[str, Any]]:
        """Return the attributes of all items, by item id and column name."""
        return self._attributes(ITEMS, "ITEM_ID")

    def actions(self) -> dict[str, dict[str, Any]]:
        """Return the attributes of all actions, by action id and column name."""
        return self._attributes(ACTIONS, "ACTION_ID")

    def _attributes(self, dataset_type: str, id_column: str) -> dict[str, dict[str, Any]]:
        with self._lock:
            table = self._store.table(dataset_type)
            rows = {row[id_column]: row for row in table.to_pylist()} if table is not None else {}
            return rows | self._stream.latest(dataset_type)

    def table(self, dataset_type: str, ingestion_mode: str) -> pa.Table | None:
        """Return rows for an export: BULK, PUT or ALL."""
        origins = {"BULK": (BULK,), "PUT": (PUT,), "ALL": (BULK, PUT)}[ingestion_mode]
        with self._lock:
            return self._store.table(dataset_type, origins)

    def delete_users(self, user_ids: set[str]) -> int:
        """Remove users and all that they did; return the number of users that were there."""
        with self._lock:
            removed = self._stream.forget_users(user_ids)
            removed = max(removed, self._store.delete_users(user_ids))
            self._changed(INTERACTIONS)
            self._changed(USERS)
            return removed

    def clear(self, dataset_type: str) -> None:
        """Remove all rows of a dataset."""
        with self._lock:
            self._store.clear(dataset_type)
            self._stream.clear(dataset_type)
            self._changed(dataset_type)

    def _changed(self, dataset_type: str) -> None:
        self.version += 1
        if dataset_type == USERS:
            self._user_rows = None


class DataFolder:
    """The data of all dataset groups of a region."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._groups: dict[str, GroupData] = {}

    def of(self, group_arn: str) -> GroupData:
        """Return the data of a dataset group."""
        with self._lock:
            if group_arn not in self._groups:
                self._groups[group_arn] = GroupData(self._folder / _name(group_arn))
            return self._groups[group_arn]

    def drop(self, group_arn: str) -> None:
        """Remove the data of a dataset group."""
        with self._lock:
            self._groups.pop(group_arn, None)
            shutil.rmtree(self._folder / _name(group_arn), ignore_errors=True)


def _name(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]
