"""Times are read as their source means them, or not at all."""

from __future__ import annotations

import pytest
from preprocessing.settings import Attribute, Clock
from preprocessing.values import epoch_seconds, typed
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812

MOMENT = 1_741_753_800  # 2025-03-12 10:00 in India
CLOCKS = {
    "iso8601": "2025-03-12T10:00:00",
    "dd/MM/yyyy HH:mm:ss": "12/03/2025 10:00:00",
    "epoch_ms": "1741753800000",
}


@pytest.mark.parametrize(("pattern", "text"), CLOCKS.items())
def test_a_clock_without_a_zone_is_of_its_sources(spark: SparkSession, pattern: str, text: str) -> None:
    assert seconds(spark, pattern, text) == MOMENT


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("iso8601", "-2025-03-12T10:00:00+05:30"),
        ("iso8601", "10:00:00"),
        ("iso8601", "T10:00"),
        ("iso8601", "2025"),
        ("dd/MM/yyyy HH:mm:ss", "12/03/-2025 10:00:00"),
        ("epoch_ms", "yesterday"),
    ],
)
def test_what_spark_takes_for_another_time_is_unreadable(
    spark: SparkSession, pattern: str, text: str
) -> None:
    assert seconds(spark, pattern, text) is None


def test_a_time_of_day_is_no_departure(spark: SparkSession) -> None:
    departure = Attribute(name="departure_at", type="timestamp", minimum=None, maximum=None)
    value = typed(F.lit("10:00"), departure, "Asia/Kolkata")
    assert spark.range(1).select(value.isNull()).collect()[0][0]


def seconds(spark: SparkSession, pattern: str, text: str) -> int | None:
    clock = Clock(column="at", format=pattern, timezone="Asia/Kolkata")
    value: int | None = spark.range(1).select(epoch_seconds(F.lit(text), clock)).collect()[0][0]
    return value
