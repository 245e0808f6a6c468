"""The Athena statements on small tables, run by DuckDB in the same translation localcloud starts from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import pytest
import sqlglot

from config import ProjectConfig, load
from config.campaign import Segments
from config.statements import TABLES, campaign_queries, prepare_data_statements, render

Run = Callable[[str], list[dict[str, Any]]]
NOON = 1_780_000_000


@pytest.fixture(scope="module")
def config() -> ProjectConfig:
    return load("travel")


@pytest.fixture
def run(config: ProjectConfig) -> Run:
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE curated_interactions (event_id VARCHAR, user_id VARCHAR, event_type VARCHAR, "
        "event_value DOUBLE, timestamp BIGINT, origin VARCHAR, destination VARCHAR, transport_mode VARCHAR, "
        "travel_class VARCHAR, operator VARCHAR, price_inr DOUBLE, duration_minutes DOUBLE, "
        "departure_window VARCHAR, price_band VARCHAR, source VARCHAR)"
    )
    goa = ["DEL", "GOI", "flight", "economy"]
    rows = [
        ["e1", "u1", "view", 1.0, NOON, *goa, "Old", 4000.0, 150.0, "morning", "2500-5000", "web"],
        ["e2", "u1", "purchase", 5.0, NOON + 60, *goa, "New", 6000.0, 150.0, "morning", "5000-10000", "ios"],
        [
            "e3",
            "u1",
            "view",
            1.0,
            NOON + 60 + 1801,
            *goa,
            "New",
            5000.0,
            150.0,
            "evening",
            "2500-5000",
            "ios",
        ],
        ["e4", "u2", "view", 1.0, NOON, *goa, None, None, None, None, None, "ios"],
    ]
    places = ", ".join("?" * 15)
    connection.executemany(f"INSERT INTO curated_interactions VALUES ({places})", rows)  # noqa: S608
    connection.execute(
        "CREATE TABLE curated_customers AS SELECT 'u1' AS user_id, 'DEL' AS home_city, NULL::VARCHAR "
        "AS age_band, "
        "'gold' AS loyalty_tier"
    )
    connection.execute(
        "CREATE TABLE curated_coupons AS SELECT * FROM (VALUES ('c1', 'p', 'beach', 'flat', 10.0, "
        "100.0, DATE "
        "'2026-05-01', DATE '2026-06-30'), ('c2', 'p', 'bus', 'flat', 10.0, 20.0, DATE '2026-01-01', DATE "
        "'2026-02-01')) AS t(coupon_id, campaign_id, category, discount_type, discount_value, cost, "
        "valid_from, "
        "valid_until)"
    )
    connection.execute(
        "CREATE TABLE curated_coupon_scope AS SELECT * FROM (VALUES ('c1', 'destination', 'GOI'), "
        "('c2', 'transport_mode', 'bus')) AS t(coupon_id, attribute, value)"
    )
    connection.execute(
        "CREATE TABLE curated_coupon_events AS SELECT * FROM (VALUES ('u1', 'c1', 'issued', 1779990000), "
        "('u1', 'c1', 'redeemed', 1779999000), ('u1', 'c1', 'redeemed', 1779999001), "
        "('u1', 'c2', 'redeemed', 1770000000), ('u3', 'c2', 'redeemed', 1770000000), "
        "('u4', 'c1', 'redeemed', 1779999000), ('u\"9', 'c2', 'issued', 1779990000)) AS "
        "t(user_id, coupon_id, event_type, timestamp)"
    )

    def execute(statement: str) -> list[dict[str, Any]]:
        tree = sqlglot.parse_one(statement, read="athena")
        query = tree.expression if isinstance(tree, sqlglot.exp.Create) else tree
        result = connection.execute(query.sql("duckdb"))
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    for table in ("coupon_users",):
        tree = sqlglot.parse_one(render(table, config), read="athena")
        connection.execute(f"CREATE TABLE {table} AS {tree.expression.sql('duckdb')}")
    return execute


def test_an_item_is_a_combination_of_attributes_as_last_seen(run: Run, config: ProjectConfig) -> None:
    items = {item["item_id"]: item for item in run(render("items", config))}
    assert set(items) == {"DEL|GOI|flight|economy|morning", "DEL|GOI|flight|economy|evening"}
    morning = items["DEL|GOI|flight|economy|morning"]
    assert (morning["operator"], morning["price_band"], morning["price_inr"]) == ("New", "5000-10000", 5000.0)
    assert (morning["creation_timestamp"], morning["popularity"]) == (NOON, 6.0)


def test_only_users_with_an_item_are_users(run: Run, config: ProjectConfig) -> None:
    assert run(render("users", config)) == [
        {"user_id": "u1", "home_city": "DEL", "age_band": None, "loyalty_tier": "gold"}
    ]
    assert len(run(render("interactions", config))) == 3


def test_a_session_ends_with_half_an_hour_of_silence(run: Run, config: ProjectConfig) -> None:
    sessions = sorted((s["user_id"], s["events"], s["outcomes"]) for s in run(render("sessions", config)))
    assert sessions == [("u1", 1, 0), ("u1", 2, 1), ("u2", 1, 0)]


def test_coupons_learn_from_redemptions_and_covered_purchases(run: Run, config: ProjectConfig) -> None:
    found = {
        (r["user_id"], r["item_id"], r["event_type"]) for r in run(render("coupon_interactions", config))
    }
    redeemed = {("u1", "c1"), ("u1", "c2"), ("u3", "c2"), ("u4", "c1")}
    assert found == {(*pair, "redeemed") for pair in redeemed} | {("u1", "c1", "covered_purchase")}
    coupons = {c["item_id"]: c["cost_band"] for c in run(render("coupon_items", config))}
    assert coupons == {"c1": "medium", "c2": "low"}


def test_users_are_segmented_by_how_often_and_how_lately_they_redeemed(
    run: Run, config: ProjectConfig
) -> None:
    def habits(**segments: int) -> dict[str, str]:
        campaign = config.coupon_campaign.model_copy(update={"segments": Segments(**segments)})
        changed = config.model_copy(update={"coupon_campaign": campaign})
        return {user["user_id"]: user["coupon_habit"] for user in run(render("coupon_users", changed))}

    assert habits() == {"u1": "frequent", "u2": "never", 'u"9': "never", "u3": "lapsed", "u4": "occasional"}
    later = habits(lapsed_after_days=300, frequent_redemptions=4)
    assert (later["u1"], later["u3"]) == ("occasional", "occasional")


def test_the_audience_is_everybody_with_the_coupons_still_valid(run: Run, config: ProjectConfig) -> None:
    rows = run(campaign_queries(config)["audience"])
    assert {row["part"] for row in rows} == {0}
    lines = {row["line"] for row in rows}
    assert lines == {
        '{"userId":"u1","itemList":["c1"]}',
        '{"userId":"u2","itemList":["c1"]}',
        '{"userId":"u3","itemList":["c1"]}',
        '{"userId":"u4","itemList":["c1"]}',
        '{"userId":"u\\"9","itemList":["c1"]}',
    }


@pytest.mark.parametrize("name", ["travel", "complete_journey"])
def test_every_table_is_dropped_before_it_is_made(name: str) -> None:
    branches = prepare_data_statements(load(name))
    assert [branch[0].sql for branch in branches] == [f"DROP TABLE IF EXISTS {table}" for table in TABLES]
    assert all("$" not in statement.sql for branch in branches for statement in branch)
