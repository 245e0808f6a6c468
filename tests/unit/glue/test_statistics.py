"""Statistics of attributes against their textbook values, and what is decided by them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from preprocessing.attribute_page import attribute_page
from preprocessing.selection import attribute_report, decide
from preprocessing.settings import Settings
from preprocessing.statistics import (
    Sample,
    correlation_ratio,
    cramers_v,
    describe,
    draw_sample,
    mutual_information,
    pearson,
)
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812

RNG = np.random.default_rng(3)


def test_pearson_is_absolute_and_skips_missing() -> None:
    x = np.array([1.0, 2.0, 3.0, np.nan, 5.0])
    assert pearson(x, -2 * x) == pytest.approx(1.0)
    assert pearson(x, np.ones(5)) == 0.0


def test_cramers_v_is_1_when_one_determines_the_other_and_0_when_independent() -> None:
    a = RNG.integers(0, 4, 5000)
    assert cramers_v(a, (a + 1) % 4) == pytest.approx(1.0, abs=1e-3)
    assert cramers_v(a, RNG.integers(0, 4, 5000)) < 0.04
    assert cramers_v(a, np.zeros(5000, dtype=np.int64)) == 0.0


def test_the_correlation_ratio_is_the_share_of_variance_between_groups() -> None:
    groups = np.array([0, 0, 1, 1])
    values = np.array([1.0, 3.0, 5.0, 7.0])
    assert correlation_ratio(groups, values) == pytest.approx(np.sqrt(16 / 20))


def test_mutual_information_is_one_bit_for_a_fair_telltale_and_none_for_noise() -> None:
    outcome = np.tile([True, False], 2000)
    sample = Sample(
        {"telltale": outcome.astype(np.int64), "noise": RNG.random(4000)}, {"telltale": ["a", "b"]}, outcome
    )
    assert mutual_information(sample, "telltale") == pytest.approx(1.0, abs=1e-3)
    assert mutual_information(sample, "noise") < 0.002


def test_attributes_are_described_over_all_rows(spark: SparkSession) -> None:
    rows = spark.createDataFrame(
        [("a", 1.0), ("a", 3.0), (None, None), ("b", 5.0)], "kind string, price double"
    )
    described, others = describe(rows, {"kind": "string", "price": "double"}, [F.max("kind").alias("last")])
    assert others == {"rows": 4, "last": "b"}
    assert described["kind"] == {"type": "text", "missingShare": 0.25, "distinct": 2}
    assert described["price"]["mean"] == 3.0
    assert described["price"]["deviation"] == 2.0


def test_each_threshold_drops_with_its_reason_and_pins_and_bans_are_obeyed(travel: Settings) -> None:
    item = dataclasses.replace(travel.item, pinned=["origin"], forbidden=["operator"], metadata=None)
    settings = dataclasses.replace(travel, item=item)
    sound = {"type": "text", "missingShare": 0.0, "distinct": 5}
    described = {
        "origin": sound,
        "operator": sound,
        "empty": sound | {"missingShare": 0.9},
        "constant": sound | {"distinct": 1},
        "unique": sound | {"distinct": 10**6},
        "silent": sound,
        "twin": sound,
        "good": sound,
    }
    told = dict.fromkeys(described, 0.01) | {"silent": 0.0}
    pairs = {(a, b): 0.1 for a in described for b in described}
    pairs["twin", "origin"] = pairs["origin", "twin"] = 0.99
    decisions = {d.name: d for d in decide(described, told, pairs, settings, has_outcomes=True)}
    assert {name for name, d in decisions.items() if d.is_kept} == {"origin", "good"}
    assert decisions["twin"].reason == "0.99 associated with origin, above 0.95"
    assert decisions["empty"].reason == "missing in 90% of rows, above 50%"
    assert decisions["silent"].reason == "tells 0 bits about checkout or purchase, below 0.0001"
    without = {d.name: d.is_kept for d in decide(described, told, pairs, settings, has_outcomes=False)}
    assert without["silent"]


def test_the_report_is_a_page_that_escapes_what_it_shows(spark: SparkSession, travel: Settings) -> None:
    schema = "event_id string, event_type string, origin string, price_inr double"
    kinds = ["view", "purchase"]
    data = [(f"e{n}", kinds[n % 2], ["<b>", "DEL"][n % 2], float(n)) for n in range(50)]
    rows = spark.createDataFrame(data, schema)
    types = {"origin": "string", "price_inr": "double"}
    sample = draw_sample(rows, types, ["purchase"], 50)
    assert sample.outcome.sum() == 25
    report = attribute_report(describe(rows, types)[0], sample, travel)
    page = attribute_page(report, "travel <1>")
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert page.count("<svg") == 3
    assert "<div class=scale>&lt;b&gt;, DEL</div>" in page
    assert "<div class=scale>0 to 46.0845 and more</div>" in page
