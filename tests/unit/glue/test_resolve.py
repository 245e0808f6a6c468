"""What becomes of rows: each event once, everyone's own, no bots."""

from __future__ import annotations

from typing import Any

import pytest
from preprocessing.resolve import actor_counts, bots, identities, resolve
from preprocessing.settings import Settings
from pyspark.sql import DataFrame, SparkSession

SCHEMA = (
    "event_id string, user_id string, device_id string, event_type string, event_value double, "
    "timestamp bigint, "
    "origin string, destination string, transport_mode string, travel_class string, operator string, "
    "price_inr double, departure_at timestamp, duration_minutes double, departure_window string, "
    "price_band string, "
    "source string, file string, block bigint, row_id bigint, dt string"
)
NOON = 1_780_000_000


def event(event_id: str | None, source: str = "web", **values: Any) -> tuple[Any, ...]:
    row: dict[str, Any] = {
        "event_id": event_id,
        "user_id": "u1",
        "device_id": None,
        "event_type": "view",
        "event_value": 1.0,
        "timestamp": NOON,
        "origin": "DEL",
        "destination": "GOI",
        "transport_mode": "flight",
        "travel_class": "economy",
        "operator": None,
        "price_inr": 4000.0,
        "departure_at": None,
        "duration_minutes": None,
        "departure_window": "morning",
        "price_band": None,
        "source": source,
        "file": "f",
        "block": 0,
        "row_id": 0,
        "dt": "2026-05",
    }
    return tuple((row | values).values())


def outcomes(spark: SparkSession, travel: Settings, rows: list[tuple[Any, ...]]) -> dict[str, str]:
    return {row["event_id"]: row["outcome"] for row in resolved(spark, travel, rows).collect()}


def resolved(spark: SparkSession, travel: Settings, rows: list[tuple[Any, ...]]) -> DataFrame:
    frame = spark.createDataFrame(rows, SCHEMA)
    counts = actor_counts(frame)
    bot_days = bots(frame, counts, travel.maximum_events_per_hour)
    return resolve(frame, identities(counts), bot_days, travel)


def test_the_booking_wins_over_the_clicks_that_show_it(spark: SparkSession, travel: Settings) -> None:
    rows = [
        event("click", "ios", event_type="purchase"),
        event("booking", "transactions", event_type="purchase", timestamp=NOON + 90),
        event("another", "ios", event_type="purchase", timestamp=NOON + 90 + 121),
    ]
    assert outcomes(spark, travel, rows) == {"click": "duplicate", "booking": "kept", "another": "kept"}


def test_the_same_act_again_in_the_same_channel_is_another_event(
    spark: SparkSession, travel: Settings
) -> None:
    rows = [event("first"), event("second", timestamp=NOON + 5)]
    assert outcomes(spark, travel, rows) == {"first": "kept", "second": "kept"}


def test_a_redelivered_event_is_kept_once(spark: SparkSession, travel: Settings) -> None:
    rows = [event("e"), event("e", timestamp=NOON + 4000), event("e")]
    found = resolved(spark, travel, rows).groupBy("outcome").count().collect()
    assert {row["outcome"]: row["count"] for row in found} == {"kept": 1, "duplicate": 2}


def test_equal_rows_without_an_id_are_one_event(spark: SparkSession, travel: Settings) -> None:
    found = resolved(spark, travel, [event(None), event(None), event(None, price_inr=1.0)]).collect()
    assert sorted(row["outcome"] for row in found) == ["duplicate", "kept", "kept"]


def test_a_device_is_stitched_to_its_only_user(spark: SparkSession, travel: Settings) -> None:
    rows = [
        event("login", device_id="d1"),
        event("before", user_id=None, device_id="d1", timestamp=NOON - 9000),
        event("stranger", user_id=None, device_id="d2"),
    ]
    found = {
        row["event_id"]: (row["outcome"], row["user_id"]) for row in resolved(spark, travel, rows).collect()
    }
    assert found["before"] == ("kept", "u1")
    assert found["stranger"] == ("unidentified", None)


def test_a_device_of_two_users_is_nobodys(spark: SparkSession, travel: Settings) -> None:
    rows = [
        event("one", device_id="d1"),
        event("two", device_id="d1", user_id="u2"),
        event("who", device_id="d1", user_id=None),
    ]
    assert outcomes(spark, travel, rows)["who"] == "unidentified"


def test_a_bot_is_filtered_for_the_day_and_no_longer(spark: SparkSession, travel: Settings) -> None:
    busy = [event(f"b{n}", timestamp=NOON + n % 60) for n in range(travel.maximum_events_per_hour + 1)]
    rows = [*busy, event("same day", timestamp=NOON + 7200), event("later", timestamp=NOON + 3 * 86400)]
    found = outcomes(spark, travel, [*rows, event("other", user_id="u2")])
    assert found["b0"] == found["same day"] == "bot"
    assert found["later"] == found["other"] == "kept"


@pytest.mark.parametrize("step", [1, 3])
def test_the_order_of_rows_does_not_matter(spark: SparkSession, travel: Settings, step: int) -> None:
    rows = [
        event(f"e{n % 7}", ["web", "ios", "transactions"][n % 3], timestamp=NOON + 40 * (n % 5))
        for n in range(24)
    ]
    mixed = [row for start in range(step) for row in rows[start::step]][::-1]

    def content(given: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        kept = resolved(spark, travel, given).where("outcome = 'kept'")
        return sorted(tuple(row) for row in kept.select("event_id", "source", "timestamp").collect())

    assert content(mixed) == content(rows)
