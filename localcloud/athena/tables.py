"""What DuckDB reads for a table of the catalog: one SELECT over the files in S3, in the table's types."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import duckdb

from localcloud.athena.catalog import Catalog, Column, Partition, Table, bucket_and_prefix
from localcloud.athena.errors import QueryError
from localcloud.athena.projection import is_projected, projected_partitions
from localcloud.athena.types import literal, quoted
from localcloud.s3 import ObjectTree

PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
LAZY_SIMPLE = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
OPEN_CSV = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
JSON = ("org.openx.data.jsonserde.JsonSerDe", "org.apache.hive.hcatalog.data.JsonSerDe")
NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
# What a field is compared with where no text means null.
NEVER = "\x00never\x00"
SAMPLED_OBJECTS = 100


@dataclass(frozen=True)
class Part:
    """The files of one partition (or of a table without): partition values by key."""

    values: dict[str, str]
    location: str
    files: list[str]


def table_scan(table: Table, catalog: Catalog, tree: ObjectTree, connection: Any) -> str:
    """Return the SELECT that gives the table's rows. Raises QueryError for a format not supported."""
    parts = [part for part in _parts(table, catalog, tree) if part.files]
    if not parts:
        nulls = [
            f"CAST(NULL AS {c.duckdb}) AS {quoted(c.name)}" for c in [*table.columns, *table.partition_keys]
        ]
        return f"SELECT {', '.join(nulls)} WHERE false"
    if not table.partition_keys:
        return _select(table, parts[0].files, [], "", connection)
    if all(_is_hive_style(part) for part in parts):
        files = [file for part in parts for file in part.files]
        hive = ", ".join(f"{quoted(key.name)}: VARCHAR" for key in table.partition_keys)
        options = f", hive_partitioning = true, hive_types_autocast = false, hive_types = {{{hive}}}"
        keys = [f"CAST({quoted(k.name)} AS {k.duckdb}) AS {quoted(k.name)}" for k in table.partition_keys]
        return _select(table, files, keys, options, connection)
    return " UNION ALL ".join(_select(table, p.files, _constants(table, p), "", connection) for p in parts)


def data_files(folder: Path) -> list[str]:
    """Return the files below a folder that hold rows: not empty, and not hidden by `_` or `.`."""
    return sorted(_walk(folder))


def hive_path(values: dict[str, str]) -> str:
    """Return `key=value/...` with the characters escaped that Hive escapes."""
    return "/".join(f"{key}={quote(value, safe=' ,-_.@+()~!$')}" for key, value in values.items())


def _parts(table: Table, catalog: Catalog, tree: ObjectTree) -> Iterator[Part]:
    keys = [key.name for key in table.partition_keys]
    if not keys:
        yield Part({}, table.location, data_files(_folder(table.location, tree)))
        return
    if is_projected(table):
        partitions: list[Partition] = projected_partitions(table, tree)
    else:
        partitions = catalog.partitions(table)
    for partition in partitions:
        folder = _folder(partition.location, tree)
        yield Part(dict(zip(keys, partition.values, strict=True)), partition.location, data_files(folder))


def _folder(location: str, tree: ObjectTree) -> Path:
    bucket, prefix = bucket_and_prefix(location)
    return tree.bucket_path(bucket) / prefix


def _walk(folder: Path) -> Iterator[str]:
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(("_", "."))]
        for name in names:
            path = f"{place}/{name}"
            if not name.startswith(("_", ".")) and os.path.getsize(path):  # noqa: PTH202 - many files
                yield path


def _is_hive_style(part: Part) -> bool:
    """Whether the partition's folder names say its values, so that DuckDB can read and prune by them."""
    names = unquote(part.location.rstrip("/")).split("/")[-len(part.values) :]
    return names == [f"{key}={value}" for key, value in part.values.items()]


def _constants(table: Table, part: Part) -> list[str]:
    values = {
        key: "NULL" if value == NULL_PARTITION else literal(value) for key, value in part.values.items()
    }
    return [f"CAST({values[k.name]} AS {k.duckdb}) AS {quoted(k.name)}" for k in table.partition_keys]


def _select(table: Table, files: list[str], keys: list[str], options: str, connection: Any) -> str:
    """Return the SELECT over files of one format; `options` of the reader, `keys` are partition columns."""
    listed = "[" + ", ".join(literal(file) for file in files) + "]"
    if table.serde == PARQUET:
        union = ", union_by_name = true" if len(files) > 1 else ""
        return _parquet(
            table,
            f"read_parquet({listed}{union}{options or ', hive_partitioning = false'})",
            keys,
            connection,
        )
    options = options or ", hive_partitioning = false"
    if table.serde in JSON:
        return _json(table, files, keys, options, connection)
    if table.serde in {LAZY_SIMPLE, OPEN_CSV}:
        return _text(table, listed, keys, options)
    raise QueryError(
        "HIVE_UNSUPPORTED_FORMAT",
        f"localcloud's Athena reads Parquet, JSON and text, not {table.serde or 'tables without a SerDe'}",
    )


def _parquet(table: Table, reader: str, keys: list[str], connection: Any) -> str:
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM {reader}").fetchall()  # noqa: S608
    except duckdb.Error as error:
        raise QueryError("HIVE_BAD_DATA", f"Not valid Parquet in {table.location}: {error}") from error
    present = {name.lower(): (name, kind) for name, kind, *_ in described}
    return _projection(table.columns, present, keys, reader)


def _projection(
    columns: list[Column], present: dict[str, tuple[str, str]], keys: list[str], reader: str
) -> str:
    """Select the table's columns by name from those present; a missing one is null, another type is cast."""
    chosen = []
    for column in columns:
        name, kind = present.get(column.name, ("", ""))
        if not name:
            source = f"CAST(NULL AS {column.duckdb})"
        elif kind == column.duckdb:
            source = quoted(name)
        else:
            source = f"CAST({quoted(name)} AS {column.duckdb})"
        chosen.append(f"{source} AS {quoted(column.name)}")
    return f"SELECT {', '.join([*chosen, *keys])} FROM {reader}"  # noqa: S608 - names and types come quoted


def _json(table: Table, files: list[str], keys: list[str], options: str, connection: Any) -> str:
    """Read JSON Lines; a column is the key of its name whatever the case, or the one the table maps it to."""
    listed = "[" + ", ".join(literal(file) for file in files) + "]"
    parameters = table.serde_parameters
    source_names = _json_keys(files[0], connection) | {
        name.removeprefix("mapping."): source
        for name, source in parameters.items()
        if name.startswith("mapping.")
    }
    typed = ", ".join(
        f"{literal(source_names.get(c.name, c.name))}: {literal(c.duckdb)}" for c in table.columns
    )
    lenient = parameters.get("ignore.malformed.json", "false").lower() == "true"
    reader = (
        f"read_json({listed}, format = 'newline_delimited', columns = {{{typed}}}, "
        f"ignore_errors = {str(lenient).lower()}{options})"
    )
    present = {c.name: (source_names.get(c.name, c.name), c.duckdb) for c in table.columns}
    return _projection(table.columns, present, keys, reader)


def _json_keys(file: str, connection: Any) -> dict[str, str]:
    """Return the keys of a file's first objects by their lower-case names."""
    sample = (
        f"SELECT json FROM read_ndjson_objects({literal(file)}, ignore_errors = true) LIMIT {SAMPLED_OBJECTS}"  # noqa: S608
    )
    found = connection.execute(f"SELECT DISTINCT unnest(json_keys(json)) FROM ({sample})").fetchall()  # noqa: S608
    return {key.lower(): key for (key,) in found}


def _text(table: Table, files: str, keys: list[str], options: str) -> str:
    """Read delimited text: every field as text first, then TRY_CAST, as a field Hive cannot read is null."""
    parameters = table.serde_parameters
    if table.serde == OPEN_CSV:
        separator = parameters.get("separatorChar", ",")
        quote_character = parameters.get("quoteChar", '"')
        escape = parameters.get("escapeChar", "\\")
        null = NEVER
    else:
        separator = parameters.get("field.delim", parameters.get("serialization.format", "\x01"))
        quote_character, escape = "", parameters.get("escape.delim", "")
        null = parameters.get("serialization.null.format", "\\N")
    typed = ", ".join(f"{literal(column.name)}: 'VARCHAR'" for column in table.columns)
    # DuckDB escapes only inside quotes.
    escape = escape if quote_character else ""
    reader = (
        f"read_csv({files}, header = false, auto_detect = false, columns = {{{typed}}}, "
        f"delim = {literal(_character(separator))}, quote = {literal(quote_character)}, "
        f"escape = {literal(escape)}, nullstr = {literal(null)}, null_padding = true, strict_mode = false, "
        f"skip = {int(table.parameters.get('skip.header.line.count', '0'))}{options})"
    )
    chosen = [f"{_field(column)} AS {quoted(column.name)}" for column in table.columns]
    return f"SELECT {', '.join([*chosen, *keys])} FROM {reader}"  # noqa: S608 - names and types come quoted


def _field(column: Column) -> str:
    name = quoted(column.name)
    return name if column.duckdb == "VARCHAR" else f"TRY_CAST({name} AS {column.duckdb})"


def _character(text: str) -> str:
    r"""Return the separator that Hive's `\\t`, `\\001` or a number stands for."""
    named = {"\\t": "\t", "\\001": "\x01", "1": "\x01", "\\u0001": "\x01", "\\|": "|"}
    return named.get(text, text)
