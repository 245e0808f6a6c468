"""How a query fails: the words that Athena puts into StateChangeReason."""

from __future__ import annotations

import re

import duckdb

# https://docs.aws.amazon.com/athena/latest/ug/error-reference.html: 1 system, 2 user, 3 other.
USER_ERROR = 2


class QueryError(Exception):
    """A statement that fails for what it says; `code` is Trino's error name."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(f"{code}: {message}")


class MalformedQueryError(Exception):
    """A statement that is refused when it is submitted, as it cannot be parsed."""


class QueryCancelledError(Exception):
    """A query that was stopped, or read more than its work group allows."""


def position_of(sql: str, offset: int | None) -> str:
    """Return `line 1:15` for an offset into the statement (counted from 0)."""
    before = sql[: max(offset or 0, 0)]
    return f"line {before.count(chr(10)) + 1}:{len(before) - (before.rfind(chr(10)) + 1) + 1}"


def find_name(sql: str, name: str) -> str:
    """Return the position of the first appearance of an identifier."""
    found = re.search(rf"(?<![\w.])\"?{re.escape(name)}\"?(?!\w)", sql, re.IGNORECASE)
    return position_of(sql, found.start() if found else 0)


def from_duckdb(error: duckdb.Error, sql: str) -> QueryError:
    """Say in Trino's words what DuckDB found; `sql` is the statement as submitted."""
    text = str(error).split("\n\nLINE ")[0].strip()
    message = text.partition(": ")[2] or text
    for kind, pattern, code, words in PATTERNS:
        found = re.search(pattern, message) if isinstance(error, kind) else None
        if found:
            name = found.group(1) if found.groups() else ""
            place = find_name(sql, name) if name else position_of(sql, 0)
            return QueryError(code, words.format(place=place, name=name, message=message))
    return QueryError("GENERIC_INTERNAL_ERROR", message)


PATTERNS: list[tuple[type[duckdb.Error], str, str, str]] = [
    (
        duckdb.BinderException,
        r'(?:Referenced column "|column named "|does not have a column named ")([^"]+)"',
        "COLUMN_NOT_FOUND",
        "{place}: Column '{name}' cannot be resolved",
    ),
    (
        duckdb.BinderException,
        r'Referenced table "([^"]+)" not found',
        "COLUMN_NOT_FOUND",
        "{place}: Column prefix '{name}' cannot be resolved",
    ),
    (
        duckdb.BinderException,
        r'column "?(\w+)"? must appear in the GROUP BY',
        "EXPRESSION_NOT_AGGREGATE",
        "{place}: '{name}' must be an aggregate expression or appear in GROUP BY clause",
    ),
    (duckdb.BinderException, r'Ambiguous reference to column name "([^"]+)"', "AMBIGUOUS_NAME",
     "{place}: Column '{name}' is ambiguous"),
    (duckdb.CatalogException, r"Function with name (\S+) does not exist", "FUNCTION_NOT_FOUND",
     "{place}: Function '{name}' not registered"),
    (duckdb.CatalogException, r"Table with name (\S+) does not exist", "TABLE_NOT_FOUND",
     "{place}: Table '{name}' does not exist"),
    (duckdb.ConversionException, r"", "INVALID_CAST_ARGUMENT", "{message}"),
    (duckdb.OutOfRangeException, r"", "NUMERIC_VALUE_OUT_OF_RANGE", "{message}"),
    (duckdb.InvalidInputException, r"Division by zero", "DIVISION_BY_ZERO", "Division by zero"),
    (duckdb.OutOfMemoryException, r"", "EXCEEDED_MEMORY_LIMIT",
     "Query exceeded the memory limit of localcloud's Athena: {message}"),
    (duckdb.BinderException, r"No function matches .* argument types '(\w+)", "FUNCTION_NOT_FOUND",
     "{place}: Unexpected parameters for function {name}: {message}"),
    (duckdb.BinderException, r"", "TYPE_MISMATCH", "{place}: {message}"),
    (duckdb.ParserException, r"", "NOT_SUPPORTED", "localcloud's Athena cannot run this: {message}"),
    (duckdb.InvalidInputException, r"", "INVALID_FUNCTION_ARGUMENT", "{message}"),
    (duckdb.IOException, r"", "HIVE_CANNOT_OPEN_SPLIT", "{message}"),
]  # fmt: skip
