"""The gate promotes what serves better, holds back what does not, and says why."""

from __future__ import annotations

import pytest
from gate import decide

METRIC = "ndcg"


def verdict(new: float, serving: float | None, baseline: float = 0.1) -> tuple[bool, str]:
    decided = decide(
        {METRIC: new},
        None if serving is None else {METRIC: serving},
        {METRIC: baseline},
        metric=METRIC,
        tolerance=0.02,
    )
    return decided.promote, decided.reason


def test_the_first_version_is_promoted() -> None:
    assert verdict(0.05, None)[0]


def test_a_better_version_is_promoted_and_one_within_the_tolerance_too() -> None:
    assert verdict(0.6, 0.5)[0]
    assert verdict(0.4905, 0.5)[0]


def test_a_worse_version_is_held_back_with_what_it_lacks() -> None:
    promoted, reason = verdict(0.40, 0.50)
    assert not promoted
    assert "0.0900 short of the 0.4900 needed" in reason


def test_a_version_that_falls_to_popularity_is_held_back() -> None:
    promoted, reason = verdict(0.100, 0.101, baseline=0.100)
    assert not promoted
    assert "popularity" in reason


def test_a_version_without_the_metric_is_an_error() -> None:
    with pytest.raises(KeyError):
        decide({}, None, {}, metric=METRIC, tolerance=0.02)


def test_a_version_that_was_rolled_back_from_is_not_promoted_again_however_good_it_measures() -> None:
    decided = decide({METRIC: 0.9}, {METRIC: 0.1}, {}, metric=METRIC, tolerance=0.0, was_rolled_back=True)
    assert not decided.promote
    assert "rolled back" in decided.reason
