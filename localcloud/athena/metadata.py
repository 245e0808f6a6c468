"""Athena's view of databases and tables, which is the Glue catalog's."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import Any

from moto.core.exceptions import JsonRESTError

from localcloud.athena.catalog import Catalog, Column, Table


def _list_databases(_request: dict[str, Any], region: str) -> dict[str, Any]:
    return {"DatabaseList": [{"Name": name} for name in Catalog(region).databases()]}


def _get_database(request: dict[str, Any], region: str) -> dict[str, Any]:
    name = request["DatabaseName"].lower()
    if not Catalog(region).has_database(name):
        raise JsonRESTError("MetadataException", f"Database {name} not found.")
    return {"Database": {"Name": name}}


def _get_table_metadata(request: dict[str, Any], region: str) -> dict[str, Any]:
    database, name = request["DatabaseName"].lower(), request["TableName"].lower()
    table = Catalog(region).table(database, name)
    if table is None:
        raise JsonRESTError("MetadataException", f"Table {name} not found in database {database}.")
    return {"TableMetadata": _described(table)}


def _list_table_metadata(request: dict[str, Any], region: str) -> dict[str, Any]:
    pattern = request.get("Expression") or "*"
    tables = Catalog(region).tables(request["DatabaseName"].lower())
    return {
        "TableMetadataList": [_described(table) for table in tables if fnmatch.fnmatch(table.name, pattern)]
    }


def _described(table: Table) -> dict[str, Any]:
    return {
        "Name": table.name,
        "TableType": table.definition.get("TableType", "EXTERNAL_TABLE"),
        "Columns": [_column(column) for column in table.columns],
        "PartitionKeys": [_column(column) for column in table.partition_keys],
        "Parameters": {
            **table.parameters,
            "location": table.location,
            "serde.serialization.lib": table.serde,
        },
    }


def _column(column: Column) -> dict[str, str]:
    return {"Name": column.name, "Type": column.hive, "Comment": column.comment}


METADATA_OPERATIONS: dict[str, Callable[[dict[str, Any], str], dict[str, Any]]] = {
    "list_databases": _list_databases,
    "get_database": _get_database,
    "get_table_metadata": _get_table_metadata,
    "list_table_metadata": _list_table_metadata,
}
