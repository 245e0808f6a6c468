"""CSV files to Arrow tables, checked row by row against a dataset's schema."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from localcloud.personalize.avro import Column, DatasetSchema

_ARROW_TYPES: dict[str, pa.DataType] = {
    "string": pa.string(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
}
_IDS = frozenset({"USER_ID", "ITEM_ID", "ACTION_ID"})
_MAX_ID = 256
_MAX_CATEGORY = 1000
_INT_RANGES = {"int": 2**31, "long": 2**63}


class RowError(ValueError):
    """A file does not fit the schema; the message names the file, the line and the column."""


def arrow_schema(schema: DatasetSchema) -> pa.Schema:
    """Return the Arrow types of a dataset's columns."""
    return pa.schema([(column.name, _ARROW_TYPES[column.kind]) for column in schema.columns])


def read_csv_files(paths: Iterable[Path], schema: DatasetSchema) -> pa.Table:
    """Return the rows of all files, columns in the order of the schema; columns it does not name are dropped.

    Raises RowError for the first row that does not fit.
    """
    tables = [_read_file(path, schema) for path in paths]
    return pa.concat_tables(tables).combine_chunks()


def _read_file(path: Path, schema: DatasetSchema) -> pa.Table:
    _check_header(path, schema)
    names = [column.name for column in schema.columns]
    convert = pacsv.ConvertOptions(
        column_types=arrow_schema(schema),
        include_columns=names,
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
        null_values=[""],
        true_values=["true"],
        false_values=["false"],
    )
    try:
        table = pacsv.read_csv(
            path, convert_options=convert, parse_options=pacsv.ParseOptions(newlines_in_values=True)
        )
    except pa.ArrowInvalid as error:
        raise _first_bad_row(path, schema, str(error)) from error
    if any(_may_be_bad(table[column.name], column) for column in schema.columns):
        raise _first_bad_row(path, schema, "unreadable")
    return table


def _check_header(path: Path, schema: DatasetSchema) -> None:
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        header = next(csv.reader(file), None)
    if header is None:
        raise RowError(f"{path.name} is empty; the first line must be a header.")
    missing = [column.name for column in schema.columns if column.name not in header]
    if missing:
        raise RowError(f"Input CSV is missing the following columns: [{', '.join(missing)}]. ({path.name})")


def _may_be_bad(values: pa.ChunkedArray, column: Column) -> bool:
    """Say whether some row breaks a rule that Arrow's types do not know."""
    if not column.nullable and values.null_count:
        return True
    if column.kind != "string":
        return False
    longest = pc.max(pc.utf8_length(values)).as_py() or 0
    return bool(longest > _max_length(column))


def _max_length(column: Column) -> int:
    if column.name in _IDS:
        return _MAX_ID
    return 20_000 if column.textual else _MAX_CATEGORY


def _first_bad_row(path: Path, schema: DatasetSchema, fallback: str) -> RowError:
    """Read the file again, slowly, for the line and the column at fault."""
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        reader = csv.reader(file)
        header = next(reader)
        places = [(header.index(column.name), column) for column in schema.columns]
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                return RowError(
                    f"{path.name} line {reader.line_num}: "
                    f"it has {len(row)} values, the header has {len(header)}."
                )
            for place, column in places:
                if problem := _problem(row[place], column):
                    return RowError(f"{path.name} line {reader.line_num}: column {column.name}: {problem}")
    return RowError(f"{path.name}: {fallback}")


def _problem(text: str, column: Column) -> str | None:
    if text == "":
        return None if column.nullable else "a value is needed."
    if column.kind == "string":
        limit = _max_length(column)
        return f"the value has {len(text)} characters; {limit} is the limit." if len(text) > limit else None
    if column.kind == "boolean":
        return None if text in {"true", "false"} else f"'{text}' is not true or false."
    try:
        value = float(text)
        if column.kind in _INT_RANGES and abs(int(text)) >= _INT_RANGES[column.kind]:
            return f"'{text}' is too large for the type {column.kind}."
    except ValueError:
        return f"'{text}' is not of the type {column.kind}."
    return None if value == value else f"'{text}' is not a number."  # noqa: PLR0124 - NaN is unequal to itself
