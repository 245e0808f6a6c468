"""The metrics of the recipes that make segments of users."""

from __future__ import annotations

import numpy as np
import pytest

from localcloud.personalize.recipes import RECIPES
from localcloud.personalize.segment_metrics import evaluate_segments, newest_fifth
from tests.unit.recipes.synthetic import rings, training_data

NAMES = {"coverage", "hits_at_1_percent", "recall_at_1_percent"}


@pytest.mark.parametrize("recipe", ["aws-item-affinity", "aws-item-attribute-affinity"])
def test_users_who_walk_along_a_ring_are_found_for_its_items(recipe):
    metrics = evaluate_segments(RECIPES[recipe], rings(users=400), {}, seed=0)
    assert metrics.keys() == NAMES
    # A segment has four of the 400 users; by chance one in ten of them took an item's ring, fewer the item.
    assert metrics["hits_at_1_percent"] > 2
    assert metrics["recall_at_1_percent"] > 0.5
    assert 0 < metrics["coverage"] <= 1


def test_without_structure_nobody_is_found_more_often_than_by_chance():
    random = np.random.default_rng(5)
    histories = {f"u{user}": [f"i{item}" for item in random.integers(0, 200, 10)] for user in range(400)}
    metrics = evaluate_segments(RECIPES["aws-item-affinity"], training_data(histories), {}, seed=0)
    assert metrics["recall_at_1_percent"] < 0.1


def test_the_newest_fifth_of_each_user_is_held_out():
    log = training_data({"one": ["a"], "two": ["a", "b"], "ten": [f"i{place}" for place in range(10)]}).log
    held_out = newest_fifth(log)
    by_user = {
        user: held_out[start:end].tolist()
        for user, start, end in zip(log.user_ids, log.offsets[:-1], log.offsets[1:], strict=True)
    }
    assert by_user == {"one": [False], "two": [False, True], "ten": [False] * 8 + [True] * 2}
