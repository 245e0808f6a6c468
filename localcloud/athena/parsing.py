"""SQL texts as statements: Hive's definitions by their form, queries by sqlglot."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import cast

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from localcloud.athena.errors import MalformedQueryError
from localcloud.athena.statements import (
    NAME,
    Command,
    CreateTable,
    CreateTableAs,
    CreateView,
    Execute,
    Explain,
    Insert,
    Query,
    Statement,
    TableName,
    Unload,
    table_name,
)

TABLE = rf"(?P<table>{NAME}(?:\.{NAME}){{0,2}})"
PARTITIONS = r"(?P<list>PARTITION\s*\(.*)"
IN_DATABASE = rf"(?:\s+(?:IN|FROM)\s+(?P<name>{NAME}))?"
FLAGS = re.IGNORECASE | re.DOTALL


# What sqlglot warns of (a statement it does not know) is refused with an error here.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

# The first that matches wins.
COMMANDS: list[tuple[str, str]] = [
    ("CREATE_DATABASE", (rf"CREATE\s+(?:DATABASE|SCHEMA)\s+(?P<exists>IF\s+NOT\s+EXISTS\s+)?(?P<name>{NAME})"
     r"(?:\s+COMMENT\s+'(?P<comment>[^']*)')?(?:\s+LOCATION\s+'(?P<location>[^']*)')?"
     r"(?:\s+WITH\s+DBPROPERTIES\s*\((?P<properties>.*)\))?")),
    ("DROP_DATABASE", (rf"DROP\s+(?:DATABASE|SCHEMA)\s+(?P<exists>IF\s+EXISTS\s+)?(?P<name>{NAME})"
     r"(?:\s+(?P<cascade>CASCADE|RESTRICT))?")),
    ("DROP_VIEW", rf"DROP\s+VIEW\s+(?P<exists>IF\s+EXISTS\s+)?{TABLE}"),
    ("DROP_TABLE", rf"DROP\s+TABLE\s+(?P<exists>IF\s+EXISTS\s+)?{TABLE}"),
    ("MSCK_REPAIR", rf"MSCK\s+REPAIR\s+TABLE\s+{TABLE}"),
    ("ADD_PARTITION", rf"ALTER\s+TABLE\s+{TABLE}\s+ADD\s+(?P<exists>IF\s+NOT\s+EXISTS\s+)?{PARTITIONS}"),
    ("DROP_PARTITION", rf"ALTER\s+TABLE\s+{TABLE}\s+DROP\s+(?P<exists>IF\s+EXISTS\s+)?{PARTITIONS}"),
    ("SET_PROPERTIES", rf"ALTER\s+TABLE\s+{TABLE}\s+SET\s+TBLPROPERTIES\s*\((?P<properties>.*)\)"),
    ("SET_LOCATION", rf"ALTER\s+TABLE\s+{TABLE}\s+SET\s+LOCATION\s+'(?P<location>[^']*)'"),
    ("ADD_COLUMNS", rf"ALTER\s+TABLE\s+{TABLE}\s+ADD\s+COLUMNS\s*\((?P<columns>.*)\)"),
    ("SHOW_DATABASES", r"SHOW\s+(?:DATABASES|SCHEMAS)(?:\s+(?:LIKE\s+)?'(?P<pattern>[^']*)')?"),
    ("SHOW_TABLES", rf"SHOW\s+TABLES{IN_DATABASE}(?:\s+(?:LIKE\s+)?'(?P<pattern>[^']*)')?"),
    ("SHOW_VIEWS", rf"SHOW\s+VIEWS{IN_DATABASE}(?:\s+LIKE\s+'(?P<pattern>[^']*)')?"),
    ("SHOW_COLUMNS", rf"SHOW\s+COLUMNS\s+(?:IN|FROM)\s+{TABLE}{IN_DATABASE}"),
    ("SHOW_PARTITIONS", rf"SHOW\s+PARTITIONS\s+{TABLE}"),
    ("SHOW_TBLPROPERTIES", rf"SHOW\s+TBLPROPERTIES\s+{TABLE}(?:\s*\(\s*'(?P<name>[^']*)'\s*\))?"),
    ("SHOW_CREATE", rf"SHOW\s+CREATE\s+(?P<what>TABLE|VIEW)\s+{TABLE}"),
    ("DESCRIBE", rf"(?:DESCRIBE|DESC)\s+(?P<detail>EXTENDED\s+|FORMATTED\s+)?{TABLE}"),
    ("DESCRIBE", rf"SHOW\s+COLUMNS\s+{TABLE}"),
    ("PREPARE", rf"PREPARE\s+(?P<name>{NAME})\s+FROM\s+(?P<sql>.*)"),
    ("DEALLOCATE", rf"DEALLOCATE\s+PREPARE\s+(?P<name>{NAME})"),
]  # fmt: skip


def parse(sql: str, parameters: list[str] | None = None) -> Statement:
    """Return the statement; `parameters` are SQL literals for its question marks, in order.

    Raises MalformedQueryError for what Athena would refuse when it is submitted.
    """
    text = _without_comments(sql).strip().rstrip(";").strip()
    for kind, pattern in COMMANDS:
        found = re.fullmatch(pattern, text, FLAGS)
        if found:
            return Command(kind, found.groupdict(), "UTILITY" if kind.startswith(("SHOW", "DESC")) else "DDL")
    for pattern, build in FORMS:
        found = re.fullmatch(pattern, text, FLAGS)
        if found:
            return build(found, parameters)
    return _from_sqlglot(_parsed(text), text, parameters)


def properties(text: str | None) -> dict[str, str]:
    """Read `'a' = 'b', 'c' = 'd'`."""
    found = re.findall(r"['\"]([^'\"]+)['\"]\s*=\s*(?:'((?:[^']|'')*)'|\"([^\"]*)\")", text or "")
    return {name: (single or double).replace("''", "'") for name, single, double in found}


def partition_specs(text: str) -> list[tuple[dict[str, str], str | None]]:
    """Read `PARTITION (a='x', b=1) LOCATION 's3://...' PARTITION ...`: values by key, and the location."""
    specs = []
    for found in re.finditer(r"PARTITION\s*\(([^)]*)\)(?:\s*LOCATION\s+'([^']*)')?", text, FLAGS):
        pairs = re.findall(rf"({NAME})\s*=\s*(?:'([^']*)'|\"([^\"]*)\"|([\w.-]+))", found[1])
        values = {name.strip('`"').lower(): a or b or c for name, a, b, c in pairs}
        if not values:
            raise MalformedQueryError(f"no partition values in {found[0]!r}")
        specs.append((values, found[2]))
    if not specs:
        raise MalformedQueryError(f"no partition in {text!r}")
    return specs


def _unload(found: re.Match[str], parameters: list[str] | None) -> Statement:
    query = _bound(_parsed(found["query"]), parameters)
    return Unload(query, found["location"], _options(found["options"] or ""))


def _explain(found: re.Match[str], parameters: list[str] | None) -> Statement:
    return Explain(_bound(_parsed(found["query"]), parameters), bool(found["analyze"]))


def _execute(found: re.Match[str], parameters: list[str] | None) -> Statement:
    listed = _parsed(f"SELECT {found['using']}").expressions if found["using"] else []
    return Execute(found["name"].strip('`"'), [p.sql("athena") for p in listed] or list(parameters or []))


def _view(found: re.Match[str], parameters: list[str] | None) -> Statement:
    query = _bound(_parsed(found["sql"]), parameters)
    return CreateView(table_name(found["table"]), query, found["sql"], bool(found["replace"]))


FORMS: list[tuple[str, Callable[[re.Match[str], list[str] | None], Statement]]] = [
    (r"UNLOAD\s*\((?P<query>.*)\)\s*TO\s+'(?P<location>[^']*)'(?:\s*WITH\s*\((?P<options>.*?)\))?", _unload),
    (r"EXPLAIN\s+(?P<analyze>ANALYZE\s+)?(?:\([^)]*\)\s*)?(?P<query>.*)", _explain),
    (rf"EXECUTE\s+(?P<name>{NAME})(?:\s+USING\s+(?P<using>.*))?", _execute),
    (rf"CREATE\s+(?P<replace>OR\s+REPLACE\s+)?VIEW\s+{TABLE}\s+AS\s+(?P<sql>.*)", _view),
]


def _parsed(text: str) -> exp.Expression:
    try:
        statements = [statement for statement in sqlglot.parse(text, read="athena") if statement is not None]
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        place = f"line {first.get('line', 1)}:{first.get('col', 1)}"
        raise MalformedQueryError(f"{place}: mismatched input '{first.get('highlight', '')}'") from error
    except TokenError as error:
        raise MalformedQueryError(f"line 1:1: {error}") from error
    if len(statements) != 1:
        raise MalformedQueryError(f"Only one sql statement is allowed. Got: {text}")
    return cast(exp.Expression, statements[0])


def _from_sqlglot(parsed: exp.Expression, text: str, parameters: list[str] | None) -> Statement:
    if isinstance(parsed, exp.Query | exp.Values):
        return Query(_bound(parsed, parameters))
    if isinstance(parsed, exp.Insert) and parsed.expression is not None and not parsed.args.get("overwrite"):
        target = parsed.this
        columns = (
            [column.name.lower() for column in target.expressions] if isinstance(target, exp.Schema) else []
        )
        return Insert(_target(target), columns, _bound(parsed.expression, parameters))
    if isinstance(parsed, exp.Create) and parsed.kind == "TABLE":
        if parsed.expression is None:
            return CreateTable(parsed)
        return _create_table_as(parsed, text, parameters)
    raise MalformedQueryError(f"line 1:1: localcloud's Athena does not support this statement: {text[:80]}")


def _create_table_as(parsed: exp.Create, text: str, parameters: list[str] | None) -> CreateTableAs:
    query = parsed.expression
    while isinstance(query, exp.Subquery) and not query.args.get("alias"):
        query = query.this
    found = re.match(
        rf"CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?{NAME}(?:\.{NAME})*\s+WITH\s*\(", text, FLAGS
    )
    options = _options(_bracketed(text, found.end())) if found else {}
    return CreateTableAs(
        table=_target(parsed.this),
        query=_bound(query, parameters),
        options=options,
        if_not_exists=bool(parsed.args.get("exists")),
        with_data=not re.search(r"\bWITH\s+NO\s+DATA\s*$", text, FLAGS),
    )


def _bracketed(text: str, start: int) -> str:
    """Return the text from `start` to the bracket that closes the one before it."""
    depth, quote = 1, ""
    for place in range(start, len(text)):
        character = text[place]
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        else:
            depth += (character == "(") - (character == ")")
            if depth == 0:
                return text[start:place]
    raise MalformedQueryError("line 1:1: missing ')'")


def _options(text: str) -> dict[str, str | list[str]]:
    """Read `format = 'PARQUET', partitioned_by = ARRAY['a', 'b'], bucket_count = 3`."""
    options: dict[str, str | list[str]] = {}
    for name, array, string, word in re.findall(
        r"(\w+)\s*=\s*(?:ARRAY\s*\[([^\]]*)\]|'((?:[^']|'')*)'|([\w.]+))", text, re.IGNORECASE
    ):
        options[name.lower()] = (
            re.findall(r"'([^']*)'", array) if array else (string.replace("''", "'") or word)
        )
    return options


def _target(node: exp.Expression) -> TableName:
    table = node.this if isinstance(node, exp.Schema) else node
    return TableName(table.text("db").lower() or None, table.name.lower())


def _bound(expression: exp.Expression, parameters: list[str] | None) -> exp.Expression:
    """Put the parameters in place of the question marks."""
    marks = [node for node in expression.find_all(exp.Placeholder, bfs=False) if not node.this]
    given = parameters or []
    if len(marks) != len(given):
        if not marks:
            return expression
        raise MalformedQueryError(
            f"line 1:1: Incorrect number of parameters: expected {len(marks)} but found {len(given)}"
        )
    for mark, value in zip(marks, given, strict=True):
        mark.replace(_parsed(f"SELECT {value}").expressions[0])
    return expression


def _without_comments(sql: str) -> str:
    """Blank out comments, keeping every other character where it is."""

    def blank(found: re.Match[str]) -> str:
        text = found[0]
        return text if text[0] in "'\"`" else re.sub(r"[^\n]", " ", text)

    return re.sub(r"'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|--[^\n]*|/\*.*?\*/", blank, sql, flags=re.DOTALL)
