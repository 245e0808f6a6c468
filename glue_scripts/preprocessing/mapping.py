"""From raw fields to standard columns: each source's own names, clocks and event types mapped as declared.

Nothing is dropped: a row that cannot be used keeps its text and gets a `reason`.
"""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

from preprocessing.raw_fields import field_column
from preprocessing.settings import Attribute, Settings, Source
from preprocessing.values import bucket_label, bucketed, epoch_seconds, finite, typed

REJECTED = "rejected"
RAW_CHARACTERS = 4096
LONGEST_ID = 256
CLOCK_SKEW_SECONDS = 86400
ORIGIN_COLUMNS = ["source", "file", "block", "row_id", "reason", "raw"]
ID_COLUMNS = ["event_id", "user_id", "device_id"]


def standard_rows(fields: DataFrame, source: Source, settings: Settings, as_of: int) -> DataFrame:
    """Return one row a raw line: origin, ids, event type and value, timestamp, attributes and dt.

    `as_of` is the epoch second of the run: times more than a day later are rejected. `dt` is the partition of
    sound rows and `rejected` for rows with a reason; `raw` is kept for those alone.
    """
    # each step is a projection of its own, so that no value is worked out twice
    valued = fields.select(
        "*",
        F.lit(source.name).alias("source"),
        *[_raw(source, name).alias(name) for name in [*ID_COLUMNS, "item_id"]],
        _event_type(source).alias("event_type"),
        epoch_seconds(F.col(field_column(source.clock.column)), source.clock).alias("timestamp"),
        *[typed(_raw(source, a.name), a, settings.timezone).alias(a.name) for a in settings.attributes],
    )
    sound = valued.withColumns({a.name: finite(F.col(a.name), a) for a in settings.attributes})
    numbers = {d.name: bucketed(F.col(d.source), d, settings.timezone) for d in settings.derived}
    labels = {d.name: bucket_label(F.col(d.name), d) for d in settings.derived}
    complete = _with_item_attributes(sound.withColumns(numbers).withColumns(labels), source, settings)
    judged = complete.withColumns(
        {"reason": _reason(source, settings, as_of), "event_value": _event_value(settings)}
    )
    is_sound = F.col("reason").isNull()
    text = F.substring(F.decode(F.col("raw_line").cast("binary"), "UTF-8"), 1, RAW_CHARACTERS)
    kept = [*ID_COLUMNS, "event_type", "event_value", "timestamp", *settings.attribute_types]
    return judged.withColumn("raw", F.when(~is_sound, text)).select(
        *ORIGIN_COLUMNS,
        *[F.when(is_sound, F.col(name)).alias(name) for name in kept],
        F.when(is_sound, partition_of(F.col("timestamp"), settings)).otherwise(REJECTED).alias("dt"),
    )


def partition_of(timestamp: Column, settings: Settings) -> Column:
    """Return the partition (`2026-11-23` or `2026-11`) of epoch seconds."""
    length = len("2026-11-23") if settings.partition == "day" else len("2026-11")
    return F.substring(F.timestamp_seconds(timestamp).cast("string"), 1, length)


def _raw(source: Source, name: str) -> Column:
    if name not in source.columns:
        return F.lit(None).cast("string")
    return F.col(field_column(source.columns[name]))


def _event_type(source: Source) -> Column:
    mapping = source.event_type
    if mapping.constant:
        return F.lit(mapping.constant)
    raw = F.col(field_column(mapping.column or ""))
    standard = F.lit(None).cast("string")
    for name, value in mapping.values.items():
        standard = F.when(raw == name, value).otherwise(standard)
    return standard


def _event_value(settings: Settings) -> Column:
    value = F.lit(None).cast("double")
    for name, worth in settings.event_values.items():
        value = F.when(F.col("event_type") == name, float(worth)).otherwise(value)
    return value


def _with_item_attributes(rows: DataFrame, source: Source, settings: Settings) -> DataFrame:
    """Fill absent id attributes from the parts of an item id, where the source sends one."""
    if "item_id" not in source.columns:
        return rows
    parts = F.split("item_id", "\\Q" + settings.item.separator + "\\E")
    is_whole = F.size(parts) == len(settings.item.id_attributes)
    types = settings.attribute_types
    filled = {
        name: F.coalesce(F.col(name), F.when(is_whole, parts[place]).cast(types[name]))
        for place, name in enumerate(settings.item.id_attributes)
    }
    return rows.withColumns(filled)


def _reason(source: Source, settings: Settings, as_of: int) -> Column:
    """Return why a row cannot be used, the first cause found; null for a sound row."""
    raw_time = F.col(field_column(source.clock.column))
    time = F.col("timestamp")
    earliest = F.unix_timestamp(F.lit(settings.earliest).cast("timestamp"))
    causes = [
        (F.col("unusable").isNotNull(), F.col("unusable")),
        (raw_time.isNull(), F.lit("missing_time")),
        (time.isNull(), F.lit("unreadable_time")),
        ((time < earliest) | (time > as_of + CLOCK_SKEW_SECONDS), F.lit("time_out_of_range")),
        (F.col("event_type").isNull(), F.lit("unknown_event_type")),
        (F.coalesce("user_id", "device_id").isNull(), F.lit("no_user_or_device")),
        *[(F.col(name).isNull(), F.lit(f"missing_{name}")) for name in source.required],
        *[cause for attribute in settings.attributes for cause in _attribute_causes(source, attribute)],
        *_text_causes(settings),
    ]
    reason = F.lit(None).cast("string")
    for condition, cause in reversed(causes):
        reason = F.when(condition, cause).otherwise(reason)
    return reason


def _attribute_causes(source: Source, attribute: Attribute) -> list[tuple[Column, Column]]:
    value = F.col(attribute.name)
    causes = []
    if attribute.type != "string" and attribute.name in source.columns:
        unreadable = value.isNull() & _raw(source, attribute.name).isNotNull()
        causes.append((unreadable, F.lit(f"unreadable_{attribute.name}")))
    for limit, is_outside in (
        (attribute.minimum, lambda bound: value < bound),
        (attribute.maximum, lambda bound: value > bound),
    ):
        if limit is not None:
            causes.append((is_outside(limit), F.lit(f"{attribute.name}_out_of_range")))
    return causes


def _text_causes(settings: Settings) -> list[tuple[Column, Column]]:
    """Find text no one meant: undecodable bytes, NULs, ids longer than Personalize takes."""
    types = settings.attribute_types
    texts = [*ID_COLUMNS, *(name for name in types if types[name] == "string")]
    together = F.concat_ws("", *texts)
    item = F.concat_ws(settings.item.separator, *settings.item.id_attributes)
    longest = F.greatest(F.length("user_id"), F.length("event_id"), F.length(item))
    # bytes are known, characters are counted: that only where there could be too many of them
    sizes = [F.coalesce(F.octet_length(name), F.lit(0)) for name in settings.item.id_attributes]
    item_bytes = reduce(Column.__add__, sizes) + len(sizes) * len(settings.item.separator.encode())
    most_bytes = F.greatest(F.octet_length("user_id"), F.octet_length("event_id"), item_bytes)
    is_too_long = (most_bytes > LONGEST_ID) & (longest > LONGEST_ID)
    return [
        (together.contains("\ufffd") | together.contains("\u0000"), F.lit("undecodable_text")),
        (is_too_long, F.lit("id_too_long")),
    ]
