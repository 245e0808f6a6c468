"""Trino's functions over arrays and maps that take a lambda, with DuckDB's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

Rewrite = Callable[[exp.Expression], exp.Expression]


def call(name: str, *arguments: Any) -> exp.Expression:
    """Return a call of a function by its name; arguments that are None are left out."""
    return exp.Anonymous(this=name, expressions=[a for a in arguments if a is not None])


def reduced(node: exp.Expression) -> exp.Expression:
    """Fold a list; the output function is put around the fold."""
    fold = call("list_reduce", node.this, node.args["merge"], node.args["initial"])
    finish = node.args.get("finish")
    return _applied(finish, [fold]) if isinstance(finish, exp.Lambda) else fold


def _applied(function: exp.Lambda, arguments: list[exp.Expression]) -> exp.Expression:
    """Return the lambda's body with the arguments in place of its parameters."""
    given = dict(zip([parameter.name for parameter in function.expressions], arguments, strict=True))

    def put_in(inner: exp.Expression) -> exp.Expression:
        is_name = isinstance(inner, exp.Column | exp.Identifier) and not isinstance(inner.parent, exp.Column)
        return given[inner.name] if is_name and inner.name in given else inner

    return exp.Paren(this=function.this.copy().transform(put_in))


def over_entries(
    change: Callable[[exp.Expression, exp.Expression, exp.Expression], exp.Expression], function: str
) -> Rewrite:
    """Work on a map as a list of its entries, as DuckDB has no lambda over maps."""

    def rewrite(node: exp.Expression) -> exp.Expression:
        entries, condition = node.expressions
        if not isinstance(condition, exp.Lambda):
            return node
        key, value = (
            exp.Dot(this=exp.to_identifier("entry"), expression=exp.to_identifier(n))
            for n in ("key", "value")
        )
        body = change(_applied(condition, [key, value]), key, value)
        entry_function = exp.Lambda(this=body, expressions=[exp.to_identifier("entry")])
        return call("map_from_entries", call(function, call("map_entries", entries), entry_function))

    return rewrite


def pair(key: exp.Expression, value: exp.Expression) -> exp.Expression:
    """Return a map's entry."""
    return call(
        "struct_pack",
        *(
            exp.PropertyEQ(this=exp.to_identifier(name), expression=part)
            for name, part in (("key", key), ("value", value))
        ),
    )


def matched(node_function: str, *, negate: bool = False) -> Rewrite:
    """Test an array's elements one by one, then fold the answers by `node_function`."""

    def rewrite(node: exp.Expression) -> exp.Expression:
        array, condition = node.expressions
        found = call(node_function, call("list_transform", array, condition))
        return exp.Not(this=found) if negate else found

    return rewrite
