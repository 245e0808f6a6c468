"""The reference tables: customers, coupons, coupon scope and coupon events in standard columns."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from preprocessing.mapping import RAW_CHARACTERS
from preprocessing.raw_fields import field_column
from preprocessing.settings import Clock, Reference
from preprocessing.values import epoch_seconds

# What makes a row of a table one row; a later delivery of the same key replaces the earlier one.
KEYS = {
    "customers": ["user_id"],
    "coupons": ["coupon_id"],
    "coupon_scope": ["coupon_id", "attribute", "value"],
    "coupon_events": ["user_id", "coupon_id", "event_type", "timestamp"],
}
NUMBERS = {"discount_value", "cost"}
DATES = {"valid_from", "valid_until"}
COUPON_EVENT_TYPES = ["issued", "redeemed"]


def column_types(reference: Reference) -> dict[str, str]:
    """Return the table's standard columns and their Spark types."""
    types = {
        name: "double" if name in NUMBERS else "date" if name in DATES else "string"
        for name in reference.columns
    }
    return types | ({"timestamp": "bigint"} if reference.clock else {})


def standard_reference(fields: DataFrame, reference: Reference) -> DataFrame:
    """Return one row a raw line: the standard columns, `file`, `block`, `row_id`, `reason` and `raw`."""
    columns = {name: _value(reference, name) for name in reference.columns}
    if reference.clock:
        columns["timestamp"] = _time(reference.clock)
    rows = fields.select("*", *[column.alias(name) for name, column in columns.items()])
    reason = F.col("unusable")
    for key in KEYS[reference.name]:
        reason = F.coalesce(reason, F.when(F.col(key).isNull(), f"missing_{key}"))
    if reference.name == "coupon_events":
        unknown = ~F.col("event_type").isin(COUPON_EVENT_TYPES)
        reason = F.coalesce(reason, F.when(unknown, "unknown_event_type"))
    text = F.substring(F.decode(F.col("raw_line").cast("binary"), "UTF-8"), 1, RAW_CHARACTERS)
    return rows.withColumn("reason", reason).select(
        F.lit(reference.name).alias("source"),
        "file",
        "block",
        "row_id",
        "reason",
        F.when(F.col("reason").isNotNull(), text).alias("raw"),
        *[F.col(name).alias(name) for name in columns],
    )


def latest_rows(rows: DataFrame, reference: Reference) -> DataFrame:
    """Keep one sound row a key: of the last file, and in it of the last line."""
    columns = list(column_types(reference))
    if set(columns) == set(KEYS[reference.name]):
        return rows.where("reason IS NULL").select(*columns).distinct()
    newest = Window.partitionBy(*KEYS[reference.name]).orderBy(F.desc("file"), F.desc("row_id"))
    sound = rows.where("reason IS NULL").withColumn("place", F.row_number().over(newest))
    return sound.where("place = 1").select(*columns)


def _value(reference: Reference, name: str) -> Column:
    raw = F.col(field_column(reference.columns[name]))
    if name in NUMBERS:
        return raw.cast("double")
    return raw.cast("date") if name in DATES else raw


def _time(clock: Clock) -> Column:
    return epoch_seconds(F.col(field_column(clock.column)), clock)
