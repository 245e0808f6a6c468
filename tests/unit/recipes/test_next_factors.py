"""Factors that predict the next item: what they find in interactions of a known structure."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from localcloud.personalize.interactions import InteractionLog
from localcloud.personalize.recipes.next_factors import (
    NextFactors,
    learn_next_factors,
    next_profiles,
    update_next_factors,
)

ITEMS = 40


def log_of(histories: list[list[int]], items: int) -> InteractionLog:
    """Return histories as a log in which item number n is `n`."""
    # All items in order first, so that their numbers are their names.
    rows = [(0, item) for item in range(items)]
    rows += [(user + 1, item) for user, history in enumerate(histories) for item in history]
    log = InteractionLog.from_table(
        pa.table(
            {
                "USER_ID": [f"{user:05}" for user, _ in rows],
                "ITEM_ID": [str(item) for _, item in rows],
                "TIMESTAMP": pa.array(range(len(rows)), pa.int64()),
            }
        )
    )
    return log.select(log.users > 0)


def every_other(count: int, seed: int, items: int = ITEMS) -> list[list[int]]:
    """Return histories that jump to a random item, of which the one after the next follows."""
    random = np.random.default_rng(seed)
    follower = np.random.default_rng(99).permutation(items)
    histories = []
    for _ in range(count):
        history = random.integers(0, items, 2).tolist()
        while len(history) < 12:
            likely = random.random() < 0.8
            history.append(int(follower[history[-2]] if likely else random.integers(0, items)))
        histories.append(history)
    return histories


def learned(histories: list[list[int]], items: int = ITEMS, lags: int = 5, weights=None) -> NextFactors:
    log = log_of(histories, items)
    ones = np.ones(len(log), dtype=np.float32)
    return learn_next_factors(
        log, ones if weights is None else weights(log), items, rank=24, lags=lags, seed=1
    )


def logits(factors: NextFactors, histories: list[list[int]]) -> np.ndarray:
    rows = [np.array(history, dtype=np.int32) for history in histories]
    return next_profiles(rows, factors.of_histories, factors.lags) @ factors.of_items.T


def found(factors: NextFactors, histories: list[list[int]]) -> float:
    """Return how often the last item of a history is the likeliest after the others."""
    likeliest = logits(factors, [history[:-1] for history in histories]).argmax(axis=1)
    return float((likeliest == [history[-1] for history in histories]).mean())


def test_they_learn_how_far_back_to_read():
    unseen = every_other(300, seed=2)
    deep = learned(every_other(1_500, seed=1))
    assert found(deep, unseen) > 0.7
    assert np.abs(deep.lags[1]).mean() > np.abs(deep.lags[0]).mean()
    assert found(learned(every_other(1_500, seed=1), lags=1), unseen) < 0.2


def test_without_structure_they_tell_how_often_each_item_is_taken():
    # 4,000 items: most of them are not among those of a batch, which the sample has to make up for.
    random = np.random.default_rng(4)
    shares = 1.0 / (np.arange(4_000) + 1.0)
    shares /= shares.sum()
    histories = [random.choice(4_000, 10, p=shares).tolist() for _ in range(8_000)]
    scores = logits(learned(histories, items=4_000, lags=3), histories[:500]).astype(np.float64)
    likely = np.exp(scores - scores.max(axis=1, keepdims=True))
    likely = (likely / likely.sum(axis=1, keepdims=True)).mean(axis=0)
    for first, last in ((0, 1), (1, 10), (10, 100), (100, 1_000), (1_000, 4_000)):
        # Not nearer: Adam, which divides by the size of rare slopes, favours what is frequent.
        assert likely[first:last].sum() == pytest.approx(shares[first:last].sum(), rel=0.35)


def test_an_interaction_without_weight_is_read_but_not_predicted():
    histories = [[0, 1, 2, 3] * 3 for _ in range(300)]
    factors = learned(
        histories, items=6, weights=lambda log: np.where(log.items == 3, 0.0, 1.0).astype(np.float32)
    )
    after_two = logits(factors, [[0, 1, 2]])[0]
    after_three = logits(factors, [[1, 2, 3]])[0]
    assert after_two[3] < after_two[:3].max()
    assert after_three.argmax() == 0


def test_the_same_interactions_teach_the_same_factors():
    histories = every_other(200, seed=1)
    for one, other in zip(vars(learned(histories)).values(), vars(learned(histories)).values(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_update_learns_a_new_item_and_keeps_the_others():
    histories = every_other(1_500, seed=1)
    before = learned(histories)
    wider = NextFactors(
        *(
            np.vstack([array, np.zeros((1, array.shape[1]))])
            for array in (before.of_histories, before.of_items)
        ),
        before.lags,
    )
    new = ITEMS
    late = [[*history, new] if history[-2] == 7 else history for history in every_other(12_000, seed=3)]
    log = log_of(late, ITEMS + 1)
    marked = np.arange(ITEMS + 1) == new
    after = update_next_factors(wider, marked, log, np.ones(len(log), dtype=np.float32), seed=1)
    following = logits(after, [[1, before_last, 2] for before_last in range(ITEMS)])
    assert (following[:, new] - following.mean(axis=1)).argmax() == 7
    np.testing.assert_array_equal(after.of_histories[:-1], before.of_histories)
    np.testing.assert_array_equal(after.of_items[:-1], before.of_items)


@pytest.mark.parametrize("histories", [[], [[3]], [[3], [4]], [[1, 2]]])
def test_next_to_nothing_teaches_next_to_nothing(histories):
    factors = learned(histories)
    assert all(np.isfinite(array).all() for array in vars(factors).values())
    assert np.ptp(logits(factors, [[1, 2]])) < 0.5
