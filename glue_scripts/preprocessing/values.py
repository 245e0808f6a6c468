"""Raw text to typed values, as Spark expressions: clocks, numbers, buckets."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812 - as all the world writes it

from preprocessing.settings import Attribute, Clock, DerivedAttribute

_YEAR_LENGTH, _DATE_LENGTH, _LONGEST_TIME = len("2026"), len("2026-11-23"), 64
_PLAUSIBLE_EPOCH = 10**14  # beyond this, a number of seconds overflows Spark's timestamps


def trimmed(raw: Column) -> Column:
    """Return the text without blanks around it; empty text is missing."""
    text = F.trim(raw)
    return F.when(text != "", text)


def epoch_seconds(raw: Column, clock: Clock) -> Column:
    """Return whole epoch seconds (UTC) of a raw time; null when it is none."""
    if clock.format in {"epoch_s", "epoch_ms"}:
        number = raw.cast("decimal(20,3)")
        seconds = F.floor(number / 1000 if clock.format == "epoch_ms" else number).cast("bigint")
        return F.when(F.abs(seconds) < _PLAUSIBLE_EPOCH, seconds)
    return F.unix_timestamp(_moment(raw, clock.format, clock.timezone))


def typed(raw: Column, attribute: Attribute, timezone: str) -> Column:
    """Return the attribute's value in its type; null when the text is not of the type."""
    if attribute.type == "string":
        return raw
    if attribute.type == "timestamp":
        return _moment(raw, "iso8601", timezone)
    return raw.cast("double")


def finite(value: Column, attribute: Attribute) -> Column:
    """Return a typed number in its final type, null for NaN and infinities; other types as they are."""
    if attribute.type not in {"double", "long"}:
        return value
    number = F.when(F.abs(value) < float("inf"), value)  # NaN is greater than infinity to Spark
    return number.cast("bigint") if attribute.type == "long" else number


def bucketed(value: Column, attribute: DerivedAttribute, timezone: str) -> Column:
    """Return the number that the attribute's edges divide: the value, or a moment's hour in `timezone`."""
    if attribute.kind == "hour_of_day":
        return F.hour(F.from_utc_timestamp(value, timezone)).cast("double")
    return value


def bucket_label(number: Column, attribute: DerivedAttribute) -> Column:
    """Return the label of the bucket that holds `number`."""
    label = F.when(number.isNotNull(), F.lit(attribute.labels[-1]))
    for edge, name in reversed(list(zip(attribute.edges, attribute.labels[:-1], strict=True))):
        label = F.when(number < edge, F.lit(name)).otherwise(label)
    return label


def _moment(raw: Column, pattern: str, timezone: str) -> Column:
    """Return the instant written in `raw`; times without a zone are of `timezone`.

    Null too for what Spark takes and no source means: a year before 1, or a time of day, as of today.
    """
    if pattern != "iso8601":
        parsed = F.to_timestamp(raw, pattern)
        moment = F.when(F.year(parsed) > 0, parsed)
        return moment if "X" in pattern or "Z" in pattern else F.to_utc_timestamp(moment, timezone)
    moment = F.when(F.substring(raw, _YEAR_LENGTH + 1, 1) == "-", raw.cast("timestamp"))
    # "+" or "-" beyond the date, or a "Z" at the end: cheaper than a regular expression on every row
    tail = F.substring(raw, _DATE_LENGTH + 1, _LONGEST_TIME)
    has_zone = tail.contains("+") | tail.contains("-") | raw.endswith("Z")
    if timezone == "UTC":
        return moment
    return F.when(has_zone, moment).otherwise(F.to_utc_timestamp(moment, timezone))
