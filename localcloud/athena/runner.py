"""Run one statement: what it does to the catalog and to S3, and the result it leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlglot import exp

from localcloud.athena import creation, definitions, named
from localcloud.athena.catalog import Table, bucket_and_prefix
from localcloud.athena.columns import named_columns, require_names
from localcloud.athena.errors import QueryError
from localcloud.athena.results import ResultColumn, write_csv, write_lines
from localcloud.athena.session import Session
from localcloud.athena.statements import (
    Command,
    CreateTable,
    CreateTableAs,
    CreateView,
    Explain,
    Insert,
    Query,
    Statement,
    Unload,
)
from localcloud.athena.tables import JSON, LAZY_SIMPLE, PARQUET, hive_path
from localcloud.athena.types import hive_type, quoted, widened
from localcloud.athena.writing import Format, Written, require_empty, write_files

CTAS_OPTIONS = {
    "format", "external_location", "partitioned_by", "bucketed_by", "bucket_count", "field_delimiter",
    "write_compression", "parquet_compression", "orc_compression", "textfile_compression", "json_compression",
}  # fmt: skip
UNLOAD_OPTIONS = {"format", "compression", "field_delimiter", "partitioned_by"}


@dataclass
class Outcome:
    """What a statement left: the file of its result, the columns, and a manifest of data files."""

    result: Path | None = None
    columns: list[ResultColumn] = field(default_factory=list)
    manifest: str | None = None


@dataclass(frozen=True)
class Place:
    """Where a statement runs: its work group, and where that stores data, insisting on it or not."""

    region: str
    work_group: str
    data_location: str
    is_enforced: bool


def run(session: Session, statement: Statement, place: Place) -> Outcome:
    """Run a statement. Raises QueryError or QueryCancelledError."""
    return RUNNERS[type(statement)](session, statement, place)


def _select(session: Session, statement: Query, _place: Place) -> Outcome:
    query = statement.expression
    target = session.folder / "result.csv"
    complete = named_columns(query)
    names = None
    if isinstance(complete, exp.Select) and not any(column.is_star for column in complete.expressions):
        names = [column.alias_or_name.lower() for column in complete.expressions]
    return Outcome(target, write_csv(session, session.translated(complete), target, names))


def _lines(session: Session, lines: list[str]) -> Outcome:
    target = session.folder / "result.txt"
    return Outcome(target, write_lines(lines, target))


def _create_table_as(session: Session, statement: CreateTableAs, place: Place) -> Outcome:
    _check_options(statement.options, CTAS_OPTIONS)
    database = statement.table.database or session.database
    name = statement.table.name
    if session.catalog.table(database, name) is not None:
        if statement.if_not_exists:
            return Outcome()
        raise QueryError(
            "TABLE_ALREADY_EXISTS",
            f"line 1:1: Destination table 'awsdatacatalog.{database}.{name}' already exists",
        )
    location = str(statement.options.get("external_location") or place.data_location)
    if statement.options.get("external_location") and place.is_enforced:
        raise QueryError(
            "INVALID_TABLE_PROPERTY",
            "The Create Table As Select query failed because it was submitted with an 'external_location' "
            "property to an Athena Workgroup that enforces a centralized output location for all queries. "
            "Please remove the 'external_location' property and resubmit the query.",
        )
    require_names(statement.query)
    require_empty(session, location, f"table '{database}.{name}'")
    translated = session.translated(statement.query)
    style = Format.from_options(statement.options)
    columns = [(column, _stored_type(kind)) for column, kind in session.described(translated)]
    keys = _partition_keys(statement.options, [column for column, _ in columns])
    written = Written()
    if statement.with_data:
        written = write_files(session, translated, style, location, keys)
    plain = [(column, kind) for column, kind in columns if column not in keys]
    storage = style.storage(location.rstrip("/") + "/", plain)
    if statement.options.get("bucketed_by"):
        storage["BucketColumns"] = statement.options["bucketed_by"]
        storage["NumberOfBuckets"] = int(str(statement.options.get("bucket_count", "0")))
    session.catalog.create_table(
        database,
        {
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {
                "EXTERNAL": "TRUE",
                "has_encrypted_data": "false",
                "classification": style.name.lower(),
            },
            "PartitionKeys": [{"Name": column, "Type": kind} for column, kind in columns if column in keys],
            "StorageDescriptor": storage,
        },
    )
    _register(session, database, name, written, keys)
    return Outcome(manifest=written.manifest())


def _insert(session: Session, statement: Insert, _place: Place) -> Outcome:
    database = statement.table.database or session.database
    table = session.catalog.table(database, statement.table.name)
    if table is None or table.view_sql is not None:
        raise QueryError(
            "TABLE_NOT_FOUND",
            f"line 1:1: Table 'awsdatacatalog.{database}.{statement.table.name}' does not exist",
        )
    translated = session.translated(statement.query)
    written = write_files(
        session,
        _fitted(session, translated, table, statement.columns),
        _format_of(table),
        table.location,
        [key.name for key in table.partition_keys],
    )
    _register(session, database, table.name, written, [key.name for key in table.partition_keys])
    return Outcome(manifest=written.manifest())


def _fitted(session: Session, translated: str, table: Table, given: list[str]) -> str:
    """Return a query with exactly the table's columns, cast to their types; those not given are null."""
    targets = [*table.columns, *table.partition_keys]
    names = given or [column.name for column in targets]
    described = session.described(translated)
    if len(described) != len(names):
        raise QueryError(
            "TYPE_MISMATCH",
            f"line 1:1: Insert query has {len(described)} columns but {len(names)} columns are expected",
        )
    unknown = set(names) - {column.name for column in targets}
    if unknown:
        raise QueryError(
            "COLUMN_NOT_FOUND", f"line 1:1: Insert column name does not exist in target table: {min(unknown)}"
        )
    places = dict(zip(names, (f"c{number}" for number in range(len(names))), strict=True))
    chosen = ", ".join(
        f"CAST({places.get(c.name, 'NULL')} AS {c.duckdb}) AS {quoted(c.name)}" for c in targets
    )
    return f"SELECT {chosen} FROM ({translated}) AS given({', '.join(places.values())})"  # noqa: S608 - quoted


def _format_of(table: Table) -> Format:
    names = {PARQUET: "PARQUET", LAZY_SIMPLE: "TEXTFILE", JSON[0]: "JSON", JSON[1]: "JSON"}
    if table.serde not in names:
        raise QueryError(
            "NOT_SUPPORTED", f"Inserting into a table with the SerDe {table.serde} is not supported"
        )
    name = names[table.serde]
    compression = table.parameters.get("parquet.compression" if name == "PARQUET" else "write.compression")
    options = {
        "format": name,
        "field_delimiter": table.serde_parameters.get("field.delim", "\x01"),
        "write_compression": compression or ("SNAPPY" if name == "PARQUET" else "NONE"),
    }
    return Format.from_options(options)


def _unload(session: Session, statement: Unload, _place: Place) -> Outcome:
    _check_options(statement.options, UNLOAD_OPTIONS)
    if "format" not in statement.options:
        raise QueryError("INVALID_TABLE_PROPERTY", "UNLOAD needs the property 'format'")
    require_empty(session, statement.location, "UNLOAD")
    translated = session.translated(named_columns(statement.query))
    keys = _partition_keys(statement.options, [name for name, _ in session.described(translated)])
    written = write_files(
        session, translated, Format.from_options(statement.options), statement.location, keys
    )
    return Outcome(manifest=written.manifest())


def _command(session: Session, statement: Command, place: Place) -> Outcome:
    if statement.kind in {"PREPARE", "DEALLOCATE"}:
        named.run_prepare(statement, place.work_group, place.region)
        return _lines(session, [])
    return _lines(session, definitions.run_command(session, statement))


def _create_table(session: Session, statement: CreateTable, _place: Place) -> Outcome:
    return _lines(session, creation.create_table(session, statement))


def _create_view(session: Session, statement: CreateView, _place: Place) -> Outcome:
    return _lines(session, creation.create_view(session, statement))


def _explain(session: Session, statement: Explain, _place: Place) -> Outcome:
    translated = session.translated(named_columns(statement.query))
    rows = session.run(f"EXPLAIN {'ANALYZE ' if statement.analyze else ''}{translated}").fetchall()
    return _lines(session, ["Query Plan", *(line for _, text in rows for line in str(text).splitlines())])


def _register(session: Session, database: str, name: str, written: Written, keys: list[str]) -> None:
    table = session.catalog.table(database, name)
    if table is None:
        return
    for values in written.partitions:
        ordered = {key: values[key] for key in keys}
        location = f"{table.location.rstrip('/')}/{hive_path(ordered)}"
        session.catalog.add_partition(table, list(ordered.values()), location)


def _stored_type(kind: Any) -> str:
    wide = widened(kind)
    return {"BIGINT": "bigint", "INTEGER": "int", "SMALLINT": "smallint", "VARCHAR": "string",
            "TIMESTAMP": "timestamp"}[wide] if wide else hive_type(kind)  # fmt: skip


def _partition_keys(options: dict[str, Any], columns: list[str]) -> list[str]:
    keys = [str(key).lower() for key in options.get("partitioned_by") or []]
    if keys and columns[-len(keys) :] != keys:
        raise QueryError(
            "INVALID_TABLE_PROPERTY",
            "Partition keys must be the last columns in the table and in the same order as the table "
            f"properties: {keys}",
        )
    return keys


def _check_options(options: dict[str, Any], known: set[str]) -> None:
    for name in options:
        if name not in known:
            raise QueryError(
                "INVALID_TABLE_PROPERTY",
                f"line 1:1: Catalog 'awsdatacatalog' table property '{name}' does not exist",
            )
    if "external_location" in options:
        bucket_and_prefix(str(options["external_location"]))


RUNNERS: dict[type[Any], Callable[[Session, Any, Place], Outcome]] = {
    Command: _command,
    CreateTable: _create_table,
    CreateTableAs: _create_table_as,
    CreateView: _create_view,
    Explain: _explain,
    Insert: _insert,
    Query: _select,
    Unload: _unload,
}
