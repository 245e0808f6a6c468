"""CREATE EXTERNAL TABLE and CREATE VIEW."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from sqlglot import exp

from localcloud.athena.catalog import Column, bucket_and_prefix, view_text
from localcloud.athena.errors import QueryError
from localcloud.athena.session import Session
from localcloud.athena.statements import CreateTable, CreateView
from localcloud.athena.tables import LAZY_SIMPLE
from localcloud.athena.types import hive_type
from localcloud.athena.writing import HADOOP, SERDES

FORMAT_OF_FILES = {"PARQUET": "PARQUET", "TEXTFILE": "TEXTFILE", "JSONFILE": "JSON"}


def create_table(session: Session, statement: CreateTable) -> list[str]:
    """CREATE EXTERNAL TABLE."""
    create = statement.expression
    schema = create.this
    target = schema.this if isinstance(schema, exp.Schema) else schema
    database, name = target.text("db").lower() or session.database, target.name.lower()
    if session.catalog.table(database, name) is not None:
        if create.args.get("exists"):
            return []
        raise QueryError("TABLE_ALREADY_EXISTS", f"Table {name} already exists in database {database}")
    columns = [_column(node) for node in schema.expressions] if isinstance(schema, exp.Schema) else []
    described = _Properties(create.args.get("properties"))
    if not described.location:
        raise QueryError("INVALID_TABLE_PROPERTY", f"No location was specified for table {name}.")
    bucket_and_prefix(described.location)
    session.catalog.create_table(
        database,
        {
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"EXTERNAL": "TRUE", **described.table, **described.comment},
            "PartitionKeys": described.partition_keys,
            "StorageDescriptor": {
                "Columns": columns,
                "Location": described.location,
                "InputFormat": described.formats[0],
                "OutputFormat": described.formats[1],
                "SerdeInfo": {
                    "SerializationLibrary": described.serde,
                    "Parameters": described.serde_parameters,
                },
            },
        },
    )
    return []


def create_view(session: Session, statement: CreateView) -> list[str]:
    """CREATE VIEW: the query is checked, its columns kept with its text."""
    database = statement.table.database or session.database
    existing = session.catalog.table(database, statement.table.name)
    if existing is not None and (existing.view_sql is None or not statement.replace):
        raise QueryError("TABLE_ALREADY_EXISTS", f"Table '{database}.{statement.table.name}' already exists")
    described = session.described(session.translated(statement.query))
    columns = [Column(name, _view_type(kind)) for name, kind in described]
    definition = {
        "Name": statement.table.name,
        "TableType": "VIRTUAL_VIEW",
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "ViewOriginalText": view_text(statement.sql, session.database, columns),
        "ViewExpandedText": "/* Presto View */",
        "PartitionKeys": [],
        "StorageDescriptor": {"Columns": [{"Name": c.name, "Type": c.hive} for c in columns], "Location": ""},
    }
    session.catalog.create_table(database, definition, replace=statement.replace)
    return []


class _Properties:
    """What follows the columns in CREATE EXTERNAL TABLE."""

    def __init__(self, given: exp.Properties | None) -> None:
        self.location = ""
        self.table: dict[str, str] = {}
        self.comment: dict[str, str] = {}
        self.partition_keys: list[dict[str, str]] = []
        self.formats = HADOOP["TEXTFILE"]
        self.serde = LAZY_SIMPLE
        self.serde_parameters: dict[str, str] = {"serialization.format": "1"}
        for node in given.expressions if given else []:
            read = self.READERS.get(type(node))
            if read is None:
                if isinstance(node, exp.ExternalProperty):
                    continue
                raise QueryError(
                    "NOT_SUPPORTED", f"localcloud's Athena does not know {node.sql('hive')[:60]!r}"
                )
            read(self, node)

    def _read_location(self, node: Any) -> None:
        self.location = node.this.name

    def _read_comment(self, node: Any) -> None:
        self.comment = {"comment": node.this.name}

    def _read_property(self, node: Any) -> None:
        self.table[node.name] = node.args["value"].name

    def _read_partitioned_by(self, node: Any) -> None:
        self.partition_keys = [_column(column) for column in node.this.expressions]

    def _read_format(self, node: Any) -> None:
        described = node.this
        if isinstance(described, exp.InputOutputFormat):
            self.formats = (described.args["input_format"].name, described.args["output_format"].name)
            return
        name = described.name.upper()
        if name not in FORMAT_OF_FILES:
            raise QueryError("NOT_SUPPORTED", f"localcloud's Athena does not read files stored as {name}")
        self.formats = HADOOP[FORMAT_OF_FILES[name]]
        if name != "TEXTFILE":
            self.serde = SERDES[FORMAT_OF_FILES[name]]

    def _read_serde(self, node: Any) -> None:
        self.serde = node.this.name
        given = node.args.get("serde_properties")
        for pair in given.expressions if given else []:
            self.serde_parameters[pair.this.name] = pair.args["value"].name

    def _read_delimited(self, node: Any) -> None:
        for part, name in (
            ("fields", "field.delim"),
            ("escaped", "escape.delim"),
            ("null", "serialization.null.format"),
        ):
            value = node.args.get(part)
            if value is not None:
                self.serde_parameters[name] = value.name
        if "field.delim" in self.serde_parameters:
            self.serde_parameters["serialization.format"] = self.serde_parameters["field.delim"]

    READERS: ClassVar[dict[type[exp.Expression], Callable[[Any, Any], None]]] = {
        exp.LocationProperty: _read_location,
        exp.SchemaCommentProperty: _read_comment,
        exp.Property: _read_property,
        exp.PartitionedByProperty: _read_partitioned_by,
        exp.FileFormatProperty: _read_format,
        exp.RowFormatSerdeProperty: _read_serde,
        exp.RowFormatDelimitedProperty: _read_delimited,
    }


def _column(node: exp.Expression) -> dict[str, str]:
    comment = node.find(exp.CommentColumnConstraint)
    kind = node.args["kind"].sql("hive").lower().replace(": ", ":").replace(", ", ",")
    described = {"Name": node.name.lower(), "Type": kind}
    return {**described, "Comment": comment.this.name} if comment else described


def _view_type(kind: Any) -> str:
    try:
        return hive_type(kind)
    except QueryError:
        return "string"
