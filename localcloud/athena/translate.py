"""Trino SQL as DuckDB SQL: what the two mean differently by the same words, and what each names otherwise."""

from __future__ import annotations

from sqlglot import ErrorLevel, exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import UnsupportedError

from localcloud.athena.errors import QueryError
from localcloud.athena.formats import strftime_format
from localcloud.athena.functions import UNITS
from localcloud.athena.lambdas import Rewrite, call, matched, over_entries, pair, reduced


def to_duckdb(statement: exp.Expression) -> str:
    """Return a parsed query as DuckDB SQL. Raises QueryError for what cannot be said there."""
    rewritten = statement.copy().transform(_rewrite)
    try:
        return rewritten.sql(DuckDB, unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise QueryError(
            "NOT_SUPPORTED", f"localcloud's Athena cannot run this statement: {error}"
        ) from error


def _rewrite(node: exp.Expression) -> exp.Expression:
    if isinstance(node, exp.Anonymous):
        rewrite = BY_NAME.get(str(node.this).lower())
    else:
        rewrite = BY_KIND.get(type(node))
    return rewrite(node) if rewrite else node


def _unit(node: exp.Expression) -> str:
    unit = node.args.get("unit")
    name = str(unit.name if isinstance(unit, exp.Expression) else unit or "day").lower()
    if name not in UNITS:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"'{name}' is not a valid unit of time")
    return name


def _date_add(node: exp.Expression) -> exp.Expression:
    amount = node.expression
    if isinstance(amount, exp.Interval):
        return _add_interval(node.this, amount, 1)
    return call(f"trino_add_{_unit(node)}", node.this, amount)


def _add(node: exp.Expression) -> exp.Expression:
    if isinstance(node.expression, exp.Interval):
        return _add_interval(node.this, node.expression, 1)
    if isinstance(node.this, exp.Interval):
        return _add_interval(node.expression, node.this, 1)
    return node


def _subtract(node: exp.Expression) -> exp.Expression:
    if isinstance(node.expression, exp.Interval):
        return _add_interval(node.this, node.expression, -1)
    return node


def _add_interval(moment: exp.Expression, interval: exp.Interval, sign: int) -> exp.Expression:
    """Add an interval so that a DATE stays a DATE, as in Trino."""
    amount: exp.Expression = (
        exp.Literal.number(interval.this.name) if interval.this.is_string else interval.this
    )
    if sign < 0:
        amount = exp.Neg(this=exp.Paren(this=amount))
    return call(f"trino_add_{_unit(interval)}", moment, amount)


def _date_diff(node: exp.Expression) -> exp.Expression:
    """Count whole units between two moments, as DuckDB's date_sub does (its date_diff counts boundaries)."""
    return call("date_sub", exp.Literal.string(_unit(node)), node.expression, node.this)


def _date_trunc(node: exp.Expression) -> exp.Expression:
    return call(f"trino_trunc_{_unit(node)}", node.this)


def _regexp_extract(node: exp.Expression) -> exp.Expression:
    group = node.args.get("group") or exp.Literal.number(0)
    return call("trino_regexp_extract", node.this, node.expression, group)


def _json_scalar(node: exp.Expression) -> exp.Expression:
    return call("trino_json_scalar", node.this, _json_path(node))


def _json_extract(node: exp.Expression) -> exp.Expression:
    return call("trino_json_extract", node.this, _json_path(node))


def _json_path(node: exp.Expression) -> exp.Expression:
    path = node.expression
    return exp.Literal.string(path.sql(DuckDB).strip("'")) if isinstance(path, exp.JSONPath) else path


def _slice(node: exp.Expression) -> exp.Expression:
    """Slice by start and length; DuckDB's by start and end."""
    start, length = node.args["start"], node.args["end"]
    end = exp.Sub(this=exp.Add(this=start.copy(), expression=length), expression=exp.Literal.number(1))
    return call("list_slice", node.this, start, end)


def _concat(node: exp.Expression) -> exp.Expression:
    """Join by ||, which is null when a part is, and joins arrays too."""
    joined, *rest = node.expressions
    for part in rest:
        joined = exp.DPipe(this=joined, expression=part)
    return exp.Paren(this=joined)


def _pattern(node: exp.Expression) -> exp.Expression:
    if not (isinstance(node, exp.Literal) and node.is_string):
        raise QueryError("NOT_SUPPORTED", "localcloud's Athena needs a literal date pattern")
    return exp.Literal.string(strftime_format(node.name))


def _format_datetime(node: exp.Expression) -> exp.Expression:
    moment, pattern = node.expressions
    return call("strftime", moment, _pattern(pattern))


def _parse_datetime(node: exp.Expression) -> exp.Expression:
    text, pattern = node.expressions
    return call("strptime", text, _pattern(pattern))


def _at_time_zone(node: exp.Expression) -> exp.Expression:
    return call("at_timezone", node.this, node.args["zone"])


def _from_unixtime(node: exp.Expression) -> exp.Expression:
    """Return a moment; in a zone, its local time there."""
    moment = call("to_timestamp", node.this)
    zone = node.args.get("zone")
    return call("timezone", zone, moment) if zone is not None else moment


def _renamed(name: str) -> Rewrite:
    return lambda node: call(name, *node.expressions)


def _sequence(node: exp.Expression) -> exp.Expression:
    if node.args.get("step") is not None:
        return node
    return call("trino_sequence", node.args.get("start"), node.args.get("end"))


def _unnest(node: exp.Expression) -> exp.Expression:
    """Unnest several lists side by side, and maps into keys and values, through a lateral SELECT."""
    alias = node.args.get("alias")
    columns_named = len(alias.columns) if isinstance(alias, exp.TableAlias) else 0
    if len(node.expressions) == 1:
        if columns_named == 2 and not node.args.get("offset"):  # noqa: PLR2004 - a map's key and value
            whole = call("unnest", call("trino_entries", node.expressions[0]), _all_levels())
            return exp.Lateral(this=exp.Subquery(this=exp.Select(expressions=[whole])), alias=alias)
        return node
    if node.args.get("offset"):
        raise QueryError(
            "NOT_SUPPORTED", "localcloud's Athena has no UNNEST of several arrays WITH ORDINALITY"
        )
    calls = [call("unnest", array) for array in node.expressions]
    return exp.Lateral(this=exp.Subquery(this=exp.Select(expressions=calls)), alias=alias)


def _all_levels() -> exp.Expression:
    return exp.PropertyEQ(this=exp.to_identifier("max_depth"), expression=exp.Literal.number(2))


def _divide(node: exp.Expression) -> exp.Expression:
    return call("trino_divide", node.this, node.expression)


def _split_part(node: exp.Expression) -> exp.Expression:
    return call("trino_split_part", node.this, node.args.get("delimiter"), node.args.get("part_index"))


def _count_if(node: exp.Expression) -> exp.Expression:
    return call("trino_count_if", node.this)


def _table(node: exp.Expression) -> exp.Expression:
    """Name a table by its database and name only: there is one catalog."""
    if node.args.get("catalog"):
        if node.text("catalog").lower() != "awsdatacatalog":
            raise QueryError("CATALOG_NOT_FOUND", f"Catalog '{node.text('catalog')}' does not exist")
        node.set("catalog", None)
    return node


BY_KIND: dict[type[exp.Expression], Rewrite] = {
    exp.Add: _add,
    exp.AtTimeZone: _at_time_zone,
    exp.Concat: _concat,
    exp.ArraySize: lambda node: call("cardinality", node.this),
    exp.ArraySlice: _slice,
    exp.CountIf: _count_if,
    exp.DateAdd: _date_add,
    exp.DateDiff: _date_diff,
    exp.DateTrunc: _date_trunc,
    exp.Div: _divide,
    exp.GenerateSeries: _sequence,
    exp.JSONExtract: _json_extract,
    exp.JSONExtractScalar: _json_scalar,
    exp.Reduce: reduced,
    exp.ParseDatetime: lambda node: call("strptime", node.this, _pattern(node.args["format"])),
    exp.RegexpExtract: _regexp_extract,
    exp.SplitPart: _split_part,
    exp.StrToMap: lambda node: call(
        "trino_split_to_map", node.this, node.args.get("pair_delim"), node.args.get("key_value_delim")
    ),
    exp.Sub: _subtract,
    exp.Table: _table,
    exp.TimestampTrunc: _date_trunc,
    exp.UnixToTime: _from_unixtime,
    exp.Unnest: _unnest,
}
BY_NAME: dict[str, Rewrite] = {
    "all_match": matched("list_bool_and"),
    "any_match": matched("list_bool_or"),
    "none_match": matched("list_bool_or", negate=True),
    "format_datetime": _format_datetime,
    "parse_datetime": _parse_datetime,
    "contains_sequence": _renamed("list_has_all"),
    "array_sort": _renamed("list_sort"),
    "array_average": _renamed("list_avg"),
    "shuffle": _renamed("list_shuffle"),
    "map_filter": over_entries(lambda body, _key, _value: body, "list_filter"),
    "transform_keys": over_entries(lambda body, _key, value: pair(body, value), "list_transform"),
    "transform_values": over_entries(lambda body, key, _value: pair(key, body), "list_transform"),
    "url_encode": _renamed("trino_url_encode"),
    "zip": _renamed("list_zip"),
    "day_of_month": _renamed("day"),
    "day_of_year": _renamed("dayofyear"),
    "week_of_year": _renamed("week"),
    "year_of_week": _renamed("isoyear"),
    "yow": _renamed("isoyear"),
    "doy": _renamed("dayofyear"),
    "dow": _renamed("isodow"),
}
