"""Query results as Athena leaves them in S3, and as GetQueryResults reads them back, a page at a time."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.athena.session import Session
from localcloud.athena.types import athena_type, quoted, type_id

FIELD = re.compile(rb'(?:"((?:[^"]|"")*)"|([^,\n]*))(,|\r?\n|$)')


@dataclass(frozen=True)
class ResultColumn:
    """A column of a result, as ColumnInfo describes it."""

    name: str
    type: str
    precision: int
    scale: int

    def as_dict(self) -> dict[str, Any]:
        """Return what GetQueryResults says of the column."""
        return {
            "CatalogName": "hive",
            "SchemaName": "",
            "TableName": "",
            "Name": self.name,
            "Label": self.name,
            "Type": self.type,
            "Precision": self.precision,
            "Scale": self.scale,
            "Nullable": "UNKNOWN",
            "CaseSensitive": self.type == "varchar",
        }


TEXT_COLUMN = ResultColumn("result", "string", 0, 0)


def write_csv(
    session: Session, duckdb_sql: str, target: Path, names: list[str] | None = None
) -> list[ResultColumn]:
    """Run a query into a CSV file of Athena's kind: all quoted, null as nothing; return its columns.

    `names` are the columns' names where DuckDB would change them (two of the same name).
    """
    columns = session.described(duckdb_sql)
    if names and len(names) == len(columns):
        columns = [(name, kind) for name, (_, kind) in zip(names, columns, strict=True)]
    places = ", ".join(f"c{number}" for number in range(len(columns)))
    texts = ", ".join(f"{as_text(f'c{number}', kind)}" for number, (_, kind) in enumerate(columns))
    body = target.with_suffix(".body")
    session.run(
        f"COPY (SELECT {texts} FROM ({duckdb_sql}) AS result({places})) TO '{body}' "  # noqa: S608
        "(FORMAT csv, HEADER false, FORCE_QUOTE *, NULLSTR '')",
        counted=True,
    )
    header = ",".join('"' + name.replace('"', '""') + '"' for name, _ in columns)
    with target.open("wb") as file:
        file.write(header.encode() + b"\n")
        with body.open("rb") as rows:
            while block := rows.read(1 << 20):
                file.write(block)
    body.unlink()
    return [ResultColumn(name, *athena_type(kind)) for name, kind in columns]


def write_lines(lines: list[str], target: Path) -> list[ResultColumn]:
    """Write the result of a SHOW or DESCRIBE, a line a row."""
    target.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return [TEXT_COLUMN] if lines else []


def write_metadata(columns: list[ResultColumn], target: Path) -> None:
    """Write what the columns are beside the result; Athena's own file is binary and undocumented."""
    target.write_text(json.dumps([column.as_dict() for column in columns]), encoding="utf-8")


def read_csv_page(file: Path, offset: int, rows: int) -> tuple[list[list[str | None]], int | None]:
    """Return up to `rows` rows from the byte `offset` on, and where the next page starts, None at the end."""
    size = file.stat().st_size
    page: list[list[str | None]] = []
    with file.open("rb") as source:
        source.seek(offset)
        while len(page) < rows and source.tell() < size:
            line = source.readline()
            while line.count(b'"') % 2:
                line += source.readline()
            page.append(_fields(line))
        position = source.tell()
    return page, position if position < size else None


def read_lines_page(file: Path, offset: int, rows: int) -> tuple[list[list[str | None]], int | None]:
    """Return up to `rows` lines as rows of one column, and where the next page starts."""
    lines = file.read_text(encoding="utf-8").splitlines()
    following = offset + rows
    return [[line] for line in lines[offset:following]], following if following < len(lines) else None


def as_text(name: str, kind: Any) -> str:
    """Return the expression that writes a value as Athena does."""
    identifier = type_id(kind)
    if identifier == "struct":
        parts = [
            f"'{field}=' || coalesce({as_text(f'{name}.{quoted(field)}', child)}, 'null')"
            for field, child in kind.children
        ]
        joined = " || ', ' || ".join(parts)
        return f"CASE WHEN {name} IS NOT NULL THEN '{{' || {joined} || '}}' END"
    if identifier in {"list", "array"}:
        child = dict(kind.children)["child"]
        items = f"list_transform({name}, lambda x: coalesce({as_text('x', child)}, 'null'))"
        return f"'[' || array_to_string({items}, ', ') || ']'"
    return TEXTS.get(identifier, "CAST({0} AS VARCHAR)").format(name)


TEXTS = {
    "timestamp": "strftime({0}, '%Y-%m-%d %H:%M:%S.%g')",
    "timestamp with time zone": "strftime(timezone('UTC', {0}), '%Y-%m-%d %H:%M:%S.%g') || ' UTC'",
    "blob": "trim(regexp_replace(lower(hex({0})), '(..)', '\\1 ', 'g'))",
    "double": "trino_double_text({0})",
    "float": "trino_double_text({0})",
}


def _fields(line: bytes) -> list[str | None]:
    fields: list[str | None] = []
    for found in FIELD.finditer(line):
        if found[1] is not None:
            fields.append(found[1].replace(b'""', b'"').decode())
        else:
            fields.append(found[2].decode() or None)
        if found[3] != b",":
            break
    return fields
