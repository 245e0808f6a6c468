"""What a training holds out: no view may have seen what its weights are learned from."""

from __future__ import annotations

import numpy as np
import pytest

from localcloud.personalize.recipes.held_out import SHORT, hold_out, share_ahead
from tests.unit.recipes.synthetic import rings, training_data


@pytest.mark.parametrize("ahead", [0.0, 0.5, 1.0])
def test_no_target_remains_for_training(ahead):
    data = rings()
    held_out = hold_out(data.log, data.item_count, 1, ahead=ahead, newcomers=True)
    for targets in (held_out.newest, held_out.of_newcomers):
        assert len(targets) > 0
        assert not held_out.remains[targets[:, 1]].any()
        assert (targets[:, 2] <= targets[:, 1]).all()
        assert (data.log.offsets[targets[:, 0]] < targets[:, 2]).all()


def test_nothing_of_a_newcomer_remains_and_histories_are_the_first_interactions():
    data = rings()
    held_out = hold_out(data.log, data.item_count, 1, newcomers=True)
    for user, row, end in held_out.of_newcomers.tolist():
        start = data.log.offsets[user]
        assert not held_out.remains[start : data.log.offsets[user + 1]].any()
        assert row == end
        assert 1 <= end - start <= SHORT
    assert not set(held_out.of_newcomers[:, 0]) & set(held_out.newest[:, 0])


def test_targets_lie_ahead_only_where_people_repeat():
    once = training_data({f"u{user}": [f"i{user + step}" for step in range(8)] for user in range(30)})
    again = training_data({f"u{user}": [f"i{user % 3}"] * 8 for user in range(30)})
    assert share_ahead(once.log) == 0
    assert share_ahead(again.log) == 1
    newest = hold_out(once.log, once.item_count, 1, ahead=0.0).newest
    np.testing.assert_array_equal(newest[:, 1], newest[:, 2])
