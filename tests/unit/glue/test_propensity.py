"""Who redeems how much of a campaign: learnt from the past only, calibrated, and told for every pair."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

sys.path.insert(0, str(Path(__file__).parent))

from coupon_world import COUPONS, DAY, World, made_world
from targeting import features, windows
from targeting.history import Catalogue, History, catalogue_of, past_pairs, redemptions_of
from targeting.learning import Offer, expectations, learn, of_nobody
from targeting.probabilities import Curated, last_moment, redemption_probabilities
from targeting.propensity import PRIOR_RATE, CalibratedModel, SmoothedRate

from benchmarks.coupons.journey import Journey
from benchmarks.coupons.rolling import Situation, shares_kept, situations


@pytest.fixture(scope="module")
def world() -> World:
    return made_world()


def expected_of_last(history: History, world: World) -> np.ndarray:
    offer = Offer(world.catalogue, world.starts[world.last])
    users = sorted(set(world.interactions["user_id"]))
    learnt = learn(history, world.catalogue, as_of=offer.as_of)
    said = expectations(learnt, history, offer, users)
    return said.expected[(said.pairs["campaign_id"] == world.last).to_numpy()]


def with_the_future(world: World) -> History:
    """Return the history as if everybody bought and redeemed everything from the decision's moment on."""
    as_of = world.starts[world.last]
    users = sorted(set(world.interactions["user_id"]))[::2]
    campaigns, coupons = world.coupons["campaign_id"].unique(), world.coupons["coupon_id"]
    bought = [(user, as_of + day * DAY, True, f"p{day}", 9.0) for user in users for day in range(12)]
    issued = [(user, one, as_of + DAY, 40.0) for user in users for one in campaigns]
    redeemed = [(user, one, as_of + turn) for user in users for one in coupons for turn in (0, DAY)]
    extra = History(
        pd.DataFrame(bought, columns=["user_id", "timestamp", "is_outcome", "product", "price"]),
        pd.DataFrame(issued, columns=["user_id", "campaign_id", "timestamp", "coupons"]),
        pd.DataFrame(redeemed, columns=["user_id", "coupon_id", "timestamp"]),
    )
    return joined(world.history, extra)


def joined(history: History, extra: History) -> History:
    return History(
        *(
            pd.concat(parts, ignore_index=True)
            for parts in (
                (history.interactions, extra.interactions),
                (history.issues, extra.issues),
                (history.redemptions, extra.redemptions),
            )
        )
    )


def without_guards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every row be seen, whenever it was."""

    def all_of_key(
        row_key: np.ndarray, row_time: np.ndarray, moment_key: np.ndarray, moment_time: np.ndarray
    ) -> windows.Before:
        seen = windows.before(row_key, np.full_like(row_time, -1), moment_key, np.zeros_like(moment_time))
        return replace(seen, age_days=np.ones(len(seen.row)))

    monkeypatch.setattr(History, "before", lambda self, _: self)
    monkeypatch.setattr(features, "before", all_of_key)


def test_rows_of_the_future_change_no_expectation(world: World) -> None:
    honest = expected_of_last(world.history, world)
    assert np.array_equal(honest, expected_of_last(with_the_future(world), world))


def test_without_the_guards_the_future_would_be_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    without_guards(monkeypatch)
    seen = expected_of_last(world.history, world)
    assert not np.allclose(seen, expected_of_last(with_the_future(world), world))


def benchmark_situation(world: World, history: History) -> Situation:
    journey = Journey(history, world.catalogue, pd.Series(world.starts))
    return dict(situations(journey))[world.starts[world.last]]


def same(one: Situation, other: Situation) -> bool:
    return (
        one.past.equals(other.past)
        and np.array_equal(one.redemptions, other.redemptions)
        and one.past_features.equals(other.past_features)
        and one.features.equals(other.features)
    )


def test_the_benchmark_decides_the_same_whatever_the_future_holds(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, tempted = (benchmark_situation(world, one) for one in (world.history, with_the_future(world)))
    assert len(honest.pairs) == len(tempted.pairs) > 100
    assert same(honest, tempted)
    without_guards(monkeypatch)
    assert not same(*(benchmark_situation(world, one) for one in (world.history, with_the_future(world))))


def test_outcomes_count_only_when_they_are_all_known(world: World) -> None:
    as_of, catalogue = world.starts[world.last], world.catalogue
    pairs = past_pairs(world.history, as_of=as_of, label_days=14)
    assert set(pairs["campaign_id"]) == {f"P{one}" for one in range(7)}
    pairs = past_pairs(world.history, as_of=as_of, label_days=15)
    assert set(pairs["campaign_id"]) == {f"P{one}" for one in range(6)}
    first_week = redemptions_of(pairs, world.history, catalogue, as_of=as_of, label_days=7)
    assert (
        0 < len(first_week) < len(redemptions_of(pairs, world.history, catalogue, as_of=as_of, label_days=14))
    )


def test_features_count_what_lies_strictly_before(world: World) -> None:
    at = 1_000 * DAY
    history = History(
        pd.DataFrame(
            [
                ("a", at, True, "p1", 2.0),
                ("a", at - 1, True, "p1", 3.0),
                ("a", at - 20 * DAY, True, "p2", 5.0),
                ("a", at - 400 * DAY, True, "p1", 7.0),
                ("b", at - 1, False, "p1", 9.0),
            ],
            columns=["user_id", "timestamp", "is_outcome", "product", "price"],
        ),
        pd.DataFrame(
            [("a", "P0", at - 50 * DAY, 4.0)], columns=["user_id", "campaign_id", "timestamp", "coupons"]
        ),
        pd.DataFrame([("a", "x", at - 40 * DAY)], columns=["user_id", "coupon_id", "timestamp"]),
    )
    coupons = world.catalogue.coupons.iloc[:2].assign(coupon_id=["x", "y"], campaign_id=["P0", "P1"])
    catalogue = Catalogue(coupons, {"product": pd.DataFrame({"value": ["p1", "p1"], "coupon": [0, 1]})})
    pairs = pd.DataFrame({"user_id": ["a", "b"], "campaign_id": "P1", "as_of": at, "coupons": 1.0})
    found = features.pair_features(pairs, history, catalogue)
    counts = np.expm1(found.columns.astype(float)).round(3)
    assert counts["activity_bought_14"].tolist() == [1, 0]
    assert counts["activity_price_365"].tolist() == [8, 0]
    assert counts["activity_looked_14"].tolist() == [0, 1]
    assert counts["covered_bought_365"].tolist() == [1, 0]
    assert counts["coupons_redeemed_60"].tolist() == [1, 0]
    assert counts["coupons_received"].tolist() == [1, 0]
    assert found.covered.to_numpy().tolist() == [[0, 1, 2]]


def test_expected_redemptions_are_near_the_real_ones_and_rank_better_than_rates(world: World) -> None:
    as_of, catalogue = world.starts[world.last], world.catalogue
    learnt = learn(world.history, catalogue, as_of=as_of)
    assert isinstance(learnt.propensity, CalibratedModel)
    assert learnt.weights.bought > 0
    issued = world.issues[world.issues["campaign_id"] == world.last]
    users = sorted(issued["user_id"])
    said = expectations(learnt, world.history, Offer(catalogue, as_of), users)
    of_last = world.coupons.loc[world.coupons["campaign_id"] == world.last, "coupon_id"]
    real = world.redemptions[world.redemptions["coupon_id"].isin(of_last)].groupby("user_id").size()
    real_counts = real.reindex(users, fill_value=0).to_numpy(dtype=float)
    assert said.expected.sum() == pytest.approx(real_counts.sum(), rel=0.25)
    by_rate = SmoothedRate(0.1).expected(
        features.pair_features(said.pairs, world.history.before(as_of), catalogue).columns
    )
    assert shares_kept(said.expected, real_counts, (0.3,)) >= shares_kept(by_rate, real_counts, (0.3,))


def test_little_history_makes_smoothed_rates(world: World) -> None:
    as_of, catalogue = world.starts["P1"] + DAY, world.catalogue
    learnt = learn(world.history, catalogue, as_of=as_of)
    assert isinstance(learnt.propensity, SmoothedRate)
    nobody = of_nobody(learnt, world.history, Offer(catalogue, as_of))
    assert nobody.expected == pytest.approx(learnt.propensity.overall * COUPONS, rel=1e-5)


def test_who_never_redeemed_may_redeem_however_little_is_known(world: World) -> None:
    week = world.starts["P0"] + 7 * DAY
    of_week = world.redemptions["timestamp"] < week
    nothing, first = History(world.interactions, world.issues[:0], world.redemptions[:0]), world.history
    unredeemed = History(world.interactions, world.issues, world.redemptions[:0])
    for history, as_of, rate in (
        (nothing, week, PRIOR_RATE),
        (first, week, of_week.sum() / (COUPONS * (world.issues["campaign_id"] == "P0").sum())),
        (unredeemed, world.starts[world.last], 0.0),
    ):
        learnt = learn(history, world.catalogue, as_of=as_of)
        assert isinstance(learnt.propensity, SmoothedRate)
        assert learnt.propensity.overall == pytest.approx(rate, abs=1e-3)
        said = expectations(learnt, unredeemed, Offer(world.catalogue, as_of), ["u0001", "u0002"])
        assert (said.per_weight > 0).all()


def test_coupons_of_which_little_is_known_are_told_of_too(world: World) -> None:
    bare = catalogue_of(world.coupons[["coupon_id"]], world.coupon_scope)
    learnt = learn(world.history, bare, as_of=world.starts[world.last])
    said = expectations(learnt, world.history, Offer(bare, world.starts[world.last]), ["u0001", "u0002"])
    assert len(said.expected) == 2 * len(world.coupons)
    assert np.isfinite(said.expected).all()


def test_every_pair_gets_its_probabilities(world: World, spark: SparkSession) -> None:
    as_of = world.starts[world.last]
    issued = world.issues.merge(world.coupons[["coupon_id", "campaign_id"]], on="campaign_id")
    events = pd.concat(
        [issued.assign(event_type="issued"), world.redemptions.assign(event_type="redeemed")],
        ignore_index=True,
    )[["user_id", "coupon_id", "event_type", "timestamp"]]
    interactions = world.interactions.drop(columns="is_outcome").assign(
        event_type="purchase", event_value=1.0
    )
    curated = Curated(
        *(_frame(spark, one) for one in (interactions, world.coupons, world.coupon_scope, events))
    )
    assert last_moment(curated) > as_of
    offered = sorted(world.coupons.loc[world.coupons["campaign_id"] == world.last, "coupon_id"])
    users = sorted(set(world.interactions["user_id"]))[:50]
    rows = [
        (user, coupon, 1 / 5, 5)
        for user in [*users, "a stranger"]
        for coupon in [*offered, "C00", "not in the table"]
    ]
    pairs = spark.createDataFrame(rows, "user_id string, coupon_id string, score double, ranked int")
    found = redemption_probabilities(pairs, curated, as_of=as_of, seed=1).toPandas()
    assert len(found) == len(rows)
    assert found.notna().all(axis=None)
    of_user = found.groupby("user_id")["probability"].sum()
    whole = dict(
        zip(sorted(set(world.interactions["user_id"])), expected_of_last(world.history, world), strict=True)
    )
    # the ranking gave a fifth to each of the four coupons and to one that is not valid any more
    assert of_user[users].to_numpy() == pytest.approx([whole[user] for user in users], rel=1e-3)
    assert (found.loc[~found["coupon_id"].isin(offered), "probability"] == 0).all()
    assert 0 < of_user["a stranger"] < COUPONS
    habitual = found[(found["user_id"] != "a stranger") & found["coupon_id"].isin(offered)]
    assert habitual["organic_probability"].between(0, 1).all()
    assert habitual["organic_probability"].max() > 0.5 > habitual["organic_probability"].median()


def _frame(spark: SparkSession, rows: pd.DataFrame) -> object:
    types = {"float64": "double", "int64": "long", "object": "string", "str": "string"}
    schema = ", ".join(
        f"{name} {'date' if name.startswith('valid') else types[str(kind)]}"
        for name, kind in rows.dtypes.items()
    )
    return spark.createDataFrame([tuple(row) for row in rows.astype(object).to_numpy().tolist()], schema)
