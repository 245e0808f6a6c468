"""AWS's metrics against values worked out by hand, and HPO."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localcloud.personalize.metrics import _user_metrics, evaluate, hold_out_users
from localcloud.personalize.recipes import RECIPES, Model
from localcloud.personalize.recipes.top import top_items
from localcloud.personalize.tuning import tune
from tests.unit.recipes.synthetic import rings, training_data

NDCG = "normalized_discounted_cumulative_gain_at"


def test_metrics_of_one_user_worked_out_by_hand():
    hits = np.zeros(25, dtype=bool)
    hits[[1, 6]] = True
    metrics = _user_metrics(hits, 3)
    ideal = 1 + 1 / np.log2(3) + 1 / np.log2(4)
    assert metrics["mean_reciprocal_rank_at_25"] == pytest.approx(1 / 2)
    assert metrics[f"{NDCG}_5"] == pytest.approx((1 / np.log2(3)) / ideal)
    assert metrics[f"{NDCG}_10"] == pytest.approx((1 / np.log2(3) + 1 / np.log2(8)) / ideal)
    assert metrics["precision_at_5"] == pytest.approx(1 / 5)
    assert metrics["precision_at_25"] == pytest.approx(2 / 25)


@given(st.lists(st.booleans(), min_size=25, max_size=25), st.integers(0, 5))
def test_metrics_lie_between_0_and_1(hits, more):
    found = np.array(hits)
    metrics = _user_metrics(found, max(int(found.sum()) + more, 1))
    assert all(0 <= value <= 1 + 1e-12 for value in metrics.values())


@settings(deadline=None)
@given(st.lists(st.integers(-40, 40), min_size=1, max_size=200), st.integers(1, 120))
def test_top_items_are_the_highest_and_the_first_of_equal_ones(values, count):
    scores = np.array(values, dtype=np.float32)
    expected = sorted(range(len(values)), key=lambda place: -values[place])[:count]
    assert top_items(scores, count).tolist() == expected


def test_held_out_users_and_their_newest_tenth_are_predicted():
    """Everybody ends with the same two items: a popularity model that saw the others finds both."""
    histories = {f"u{user}": [*(f"x{user}-{place}" for place in range(18)), "a", "b"] for user in range(50)}
    metrics = evaluate(RECIPES["aws-popularity-count"], training_data(histories), {}, seed=1)
    assert metrics["precision_at_5"] == pytest.approx(2 / 5)
    assert metrics[f"{NDCG}_5"] == pytest.approx(1.0)
    assert metrics["mean_reciprocal_rank_at_25"] == pytest.approx(1.0)
    assert metrics["coverage"] == pytest.approx(25 / 902, abs=1e-6)


def test_a_tenth_of_the_users_is_held_out_and_does_not_train_the_model():
    seen: list[np.ndarray] = []

    def fit(data, _hyperparameters) -> Model:
        seen.append(np.diff(data.log.offsets) > 0)
        return RECIPES["aws-popularity-count"].fit(data, {})

    data = rings(users=400)
    evaluate(replace(RECIPES["aws-popularity-count"], fit=fit), data, {}, seed=1)
    np.testing.assert_array_equal(seen[0], ~hold_out_users(data, 1))
    assert 20 <= (~seen[0]).sum() <= 60


def test_more_data_holds_out_the_same_users():
    def held_out(users: int) -> set[str]:
        data = rings(users=users)
        return {data.log.user_ids[user] for user in np.flatnonzero(hold_out_users(data, 1))}

    assert held_out(200) == {user for user in held_out(400) if int(user[1:]) < 200}
    assert len(held_out(2)) >= 1


def _config(jobs: str, parallel: str, **ranges) -> dict:
    resources = {"maxNumberOfTrainingJobs": jobs, "maxParallelTrainingJobs": parallel}
    return {"hpoResourceConfig": resources, "algorithmHyperParameterRanges": ranges}


def test_tuning_finds_the_best_of_its_ranges_and_the_same_by_the_same_seed():
    measured: list[dict] = []

    def fit(data, hyperparameters) -> Model:
        measured.append(dict(hyperparameters))
        model = RECIPES["aws-popularity-count"].fit(data, {})
        # The nearer to 7 and False, the less the popularity is turned around.
        distance = abs(hyperparameters["bptt"] - 7) + 10 * hyperparameters["recency_mask"]
        noise = np.random.default_rng(0).normal(size=len(model.item_ids)) * distance
        model.arrays["log_counts"] = (model.arrays["log_counts"] + noise).astype(np.float32)
        return model

    recipe = replace(RECIPES["aws-user-personalization"], fit=fit)
    histories = {f"u{user}": [f"i{(user * step) % 17}" for step in range(1, 9)] + ["a"] for user in range(60)}
    ranges = {
        "integerHyperParameterRanges": [{"name": "bptt", "minValue": 4, "maxValue": 12}],
        "categoricalHyperParameterRanges": [{"name": "recency_mask", "values": ["true", "false"]}],
    }
    config = _config("12", "3", **ranges)
    results = [tune(recipe, training_data(histories), {}, config, seed=5) for _ in range(2)]
    assert results[0] == results[1]
    assert results[0]["recency_mask"] is False
    assert all(4 <= one["bptt"] <= 12 and one["hidden_dimension"] == 149 for one in measured)
    assert len(measured) == 24


def test_tuning_a_continuous_range_stays_in_it_and_leaves_fixed_values_alone():
    ranges = {
        "continuousHyperParameterRanges": [
            {"name": "popularity_discount_factor", "minValue": 0.2, "maxValue": 0.3}
        ]
    }
    fixed = {"min_cointeraction_count": 1}
    tuned = tune(RECIPES["aws-sims"], rings(users=60), fixed, _config("2", "2", **ranges), seed=1)
    assert set(tuned) == {"popularity_discount_factor"}
    assert 0.2 <= tuned["popularity_discount_factor"] <= 0.3
