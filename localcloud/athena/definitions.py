"""Statements about what the catalog holds: what they change there and what they print."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from localcloud.athena.catalog import Table, bucket_and_prefix
from localcloud.athena.errors import QueryError, find_name
from localcloud.athena.parsing import partition_specs, properties
from localcloud.athena.session import Session
from localcloud.athena.show import COLUMN_WIDTH, create_table_text, described_table
from localcloud.athena.statements import Command, TableName
from localcloud.athena.tables import hive_path


def run_command(session: Session, command: Command) -> list[str]:
    """Do what a definition says; return the lines it prints."""
    return COMMANDS[command.kind](session, command)


def _table(session: Session, name: TableName) -> Table:
    database = name.database or session.database
    table = session.catalog.table(database, name.name)
    if table is None:
        raise QueryError(
            "TABLE_NOT_FOUND",
            f"{find_name(session.sql, name.name)}: "
            f"Table 'awsdatacatalog.{database}.{name.name}' does not exist",
        )
    return table


def _create_database(session: Session, command: Command) -> list[str]:
    parts = command.parts
    details: dict[str, Any] = {"Parameters": properties(parts["properties"])}
    if parts["comment"]:
        details["Description"] = parts["comment"]
    if parts["location"]:
        details["LocationUri"] = parts["location"]
    name = str(parts["name"]).strip('`"').lower()
    session.catalog.create_database(name, if_not_exists=bool(parts["exists"]), details=details)
    return []


def _drop_database(session: Session, command: Command) -> list[str]:
    name = str(command.parts["name"]).strip('`"').lower()
    cascade = str(command.parts["cascade"]).upper() == "CASCADE"
    session.catalog.drop_database(name, if_exists=bool(command.parts["exists"]), cascade=cascade)
    return []


def _drop(session: Session, command: Command) -> list[str]:
    database = command.table.database or session.database
    table = session.catalog.table(database, command.table.name)
    is_view = table is not None and table.view_sql is not None
    if table is None or is_view != (command.kind == "DROP_VIEW"):
        if command.parts["exists"] and table is None:
            return []
        what = "View" if command.kind == "DROP_VIEW" else "Table"
        raise QueryError("TABLE_NOT_FOUND", f"{what} '{database}.{command.table.name}' does not exist")
    session.catalog.drop_table(database, table.name)
    return []


def _repair(session: Session, command: Command) -> list[str]:
    """Register the partitions whose folders are there: `key=value/` in the order of the keys."""
    table = _table(session, command.table)
    keys = [key.name for key in table.partition_keys]
    if not keys:
        raise QueryError("GENERIC_INTERNAL_ERROR", f"Table {table.name} is not a partitioned table")
    bucket, prefix = bucket_and_prefix(table.location)
    top = session.tree.bucket_path(bucket) / prefix
    added = []
    for place, folders, _ in os.walk(top):
        parts = [] if place == str(top) else os.path.relpath(place, top).split("/")
        names = [part.partition("=")[0].lower() for part in parts]
        if names != keys[: len(names)] or any("=" not in part for part in parts):
            folders.clear()
        elif len(parts) == len(keys):
            folders.clear()
            values = [unquote(part.partition("=")[2]) for part in parts]
            path = "/".join(parts)
            if session.catalog.add_partition(table, values, f"{table.location.rstrip('/')}/{path}"):
                added.append(f"Repair: Added partition to metastore {table.name}:{path}")
    missing = [f"{table.name}:{line.rpartition(':')[2]}" for line in added]
    return [f"Partitions not in metastore:\t{chr(9).join(missing)}", *sorted(added)] if added else []


def _ordered(table: Table, values: dict[str, str]) -> list[str]:
    keys = [key.name for key in table.partition_keys]
    if set(values) != set(keys):
        raise QueryError("INVALID_PARTITION_VALUE", f"Partition spec {values} does not match the keys {keys}")
    return [values[key] for key in keys]


def _add_partition(session: Session, command: Command) -> list[str]:
    table = _table(session, command.table)
    for values, location in partition_specs(str(command.parts["list"])):
        ordered = _ordered(table, values)
        path = hive_path({key.name: values[key.name] for key in table.partition_keys})
        where = location or f"{table.location.rstrip('/')}/{path}"
        if not session.catalog.add_partition(table, ordered, where) and not command.parts["exists"]:
            raise QueryError(
                "PARTITION_ALREADY_EXISTS", f"Partition already exists for {table.name}: {ordered}"
            )
    return []


def _drop_partition(session: Session, command: Command) -> list[str]:
    table = _table(session, command.table)
    for values, _ in partition_specs(str(command.parts["list"])):
        ordered = _ordered(table, values)
        if not session.catalog.drop_partition(table, ordered) and not command.parts["exists"]:
            raise QueryError("PARTITION_NOT_FOUND", f"Partition does not exist in {table.name}: {ordered}")
    return []


def _set_properties(session: Session, command: Command) -> list[str]:
    table = _table(session, command.table)
    changed = {**table.parameters, **properties(command.parts["properties"])}
    session.catalog.update_table(table, Parameters=changed)
    return []


def _set_location(session: Session, command: Command) -> list[str]:
    table = _table(session, command.table)
    session.catalog.update_table(
        table, StorageDescriptor={**table.storage, "Location": command.parts["location"]}
    )
    return []


def _add_columns(session: Session, command: Command) -> list[str]:
    table = _table(session, command.table)
    listed = re.findall(r"(`[^`]+`|\w+)\s+((?:[^,<(]|<[^()]*>|\([^)]*\))+)", str(command.parts["columns"]))
    added = [{"Name": name.strip("`").lower(), "Type": kind.strip().lower()} for name, kind in listed]
    columns = [*table.storage.get("Columns", []), *added]
    session.catalog.update_table(table, StorageDescriptor={**table.storage, "Columns": columns})
    return []


def _matching(names: list[str], pattern: str | None) -> list[str]:
    """Keep the names that a pattern of Hive's (`a*|b*`) matches."""
    if not pattern:
        return names
    return [
        n for n in names if any(fnmatch.fnmatch(n, p.replace("%", "*")) for p in pattern.lower().split("|"))
    ]


def _show_databases(session: Session, command: Command) -> list[str]:
    return _matching(session.catalog.databases(), command.parts["pattern"])


def _show_tables(session: Session, command: Command) -> list[str]:
    database = (command.parts["name"] or session.database).strip('`"').lower()
    tables = session.catalog.tables(database)
    only_views = command.kind == "SHOW_VIEWS"
    return _matching([t.name for t in tables if not only_views or t.view_sql], command.parts["pattern"])


def _show_columns(session: Session, command: Command) -> list[str]:
    database = command.parts["name"]
    name = command.table if database is None else TableName(database.strip('`"').lower(), command.table.name)
    table = _table(session, name)
    return [f"{column.name:<{COLUMN_WIDTH}}" for column in [*table.columns, *table.partition_keys]]


def _show_partitions(session: Session, command: Command) -> list[str]:
    table = _table(session, command.table)
    if not table.partition_keys:
        raise QueryError("GENERIC_INTERNAL_ERROR", f"Table {table.name} is not a partitioned table")
    keys = [key.name for key in table.partition_keys]
    return sorted(
        hive_path(dict(zip(keys, p.values, strict=True))) for p in session.catalog.partitions(table)
    )


def _show_properties(session: Session, command: Command) -> list[str]:
    found = _table(session, command.table).parameters
    wanted = command.parts["name"]
    return (
        [found[wanted]] if wanted in found else [f"{name}\t{value}" for name, value in sorted(found.items())]
    )


def _show_create(session: Session, command: Command) -> list[str]:
    return create_table_text(_table(session, command.table)).splitlines()


def _describe(session: Session, command: Command) -> list[str]:
    return described_table(_table(session, command.table), detailed=bool(command.parts.get("detail")))


COMMANDS: dict[str, Callable[[Session, Command], list[str]]] = {
    "CREATE_DATABASE": _create_database,
    "DROP_DATABASE": _drop_database,
    "DROP_TABLE": _drop,
    "DROP_VIEW": _drop,
    "MSCK_REPAIR": _repair,
    "ADD_PARTITION": _add_partition,
    "DROP_PARTITION": _drop_partition,
    "SET_PROPERTIES": _set_properties,
    "SET_LOCATION": _set_location,
    "ADD_COLUMNS": _add_columns,
    "SHOW_DATABASES": _show_databases,
    "SHOW_TABLES": _show_tables,
    "SHOW_VIEWS": _show_tables,
    "SHOW_COLUMNS": _show_columns,
    "SHOW_PARTITIONS": _show_partitions,
    "SHOW_TBLPROPERTIES": _show_properties,
    "SHOW_CREATE": _show_create,
    "DESCRIBE": _describe,
}
