"""The data of one dataset group on disk: Arrow tables as imported and streamed, memory-mapped when read.

A folder holds one Arrow file per dataset type and origin (`bulk` from import jobs, `put` from PutEvents,
PutItems and PutUsers) and `manifest.json`, which names them. Files are never changed, only replaced: a reader
that opened the folder keeps a consistent view while a writer goes on.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from localcloud.personalize.avro import (
    ACTION_INTERACTIONS,
    ACTIONS,
    INTERACTIONS,
    ITEMS,
    USERS,
    DatasetSchema,
    parse_schema,
)
from localcloud.personalize.csv_import import arrow_schema
from localcloud.personalize.interactions import InteractionLog

BULK, PUT = "bulk", "put"
_ID_COLUMN = {ITEMS: "ITEM_ID", USERS: "USER_ID", ACTIONS: "ACTION_ID"}
_MANIFEST = "manifest.json"


class Store:
    """The datasets of one group. Not for use by two writers at once."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        path = folder / _MANIFEST
        self._manifest: dict[str, Any] = (
            json.loads(path.read_text()) if path.exists() else {"next": 0, "schemas": {}, "files": {}}
        )
        self._logs: dict[str, InteractionLog] = {}

    def import_table(self, dataset_type: str, schema_text: str, table: pa.Table, mode: str) -> None:
        """Take in rows that fit the schema; FULL replaces what earlier imports brought."""
        self._manifest["schemas"][dataset_type] = schema_text
        if mode == "INCREMENTAL":
            table = self._joined(dataset_type, [self._read(dataset_type, BULK), table])
        self._write(dataset_type, BULK, self._joined(dataset_type, [table]))

    def append(self, dataset_type: str, schema_text: str, records: Sequence[dict[str, Any]]) -> None:
        """Add streamed records, by column name; columns that a record lacks are null."""
        schema = parse_schema(schema_text)
        self._manifest["schemas"][dataset_type] = schema_text
        rows = [{column.name: record.get(column.name) for column in schema.columns} for record in records]
        new = pa.Table.from_pylist(rows, schema=arrow_schema(schema))
        self._write(dataset_type, PUT, self._joined(dataset_type, [self._read(dataset_type, PUT), new]))

    def table(self, dataset_type: str, origins: Collection[str] = (BULK, PUT)) -> pa.Table | None:
        """Return the rows of a dataset, None when it never had any; of items and users the last ones."""
        tables = [self._read(dataset_type, origin) for origin in (BULK, PUT) if origin in origins]
        present = [table for table in tables if table is not None]
        return self._joined(dataset_type, present) if present else None

    def schema(self, dataset_type: str) -> DatasetSchema | None:
        """Return the schema of the rows, None when there never were any."""
        text = self._manifest["schemas"].get(dataset_type)
        return parse_schema(text) if text else None

    @property
    def log(self) -> InteractionLog:
        """All interactions, grouped by user in time order."""
        if INTERACTIONS not in self._logs:
            self._logs[INTERACTIONS] = InteractionLog.from_table(self.table(INTERACTIONS))
        return self._logs[INTERACTIONS]

    @property
    def action_log(self) -> InteractionLog:
        """All action interactions, grouped by user in time order; the actions are its items."""
        if ACTION_INTERACTIONS not in self._logs:
            table = self.table(ACTION_INTERACTIONS)
            if table is not None:
                names = ["ITEM_ID" if name == "ACTION_ID" else name for name in table.column_names]
                table = table.rename_columns(names)
            self._logs[ACTION_INTERACTIONS] = InteractionLog.from_table(table)
        return self._logs[ACTION_INTERACTIONS]

    def clear(self, dataset_type: str) -> None:
        """Remove all rows of a dataset."""
        self._manifest["schemas"].pop(dataset_type, None)
        for origin in (BULK, PUT):
            self._replace(dataset_type, origin, None)

    def delete_users(self, user_ids: Collection[str]) -> int:
        """Remove users and their interactions; return the number of users that were there."""
        present: set[str] = set()
        doomed = pa.array(sorted(user_ids), type=pa.string())
        for dataset_type in (USERS, INTERACTIONS, ACTION_INTERACTIONS):
            for origin in (BULK, PUT):
                table = self._read(dataset_type, origin)
                if table is not None:
                    hit = pc.is_in(table["USER_ID"], value_set=doomed)
                    present.update(table["USER_ID"].filter(hit).unique().to_pylist())
                    self._write(dataset_type, origin, table.filter(pc.invert(hit)))
        return len(present)

    def _joined(self, dataset_type: str, tables: Sequence[pa.Table | None]) -> pa.Table:
        """Put tables one after the other in the columns of the latest schema."""
        schema = arrow_schema(parse_schema(self._manifest["schemas"][dataset_type]))
        fitted = [_fit(table, schema) for table in tables if table is not None]
        joined = pa.concat_tables(fitted)
        id_column = _ID_COLUMN.get(dataset_type)
        return _last_of_each(joined, id_column) if id_column else joined

    def _read(self, dataset_type: str, origin: str) -> pa.Table | None:
        name = self._manifest["files"].get(f"{dataset_type}.{origin}")
        if name is None:
            return None
        with pa.memory_map(str(self._folder / name)) as source:
            return pa.ipc.open_file(source).read_all()

    def _write(self, dataset_type: str, origin: str, table: pa.Table) -> None:
        name = f"{dataset_type.lower()}.{origin}.{self._manifest['next']}.arrow"
        with pa.OSFile(str(self._folder / name), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        self._replace(dataset_type, origin, name)

    def _replace(self, dataset_type: str, origin: str, name: str | None) -> None:
        key = f"{dataset_type}.{origin}"
        old = self._manifest["files"].pop(key, None)
        if name is not None:
            self._manifest["files"][key] = name
        self._manifest["next"] += 1
        draft = self._folder / f"{_MANIFEST}.draft"
        draft.write_text(json.dumps(self._manifest))
        draft.replace(self._folder / _MANIFEST)
        if old is not None:
            (self._folder / old).unlink(missing_ok=True)
        self._logs.pop(dataset_type, None)


def _fit(table: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = [
        table[field.name].cast(field.type)
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _last_of_each(table: pa.Table, id_column: str) -> pa.Table:
    """Keep the last row of each id, in the order of those rows."""
    positions = pa.table(
        {"id": table[id_column], "position": pa.array(range(table.num_rows), type=pa.int64())}
    )
    last = positions.group_by("id").aggregate([("position", "max")])["position_max"]
    if len(last) == table.num_rows:
        return table
    return table.take(last.take(pc.sort_indices(last)))
