"""The Glue catalog as Athena sees it, read and written through moto's Glue."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlparse

import moto.glue.models
from moto.glue.exceptions import (
    AlreadyExistsException,
    DatabaseAlreadyExistsException,
    EntityNotFoundException,
    TableAlreadyExistsException,
)

from localcloud.athena.errors import QueryError
from localcloud.athena.types import duckdb_type
from localcloud.context import ACCOUNT_ID

VIEW_PREFIX = "/* Presto View: "
VIEW_SUFFIX = " */"


@dataclass(frozen=True)
class Column:
    """A column with its Hive type."""

    name: str
    hive: str
    comment: str = ""

    @property
    def duckdb(self) -> str:
        """The DuckDB type."""
        return duckdb_type(self.hive)


@dataclass(frozen=True)
class Partition:
    """A partition: its values in the order of the keys, and where its files are."""

    values: list[str]
    location: str


@dataclass(frozen=True)
class Table:
    """A table or view of the catalog; `definition` is Glue's TableInput."""

    database: str
    name: str
    definition: dict[str, Any]

    @property
    def storage(self) -> dict[str, Any]:
        """Glue's StorageDescriptor."""
        return self.definition.get("StorageDescriptor") or {}

    @property
    def location(self) -> str:
        """Where the table's files are."""
        return str(self.storage.get("Location", ""))

    @property
    def serde(self) -> str:
        """The name of the serialization library."""
        return str((self.storage.get("SerdeInfo") or {}).get("SerializationLibrary", ""))

    @property
    def serde_parameters(self) -> dict[str, str]:
        """The serialization library's parameters."""
        return dict((self.storage.get("SerdeInfo") or {}).get("Parameters") or {})

    @property
    def parameters(self) -> dict[str, str]:
        """The table's properties."""
        return dict(self.definition.get("Parameters") or {})

    @property
    def columns(self) -> list[Column]:
        """The columns stored in the files."""
        return [_column(column) for column in self.storage.get("Columns", [])]

    @property
    def partition_keys(self) -> list[Column]:
        """The columns whose values come from the partition."""
        return [_column(column) for column in self.definition.get("PartitionKeys") or []]

    @property
    def view(self) -> dict[str, Any] | None:
        """What a view is, `originalSql` and the `schema` it was made in; None for a table."""
        text = str(self.definition.get("ViewOriginalText") or "")
        if not text.startswith(VIEW_PREFIX):
            return None
        decoded = base64.b64decode(text.removeprefix(VIEW_PREFIX).removesuffix(VIEW_SUFFIX))
        found: dict[str, Any] = json.loads(decoded)
        return found

    @property
    def view_sql(self) -> str | None:
        """The statement of a view; None for a table."""
        return str(self.view["originalSql"]) if self.view else None


class Catalog:
    """The databases of one region."""

    def __init__(self, region: str) -> None:
        self._glue: Any = moto.glue.models.glue_backends[ACCOUNT_ID][region]

    def databases(self) -> list[str]:
        """Return the databases' names, with `default`, which Athena always shows."""
        return sorted({*self._glue.databases, "default"})

    def has_database(self, name: str) -> bool:
        """Whether the database exists."""
        return name in self.databases()

    def tables(self, database: str) -> list[Table]:
        """Return the tables and views of a database."""
        if database not in self._glue.databases:
            return []
        found = self._glue.databases[database].tables
        return [self._table(database, name, found[name]) for name in sorted(found)]

    def table(self, database: str, name: str) -> Table | None:
        """Return a table or view, None when there is none."""
        if database not in self._glue.databases:
            return None
        found = self._glue.databases[database].tables.get(name)
        return None if found is None else self._table(database, name, found)

    def partitions(self, table: Table) -> list[Partition]:
        """Return the partitions registered in the catalog."""
        stored = self._glue.databases[table.database].tables[table.name].partitions
        return [
            Partition(
                [str(v) for v in p.values],
                str((p.partition_input.get("StorageDescriptor") or {})["Location"]),
            )
            for p in list(stored.values())
        ]

    def create_database(self, name: str, *, if_not_exists: bool, details: dict[str, Any]) -> None:
        """Create a database."""
        try:
            self._glue.create_database(name, {"Name": name, **details}, {})
        except (AlreadyExistsException, DatabaseAlreadyExistsException):
            if not if_not_exists:
                raise QueryError("SCHEMA_ALREADY_EXISTS", f"Database {name} already exists") from None

    def drop_database(self, name: str, *, if_exists: bool, cascade: bool) -> None:
        """Drop a database; one with tables only with `cascade`."""
        if name not in self._glue.databases:
            if if_exists:
                return
            raise QueryError("SCHEMA_NOT_FOUND", f"Database does not exist: {name}")
        if self._glue.databases[name].tables and not cascade:
            raise QueryError("SCHEMA_NOT_EMPTY", f"Database {name} is not empty. One or more tables exist.")
        self._glue.delete_database(name)

    def create_table(self, database: str, definition: dict[str, Any], *, replace: bool = False) -> None:
        """Register a table or view."""
        self._require_database(database)
        name = definition["Name"]
        try:
            self._glue.create_table(database, name, definition)
        except (AlreadyExistsException, TableAlreadyExistsException):
            if not replace:
                raise QueryError(
                    "TABLE_ALREADY_EXISTS", f"Table '{database}.{name}' already exists"
                ) from None
            self._glue.update_table(database, name, definition)

    def update_table(self, table: Table, **changes: Any) -> None:
        """Change parts of a table's definition."""
        self._glue.update_table(table.database, table.name, {**table.definition, **changes})

    def drop_table(self, database: str, name: str) -> None:
        """Remove a table or view from the catalog; its files stay."""
        self._glue.delete_table(database, name)

    def add_partition(self, table: Table, values: list[str], location: str) -> bool:
        """Register a partition; return whether it is new."""
        stored = {**table.storage, "Location": location}
        try:
            self._glue.create_partition(
                table.database, table.name, {"Values": values, "StorageDescriptor": stored}
            )
        except AlreadyExistsException:
            return False
        return True

    def drop_partition(self, table: Table, values: list[str]) -> bool:
        """Remove a partition from the catalog; return whether there was one."""
        try:
            self._glue.delete_partition(table.database, table.name, values)
        except EntityNotFoundException:
            return False
        return True

    def _require_database(self, name: str) -> None:
        if name in self._glue.databases:
            return
        if name != "default":
            raise QueryError("SCHEMA_NOT_FOUND", f"Schema {name} does not exist")
        self._glue.create_database(name, {"Name": name}, {})

    def _table(self, database: str, name: str, stored: Any) -> Table:
        versions = stored.versions
        newest = versions[max(versions, key=int)] if isinstance(versions, dict) else versions[-1]
        return Table(database, name, {**newest, "Name": name})


def view_text(sql: str, database: str, columns: list[Column]) -> str:
    """Return the text under which Athena keeps a view in Glue."""
    view = {
        "originalSql": sql,
        "catalog": "awsdatacatalog",
        "schema": database,
        "columns": [{"name": column.name, "type": column.hive} for column in columns],
    }
    return VIEW_PREFIX + base64.b64encode(json.dumps(view).encode()).decode() + VIEW_SUFFIX


def bucket_and_prefix(location: str) -> tuple[str, str]:
    """Split `s3://bucket/a/b/` into the bucket and `a/b` (no slash at the end)."""
    address = urlparse(location)
    if address.scheme not in {"s3", "s3a", "s3n"} or not address.netloc:
        raise QueryError("HIVE_METASTORE_ERROR", f"location {location!r} is not an s3:// address")
    return address.netloc, address.path.strip("/")


def _column(column: dict[str, Any]) -> Column:
    return Column(column["Name"].lower(), column.get("Type", "string"), column.get("Comment", ""))
