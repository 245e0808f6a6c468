"""The names of a query's columns: those Trino gives, and those a table needs."""

from __future__ import annotations

from sqlglot import exp

from localcloud.athena.errors import QueryError


def named_columns(query: exp.Expression) -> exp.Expression:
    """Name the columns that the query does not as Trino does: `_col0`, `_col1`, by place."""
    copied = query.copy()
    if isinstance(copied, exp.Values):
        width = len(copied.expressions[0].expressions) if isinstance(copied.expressions[0], exp.Tuple) else 1
        names = exp.TableAlias(
            this=exp.to_identifier("rows"),
            columns=[exp.to_identifier(f"_col{place}") for place in range(width)],
        )
        copied.set("alias", names)
        return exp.select("*").from_(copied)
    for select in copied.find_all(exp.Select):
        for number, column in enumerate(select.expressions):
            if isinstance(column, exp.Column | exp.Alias | exp.Star | exp.Dot) or column.is_star:
                continue
            column.replace(exp.alias_(column.copy(), f"_col{number}"))
    return copied


def require_names(query: exp.Expression) -> None:
    """See that every column of a new table has a name, and one of its own."""
    select = query.find(exp.Select)
    seen: set[str] = set()
    for number, column in enumerate(select.expressions if select else [], start=1):
        if column.is_star:
            continue
        name = column.alias_or_name.lower()
        if not name or not isinstance(column, exp.Alias | exp.Column | exp.Dot):
            raise QueryError(
                "COLUMN_NAME_NOT_SPECIFIED", f"line 1:1: Column name not specified at position {number}"
            )
        if name in seen:
            raise QueryError(
                "DUPLICATE_COLUMN_NAME", f"line 1:1: Column name '{name}' specified more than once"
            )
        seen.add(name)
