"""The gate promotes what serves better, holds back what does not, and says why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from gate import Thresholds, decide, held_back_since

METRIC = "ndcg"
THRESHOLDS = Thresholds(metric=METRIC, tolerance=0.02, patience=3)


def verdict(
    new: float,
    serving: float | None,
    baseline: float = 0.1,
    *,
    thresholds: Thresholds = THRESHOLDS,
    held_back: Sequence[float] = (),
) -> tuple[bool, str]:
    decided = decide(
        {METRIC: new},
        None if serving is None else {METRIC: serving},
        {METRIC: baseline},
        thresholds=thresholds,
        held_back=held_back,
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
        decide({}, None, {}, thresholds=THRESHOLDS)


def test_a_version_that_was_rolled_back_from_is_not_promoted_again_however_good_it_measures() -> None:
    decided = decide({METRIC: 0.9}, {METRIC: 0.1}, {}, thresholds=THRESHOLDS, was_rolled_back=True)
    assert not decided.promote
    assert "rolled back" in decided.reason


def test_how_far_above_popularity_is_the_configurations() -> None:
    strict = Thresholds(metric=METRIC, tolerance=0.02, over_popularity=2.0)
    assert verdict(0.45, 0.45, baseline=0.2)[0]
    assert verdict(0.45, 0.45, baseline=0.2, thresholds=strict)[0]
    assert not verdict(0.45, 0.46, baseline=0.23, thresholds=strict)[0]


def test_when_version_after_version_falls_short_alike_the_data_has_changed() -> None:
    assert not verdict(0.40, 0.50, held_back=[0.40, 0.41])[0], "not often enough"
    promoted, reason = verdict(0.40, 0.50, held_back=[0.1, 0.40, 0.41, 0.39])
    assert promoted
    assert "the data has changed" in reason
    promoted, reason = verdict(0.30, 0.50, held_back=[0.40, 0.41, 0.39])
    assert not promoted
    assert "0.4000 of those held back before" in reason
    assert not verdict(0.09, 0.50, held_back=[0.09] * 9)[0], "never below popularity"
    never = Thresholds(metric=METRIC, tolerance=0.02, patience=0)
    assert not verdict(0.40, 0.50, held_back=[0.40] * 9, thresholds=never)[0]


def test_only_versions_held_back_after_the_serving_one_count() -> None:
    def record(day: int, decision: str) -> dict[str, Any]:
        return {
            "solution_version_arn": f"arn:{day}",
            "decision": decision,
            "decided_at": f"2026-11-{day:02}T10:00:00.000Z",
            "metrics": f'{{"{METRIC}": {day / 100}}}',
        }

    records = [record(1, "held back"), record(2, "promoted"), record(4, "held back"), record(3, "held back")]
    assert held_back_since([*records, {"solution_version_arn": "arn:9"}], "arn:2", METRIC) == [0.03, 0.04]
