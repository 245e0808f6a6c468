"""Climbing the NDCG of held-out lists."""

import numpy as np
import pytest

from localcloud.personalize.recipes.ndcg import Climb, by_coordinates, by_gradient

_LISTS, _PLACES = 400, 60


def _lists() -> np.ndarray:
    """Return lists whose target leads in the first view, by chance in the second, and trails in the third."""
    random = np.random.default_rng(5)
    lists = random.normal(size=(_LISTS, _PLACES, 3)).astype(np.float32)
    lists[:, 0, 0] += 2.5
    lists[:, 0, 2] -= 1.0
    return lists


def _ndcg(weights: np.ndarray, lists: np.ndarray) -> float:
    scores = lists @ weights
    ranks = (scores[:, 1:] > scores[:, :1]).sum(axis=1)
    return float(np.where(ranks < 10, 1.0 / np.log2(ranks + 2.0), 0.0).mean())


@pytest.mark.parametrize("climb", [by_gradient, by_coordinates])
def test_the_view_that_tells_the_target_gains_on_the_one_that_does_not(climb: Climb) -> None:
    lists, start = _lists(), np.array([0.5, 1.0, 0.0])
    found = climb(start, lists, np.ones((_LISTS, _PLACES), dtype=np.float32), [True, True, True])
    assert found[0] / found[1] > 2 * start[0] / start[1]
    assert _ndcg(found, lists) > 1.3 * _ndcg(start, lists)


def test_only_a_view_that_may_speak_against_items_gets_a_weight_below_0() -> None:
    lists, start = _lists(), np.array([0.5, 0.1, 0.0])
    times = np.ones((_LISTS, _PLACES), dtype=np.float32)
    assert by_gradient(start, lists, times, [True, True, False])[2] < 0
    assert by_gradient(start, lists, times, [True, True, True])[2] == 0


def test_rivals_that_stand_for_many_weigh_more() -> None:
    lists, start = _lists(), np.array([0.5, 0.5, 0.0])
    half = _PLACES // 2
    lists[:, half:, 1] -= 2.0  # the second view helps against these rivals only
    of_first, of_second = np.ones((2, _LISTS, _PLACES), dtype=np.float32)
    of_first[:, 1:half] = 20.0
    of_second[:, half:] = 20.0
    first = by_gradient(start, lists, of_first, [True] * 3)
    second = by_gradient(start, lists, of_second, [True] * 3)
    assert second[1] / second[0] > first[1] / first[0]
