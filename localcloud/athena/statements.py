"""The statements Athena knows: queries in Trino's SQL, definitions in Hive's."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sqlglot import exp

NAME = r"(?:`[^`]+`|\"[^\"]+\"|[\w$-]+)"


@dataclass(frozen=True)
class TableName:
    """A table's name with its database, where the statement gives one."""

    database: str | None
    name: str


@dataclass(frozen=True)
class Query:
    """SELECT, VALUES, WITH."""

    expression: exp.Expression
    kind: str = "SELECT"
    type: str = "DML"


@dataclass(frozen=True)
class CreateTableAs:
    """CREATE TABLE ... AS."""

    table: TableName
    query: exp.Expression
    options: dict[str, str | list[str]]
    if_not_exists: bool
    with_data: bool
    kind: str = "CREATE_TABLE_AS_SELECT"
    type: str = "DDL"


@dataclass(frozen=True)
class Insert:
    """INSERT INTO; no columns means all."""

    table: TableName
    columns: list[str]
    query: exp.Expression
    kind: str = "INSERT"
    type: str = "DML"


@dataclass(frozen=True)
class Unload:
    """UNLOAD (...) TO ... WITH (...)."""

    query: exp.Expression
    location: str
    options: dict[str, str | list[str]]
    kind: str = "UNLOAD"
    type: str = "DML"


@dataclass(frozen=True)
class Explain:
    """EXPLAIN [ANALYZE]."""

    query: exp.Expression
    analyze: bool
    kind: str = "EXPLAIN"
    type: str = "UTILITY"


@dataclass(frozen=True)
class CreateTable:
    """CREATE EXTERNAL TABLE, as sqlglot parses it."""

    expression: exp.Create
    kind: str = "CREATE_TABLE"
    type: str = "DDL"


@dataclass(frozen=True)
class CreateView:
    """CREATE [OR REPLACE] VIEW."""

    table: TableName
    query: exp.Expression
    sql: str
    replace: bool
    kind: str = "CREATE_VIEW"
    type: str = "DDL"


@dataclass(frozen=True)
class Command:
    """A definition read by its form: `kind` says which, `parts` are its named pieces."""

    kind: str
    parts: dict[str, str | None]
    type: str = "DDL"

    @property
    def table(self) -> TableName:
        """The table it is about."""
        return table_name(str(self.parts["table"]))


@dataclass(frozen=True)
class Execute:
    """EXECUTE name USING ..."""

    name: str
    parameters: list[str] = field(default_factory=list)
    kind: str = "EXECUTE"
    type: str = "DML"


Statement = Query | CreateTableAs | Insert | Unload | Explain | CreateTable | CreateView | Command | Execute


def table_name(text: str) -> TableName:
    """Split `db.table`, quoted or not, into lower-case names."""
    names = [part.strip('`"').lower() for part in re.findall(NAME, text)]
    return TableName(names[-2] if len(names) > 1 else None, names[-1])
