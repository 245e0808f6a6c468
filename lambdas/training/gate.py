"""The quality gate: whether a new solution version serves better than the one that serves now."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

ROLLED_BACK = "rolled back"
HELD_BACK = "held back"


@dataclass(frozen=True)
class Thresholds:
    """The configuration's: see `config.training.Gate`."""

    metric: str
    tolerance: float
    over_popularity: float = 1.0
    patience: int = 0


@dataclass(frozen=True)
class Verdict:
    """Whether to promote, and why, in words for whoever is told."""

    promote: bool
    reason: str


def decide(
    new: Mapping[str, float],
    serving: Mapping[str, float] | None,
    baseline: Mapping[str, float],
    *,
    thresholds: Thresholds,
    held_back: Sequence[float] = (),
    was_rolled_back: bool = False,
) -> Verdict:
    """Compare by one metric: at least (1 - tolerance) of the serving version's, and above the baseline's.

    Without a serving version the new one is promoted, whatever the baseline: an API with a weak model answers
    better than one with none. A version that an operator rolled back from is not promoted again by itself.
    The serving version was measured on the data of its own time. `held_back` are the values of the versions
    held back since: when `patience` of them fell short and the new one is as good as they are, it is the data
    that has changed, and what serves grows old. Raises KeyError when a version lacks the metric.
    """
    metric, tolerance = thresholds.metric, thresholds.tolerance
    if was_rolled_back:
        return Verdict(False, "it was rolled back from; `ops rollback --to` brings it back")
    value = new[metric]
    if serving is None:
        return Verdict(True, f"first version; {metric} {value:.4f}, popularity {baseline.get(metric, 0):.4f}")
    needed = serving[metric] * (1 - tolerance)
    floor = baseline.get(metric, 0.0) * thresholds.over_popularity
    told = f"{metric} {value:.4f}"
    if value <= floor < serving[metric]:
        return Verdict(False, f"{told} is not above {floor:.4f}, what popularity asks for on the same data")
    if value < needed:
        return _fell_short(told, value, needed, held_back, thresholds)
    return Verdict(True, f"{metric} {value:.4f}, serving {serving[metric]:.4f}, popularity {floor:.4f}")


def _fell_short(
    told: str, value: float, needed: float, held_back: Sequence[float], thresholds: Thresholds
) -> Verdict:
    """Hold back what measures too little, unless versions have done so for long enough."""
    short = f"{told} is {needed - value:.4f} short of the {needed:.4f} needed"
    recent = held_back[-thresholds.patience :] if thresholds.patience else ()
    if not recent or len(recent) < thresholds.patience:
        return Verdict(False, short)
    usual = statistics.median(recent)
    if value < usual * (1 - thresholds.tolerance):
        return Verdict(False, f"{short}, and of the {usual:.4f} of those held back before")
    return Verdict(
        True, f"{short}, as the last {len(recent)} versions were ({usual:.4f}): the data has changed since"
    )


def held_back_since(records: Iterable[Mapping[str, str]], serving: str, metric: str) -> list[float]:
    """Return the metric of the versions that were held back after the serving one was promoted, oldest first.

    `records` are those of the recipe's versions.
    """
    known = list(records)
    since = max((r.get("decided_at", "") for r in known if r["solution_version_arn"] == serving), default="")
    later = [r for r in known if r.get("decision") == HELD_BACK and r["decided_at"] > since]
    later.sort(key=lambda record: record["decided_at"])
    return [float(json.loads(record["metrics"])[metric]) for record in later]
