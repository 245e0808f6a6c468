"""The quality gate: whether a new solution version serves better than the one that serves now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ROLLED_BACK = "rolled back"


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
    metric: str,
    tolerance: float,
    was_rolled_back: bool = False,
) -> Verdict:
    """Compare by one metric: at least (1 - tolerance) of the serving version's, and above the baseline's.

    Without a serving version the new one is promoted, whatever the baseline: an API with a weak model answers
    better than one with none. A version that an operator rolled back from is not promoted again by itself.
    Raises KeyError when a version lacks the metric.
    """
    if was_rolled_back:
        return Verdict(False, "it was rolled back from; `ops rollback --to` brings it back")
    value = new[metric]
    if serving is None:
        return Verdict(True, f"first version; {metric} {value:.4f}, popularity {baseline.get(metric, 0):.4f}")
    needed = serving[metric] * (1 - tolerance)
    if value < needed:
        return Verdict(
            False, f"{metric} {value:.4f} is {needed - value:.4f} short of the {needed:.4f} needed"
        )
    floor = baseline.get(metric, 0.0)
    if value <= floor < serving[metric]:
        return Verdict(False, f"{metric} {value:.4f} is not above popularity's {floor:.4f}")
    return Verdict(True, f"{metric} {value:.4f}, serving {serving[metric]:.4f}, popularity {floor:.4f}")
