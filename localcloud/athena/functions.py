"""Trino's functions that DuckDB lacks or means otherwise, as DuckDB macros.

A macro with several bodies is chosen by its arguments' types. `translate` calls those named `trino_...`.
"""

from __future__ import annotations

import re
from typing import Any

CALL = re.compile(r"([a-z_0-9]+)\(")

# One unit's function that adds n of it; and whether it keeps a DATE a DATE.
UNITS = {
    "millisecond": ("to_milliseconds", False),
    "second": ("to_seconds", False),
    "minute": ("to_minutes", False),
    "hour": ("to_hours", False),
    "day": ("to_days", True),
    "week": ("to_weeks", True),
    "month": ("to_months", True),
    "quarter": ("to_quarters", True),
    "year": ("to_years", True),
}

MACROS = [
    # Numbers
    "trino_divide(a BIGINT, b BIGINT) AS a // b, (a DOUBLE, b DOUBLE) AS a / b",
    "infinity() AS CAST('inf' AS DOUBLE)",
    "nan() AS CAST('nan' AS DOUBLE)",
    "is_finite(x) AS isfinite(x)",
    "is_infinite(x) AS isinf(x)",
    "e() AS exp(1.0e0)",
    (
        "width_bucket(x, low, high, n) AS CASE WHEN x < low THEN 0 WHEN x >= high THEN n + 1 "
        "ELSE CAST(floor((x - low) / CAST(high - low AS DOUBLE) * n) AS BIGINT) + 1 END"
    ),
    "bitwise_and(a, b) AS a & b",
    "bitwise_or(a, b) AS a | b",
    "bitwise_xor(a, b) AS xor(a, b)",
    "bitwise_not(a) AS ~a",
    (
        "trino_double_text(x) AS CASE WHEN isnan(x) THEN 'NaN' WHEN isinf(x) THEN "
        "CASE WHEN x > 0 THEN 'Infinity' ELSE '-Infinity' END ELSE CAST(x AS VARCHAR) END"
    ),
    # Text
    "trino_regexp_extract(s, p, g) AS CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p, g) END",
    "trino_split_part(s, d, n) AS CASE WHEN n <= len(str_split(s, d)) THEN split_part(s, d, n) END",
    "regexp_count(s, p) AS len(regexp_extract_all(s, p))",
    "levenshtein_distance(a, b) AS levenshtein(a, b)",
    "hamming_distance(a, b) AS hamming(a, b)",
    "codepoint(s) AS unicode(s)",
    "to_base64(b) AS base64(b)",
    "from_utf8(b) AS decode(b)",
    "from_hex(s) AS unhex(s)",
    "url_extract_protocol(u) AS nullif(regexp_extract(u, '^([A-Za-z][A-Za-z0-9+.-]*):', 1), '')",
    "url_extract_host(u) AS nullif(regexp_extract(u, '^[A-Za-z0-9+.-]+://(?:[^/?#@]*@)?([^/?#:]*)', 1), '')",
    "url_extract_port(u) AS TRY_CAST(regexp_extract(u, '://[^/?#]*:([0-9]+)', 1) AS BIGINT)",
    "url_extract_path(u) AS regexp_extract(u, '^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*([^?#]*)', 1)",
    "url_extract_query(u) AS regexp_extract(u, '\\?([^#]*)', 1)",
    "url_extract_fragment(u) AS regexp_extract(u, '#(.*)$', 1)",
    "url_extract_parameter(u, p) AS nullif(url_decode(regexp_extract(u, '[?&]' || p || '=([^&#]*)', 1)), '')",
    "trino_url_encode(s) AS replace(url_encode(s), '%20', '+')",
    "normalize(s) AS nfc_normalize(s)",
    (
        "trino_split_to_map(s, d, e) AS map_from_entries(list_transform(str_split(s, d), "
        "lambda p: {'k': split_part(p, e, 1), 'v': split_part(p, e, 2)}))"
    ),
    # JSON
    (
        "trino_json_scalar(j, p) AS CASE WHEN json_valid(j) AND json_type(j, p) NOT IN ('OBJECT', 'ARRAY') "
        "THEN json_extract_string(j, p) END"
    ),
    "trino_json_extract(j, p) AS CASE WHEN json_valid(j) THEN json_extract(j, p) END",
    (
        "json_size(j, p) AS CASE json_type(j, p) WHEN 'OBJECT' THEN len(json_keys(j, p)) "
        "WHEN 'ARRAY' THEN json_array_length(j, p) ELSE 0 END"
    ),
    "is_json_scalar(j) AS json_type(j) NOT IN ('OBJECT', 'ARRAY')",
    "json_array_get(j, i) AS json_extract(j, '$[' || i || ']')",
    "json_array_contains(j, v) AS list_contains(CAST(json(j) AS VARCHAR[]), CAST(v AS VARCHAR))",
    # Arrays and maps
    "element_at(a, k) AS a[k]",
    "array_except(a, b) AS list_filter(list_distinct(a), lambda x: NOT list_contains(b, x))",
    "array_union(a, b) AS list_distinct(list_concat(a, b))",
    "arrays_overlap(a, b) AS list_has_any(a, b)",
    "array_remove(a, v) AS list_filter(a, lambda x: x <> v)",
    "trim_array(a, n) AS a[:len(a) - n]",
    "map_agg(k, v) AS map(list(k), list(v))",
    (
        "trino_sequence(a BIGINT, b BIGINT) AS generate_series(a, b), (a DATE, b DATE) AS "
        "list_transform(generate_series(a, b, INTERVAL 1 DAY), lambda d: CAST(d AS DATE))"
    ),
    # Times
    "at_timezone(t TIMESTAMPTZ, z) AS timezone(z, t), (t TIMESTAMP, z) AS timezone(z, timezone('UTC', t))",
    "with_timezone(t, z) AS timezone(z, t)",
    "from_iso8601_timestamp(s) AS CAST(s AS TIMESTAMPTZ)",
    "from_iso8601_date(s) AS CAST(s AS DATE)",
    (
        "to_iso8601(t DATE) AS strftime(t, '%Y-%m-%d'), "
        "(t TIMESTAMP) AS strftime(t, '%Y-%m-%dT%H:%M:%S.%g'), "
        "(t TIMESTAMPTZ) AS strftime(t, '%Y-%m-%dT%H:%M:%S.%gZ')"
    ),
    "millisecond(t) AS date_part('millisecond', t) % 1000",
    "timezone_hour(t) AS date_part('timezone_hour', t)",
    "last_day_of_month(t) AS last_day(t)",
    "from_unixtime_nanos(n) AS make_timestamp_ns(n)",
    # Aggregates
    "geometric_mean(x) AS exp(avg(ln(x)))",
    "every(x) AS bool_and(x)",
    "trino_count_if(x) AS count(*) FILTER (WHERE x)",
]


def define(connection: Any, sql: str, made: set[str]) -> None:
    """Define in a connection the macros that `sql` calls, but for those already `made` there."""
    for name in sorted(CALL.findall(sql.lower())):
        if name in DEFINITIONS and name not in made:
            connection.execute(f"CREATE MACRO {DEFINITIONS[name]}")
            made.add(name)


def _time_macros() -> list[str]:
    macros = []
    for unit, (function, keeps_date) in UNITS.items():
        step = f"{function}(CAST(n AS {'DOUBLE' if unit in {'second', 'millisecond'} else 'INTEGER'}))"
        on_date = f"CAST(t + {step} AS DATE)" if keeps_date else f"t + {step}"
        macros.append(
            f"trino_add_{unit}(t DATE, n) AS {on_date}, (t TIMESTAMP, n) AS t + {step}, "
            f"(t TIMESTAMPTZ, n) AS t + {step}"
        )
        truncated = f"date_trunc('{unit}', t)"
        macros.append(
            f"trino_trunc_{unit}(t DATE) AS CAST({truncated} AS DATE), (t TIMESTAMP) AS {truncated}, "
            f"(t TIMESTAMPTZ) AS {truncated}"
        )
    return macros


DEFINITIONS = {macro.partition("(")[0]: macro for macro in [*MACROS, *_time_macros()]}
