"""Hive's, DuckDB's and Athena's names of the same types."""

from __future__ import annotations

from typing import Any

from localcloud.athena.errors import QueryError

HIVE_TO_DUCKDB = {
    "tinyint": "TINYINT", "smallint": "SMALLINT", "int": "INTEGER", "integer": "INTEGER", "bigint": "BIGINT",
    "boolean": "BOOLEAN", "float": "FLOAT", "real": "FLOAT", "double": "DOUBLE", "string": "VARCHAR",
    "varchar": "VARCHAR", "char": "VARCHAR", "binary": "BLOB", "varbinary": "BLOB", "date": "DATE",
    "timestamp": "TIMESTAMP", "decimal": "DECIMAL",
}  # fmt: skip
# DuckDB type id: Hive's name, Athena's name, precision, scale.
SIMPLE = {
    "boolean": ("boolean", "boolean", 0, 0),
    "tinyint": ("tinyint", "tinyint", 3, 0),
    "smallint": ("smallint", "smallint", 5, 0),
    "integer": ("int", "integer", 10, 0),
    "bigint": ("bigint", "bigint", 19, 0),
    "float": ("float", "float", 17, 0),
    "double": ("double", "double", 17, 0),
    "varchar": ("string", "varchar", 2147483647, 0),
    "blob": ("binary", "varbinary", 1073741824, 0),
    "date": ("date", "date", 0, 0),
    "timestamp": ("timestamp", "timestamp", 3, 0),
    "timestamp with time zone": (None, "timestamp with time zone", 3, 0),
    "time": (None, "time", 3, 0),
    "time_tz": (None, "time with time zone", 3, 0),
    "interval": (None, "interval day to second", 0, 0),
    "json": (None, "json", 0, 0),
    "uuid": (None, "uuid", 0, 0),
}
# Types that Trino does not have, as those it would have given.
WIDENED = {
    "hugeint": "BIGINT", "ubigint": "BIGINT", "uhugeint": "BIGINT", "uinteger": "BIGINT",
    "usmallint": "INTEGER", "utinyint": "SMALLINT", "timestamp_s": "TIMESTAMP", "timestamp_ms": "TIMESTAMP",
    "timestamp_ns": "TIMESTAMP", "enum": "VARCHAR", "NULL": "VARCHAR", "null": "VARCHAR",
    "integer_literal": "INTEGER", "string_literal": "VARCHAR",
}  # fmt: skip


def duckdb_type(hive: str) -> str:
    """Return the DuckDB type of a Hive type such as `array<struct<a:int,b:decimal(10,2)>>`."""
    text = hive.strip()
    name, opening, rest = text.partition("<")
    name = name.strip().lower()
    if opening:
        inside = _split(rest[: rest.rindex(">")])
        if name == "array":
            return f"{duckdb_type(inside[0])}[]"
        if name == "map":
            return f"MAP({duckdb_type(inside[0])}, {duckdb_type(inside[1])})"
        if name in {"struct", "row"}:
            fields = (part.partition(":") for part in inside)
            return f"STRUCT({', '.join(f'{quoted(f.strip())} {duckdb_type(t)}' for f, _, t in fields)})"
    base, parenthesis, parameters = name.partition("(")
    if base.strip() not in HIVE_TO_DUCKDB:
        raise QueryError("HIVE_UNSUPPORTED_FORMAT", f"Unsupported Hive type: {hive}")
    kind = HIVE_TO_DUCKDB[base.strip()]
    if kind == "DECIMAL":
        return f"DECIMAL({parameters}" if parenthesis else "DECIMAL(10, 0)"
    return kind


def hive_type(kind: Any) -> str:
    """Return the Hive type of a DuckDB type object. Raises QueryError when Hive has none."""
    identifier = type_id(kind)
    children = dict(kind.children) if identifier in {"list", "array", "map", "struct", "decimal"} else {}
    if identifier == "decimal":
        return f"decimal({children['precision']},{children['scale']})"
    if identifier in {"list", "array"}:
        return f"array<{hive_type(children['child'])}>"
    if identifier == "map":
        return f"map<{hive_type(children['key'])},{hive_type(children['value'])}>"
    if identifier == "struct":
        return f"struct<{','.join(f'{name}:{hive_type(child)}' for name, child in children.items())}>"
    found = SIMPLE.get(identifier, (None, identifier))[0]
    if found is None:
        raise QueryError(
            "NOT_SUPPORTED", f"Unsupported Hive type: {SIMPLE.get(identifier, (0, identifier))[1]}"
        )
    return found


def athena_type(kind: Any) -> tuple[str, int, int]:
    """Return Athena's type name, precision and scale of a DuckDB type object."""
    identifier = type_id(kind)
    if identifier == "decimal":
        sizes = dict(kind.children)
        return "decimal", int(sizes["precision"]), int(sizes["scale"])
    names = {"list": "array", "array": "array", "map": "map", "struct": "row"}
    if identifier in names:
        return names[identifier], 0, 0
    wide = (widened(kind) or identifier).lower()
    _, name, precision, scale = SIMPLE.get(wide, (None, "varchar", 2147483647, 0))
    return name, precision, scale


def type_id(kind: Any) -> str:
    """Return the id of a DuckDB type object; JSON, an alias of VARCHAR there, has one of its own."""
    text = str(kind)
    if text == "JSON":
        return "json"
    if text in {"TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ"}:
        return "timestamp with time zone"
    return str(kind.id)


def widened(kind: Any) -> str | None:
    """Return the type to cast a result column to, or None when Trino has its type."""
    return WIDENED.get(type_id(kind).strip('"'))


def quoted(name: str) -> str:
    """Return a name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def _split(text: str) -> list[str]:
    """Split at the commas that are inside no bracket."""
    parts, depth, start = [], 0, 0
    for place, character in enumerate(text):
        depth += (character in "<(") - (character in ">)")
        if character == "," and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]]
