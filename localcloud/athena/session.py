"""One statement's DuckDB: the catalog's tables as views, limits on memory, and a count of the bytes read."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import duckdb
from sqlglot import exp

from localcloud.athena.catalog import Catalog
from localcloud.athena.errors import QueryCancelledError, QueryError, find_name, from_duckdb
from localcloud.athena.functions import define
from localcloud.athena.parsing import parse
from localcloud.athena.projection import injected_columns, is_projected
from localcloud.athena.statements import Query, TableName
from localcloud.athena.tables import table_scan
from localcloud.athena.translate import to_duckdb
from localcloud.athena.types import quoted
from localcloud.s3 import ObjectTree

MEMORY_SHARE = 0.25
DEEPEST_VIEW = 10


class Session:
    """Runs the queries of one statement; `sql` is its text, for error messages."""

    def __init__(self, catalog: Catalog, tree: ObjectTree, folder: Path, database: str, sql: str) -> None:
        self.catalog = catalog
        self.tree = tree
        self.folder = folder
        self.database = database
        self.sql = sql
        self.bytes_scanned = 0
        self.connection = duckdb.connect(":memory:", config=_limits(folder))
        self._profile = folder / "profile.json"
        self._made: set[TableName] = set()
        self._macros: set[str] = set()
        self._cancelled: str | None = None
        for setting in (
            # It turns a TRY_CAST of a text field into a cast that fails (DuckDB 2.0.0).
            "disabled_optimizers = 'type_pushdown'",
            "TimeZone = 'UTC'",
            "ieee_floating_point_ops = true",
            "scalar_subquery_error_on_multiple_rows = true",
        ):
            self.connection.execute(f"SET {setting}")
        self._use(database)

    def close(self) -> None:
        """Let go of the memory."""
        self.connection.close()

    def cancel(self, reason: str) -> None:
        """Stop what runs; it raises QueryCancelledError with the reason."""
        self._cancelled = reason
        self.connection.interrupt()

    def translated(self, query: exp.Expression) -> str:
        """Return the query in DuckDB's SQL, with everything it reads in place. Raises QueryError."""
        self._make_tables(query, depth=0)
        translated = to_duckdb(query)
        if "trino_entries(" in translated.lower():
            # Whether UNNEST ... AS t(a, b) takes a map's entries or an array's rows apart, its type says.
            define(self.connection, translated, self._macros)
            for body in ("map_entries(x)", "x"):
                self.connection.execute(f"CREATE OR REPLACE MACRO trino_entries(x) AS {body}")
                with contextlib.suppress(duckdb.BinderException):
                    self.connection.execute(f"EXPLAIN {translated}")
                    break
        return translated

    def described(self, duckdb_sql: str) -> list[tuple[str, Any]]:
        """Return the columns of a query's result: lower-case names and DuckDB types."""
        cursor = self.run(f"SELECT * FROM ({duckdb_sql}) LIMIT 0")  # noqa: S608 - made by the translator
        return [(column[0].lower(), column[1]) for column in cursor.description]

    def run(self, duckdb_sql: str, *, counted: bool = False) -> Any:
        """Run a statement; `counted` adds the bytes it reads to `bytes_scanned`. Raises QueryError."""
        if self._cancelled:
            raise QueryCancelledError(self._cancelled)
        try:
            define(self.connection, duckdb_sql, self._macros)
            if not counted:
                return self.connection.execute(duckdb_sql)
            self.connection.execute("SET enable_profiling = 'json'")
            self.connection.execute(f"SET profile_output = '{self._profile}'")
            self.connection.execute("SET profiling_coverage = 'ALL'")
            cursor = self.connection.execute(duckdb_sql)
            self.connection.execute("RESET enable_profiling")
            self.bytes_scanned += _bytes_read(self._profile)
        except duckdb.InterruptException as error:
            raise QueryCancelledError(self._cancelled or "Query cancelled by user") from error
        except duckdb.Error as error:
            raise from_duckdb(error, self.sql) from error
        return cursor

    def _use(self, database: str) -> None:
        self.connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(database)}")
        self.connection.execute(f"SET schema = '{database}'")

    def _make_tables(self, query: exp.Expression, depth: int) -> None:
        if depth > DEEPEST_VIEW:
            raise QueryError("VIEW_IS_RECURSIVE", "views refer to each other too deeply")
        local = {cte.alias.lower() for cte in query.find_all(exp.CTE)}
        for node in query.find_all(exp.Table):
            name = node.name.lower()
            database = node.text("db").lower()
            if database == "information_schema":
                self._make_all()
            elif isinstance(node.this, exp.Identifier) and not (not database and name in local):
                self._make_table(TableName(database or self.database, name), query, depth)

    def _make_table(self, name: TableName, query: exp.Expression, depth: int) -> None:
        if name in self._made:
            return
        database = str(name.database)
        table = self.catalog.table(database, name.name)
        if table is None:
            place = find_name(self.sql, name.name)
            if not self.catalog.has_database(database):
                raise QueryError("SCHEMA_NOT_FOUND", f"{place}: Schema '{database}' does not exist")
            raise QueryError(
                "TABLE_NOT_FOUND", f"{place}: Table 'awsdatacatalog.{database}.{name.name}' does not exist"
            )
        self._made.add(name)
        self.connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(database)}")
        view = table.view
        if view is not None:
            select = self._view_select(view["originalSql"], view["schema"], depth)
        else:
            if is_projected(table):
                _require_injected(injected_columns(table), query)
            select = table_scan(table, self.catalog, self.tree, self.connection)
        self.run(f"CREATE OR REPLACE VIEW {quoted(database)}.{quoted(name.name)} AS {select}")

    def _view_select(self, sql: str, database: str, depth: int) -> str:
        """Return a view's query, its tables named with the view's own database."""
        parsed = parse(sql)
        if not isinstance(parsed, Query):
            raise QueryError("INVALID_VIEW", f"a view of {database} is not a query")
        local = {cte.alias.lower() for cte in parsed.expression.find_all(exp.CTE)}
        for node in parsed.expression.find_all(exp.Table):
            if not node.text("db") and node.name.lower() not in local:
                node.set("db", exp.to_identifier(database))
        self._make_tables(parsed.expression, depth + 1)
        return to_duckdb(parsed.expression)

    def _make_all(self) -> None:
        for database in self.catalog.databases():
            for table in self.catalog.tables(database):
                self._make_table(TableName(database, table.name), exp.Select(), 0)


def _require_injected(columns: list[str], query: exp.Expression) -> None:
    """See that a query says the value of each injected partition column, as Athena demands."""
    said = {
        node.this.name.lower() for node in query.find_all(exp.EQ, exp.In) if isinstance(node.this, exp.Column)
    }
    for column in columns:
        if column not in said:
            raise QueryError(
                "CONSTRAINT_VIOLATION",
                f"For the injected projected partition column {column}, the WHERE clause must contain only "
                f"static equality conditions, and at least one such condition must be present.",
            )


def _limits(folder: Path) -> dict[str, str | bool | int | float | list[str]]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * MEMORY_SHARE
    return {
        "memory_limit": f"{int(memory / 2**20)}MiB",
        "threads": str(os.cpu_count() or 1),
        "temp_directory": str(folder / "spill"),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }


def _bytes_read(profile: Path) -> int:
    if not profile.exists():
        return 0
    measured = json.loads(profile.read_text(encoding="utf-8"))
    profile.unlink()
    return int(measured["io"]["total_bytes_read"])
