"""Which attributes describe an item: those that are there, vary, tell something, and are not said already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from preprocessing.settings import Settings
from preprocessing.statistics import Sample, association, distribution, mutual_information


@dataclass(frozen=True)
class Decision:
    """Whether an attribute is kept, and why."""

    name: str
    is_kept: bool
    reason: str


def attribute_report(
    described: dict[str, dict[str, Any]], sample: Sample, settings: Settings
) -> dict[str, Any]:
    """Return the whole report: statistics, associations, decisions and `selected`, in declared order."""
    names = list(described)
    told = {name: mutual_information(sample, name) for name in names}
    pairs = {(a, b): association(sample, a, b) for i, a in enumerate(names) for b in names[i + 1 :]}
    pairs |= {(b, a): value for (a, b), value in pairs.items()}
    outcome_share = float(sample.outcome.mean()) if len(sample.outcome) else 0.0
    decisions = decide(described, told, pairs, settings, has_outcomes=0 < outcome_share < 1)
    kept = {decision.name for decision in decisions if decision.is_kept}
    return {
        "sampleRows": len(sample.outcome),
        "outcomeEvents": settings.selection.outcome_events,
        "outcomeShare": outcome_share,
        "attributes": {
            name: {
                **described[name],
                "mutualInformationBits": told[name],
                "distribution": distribution(sample, name),
                "isKept": name in kept,
                "reason": next(d.reason for d in decisions if d.name == name),
            }
            for name in names
        },
        "associations": {a: {b: pairs.get((a, b), 1.0) for b in names} for a in names},
        "selected": [name for name in names if name in kept],
    }


def decide(
    described: dict[str, dict[str, Any]],
    told: dict[str, float],
    pairs: dict[tuple[str, str], float],
    settings: Settings,
    *,
    has_outcomes: bool,
) -> list[Decision]:
    """Decide on each attribute, the pinned ones first, then those that tell most about the outcome."""
    item = settings.item
    fixed = set(item.metadata) if item.metadata is not None else None
    order = sorted(described, key=lambda name: (name not in item.pinned, -told[name], name))
    decisions: list[Decision] = []
    for name in order:
        if fixed is not None:
            decisions.append(Decision(name, name in fixed, "item.metadata in the configuration says so"))
        elif name in item.pinned:
            decisions.append(Decision(name, is_kept=True, reason="pinned in the configuration"))
        elif name in item.forbidden:
            decisions.append(Decision(name, is_kept=False, reason="forbidden in the configuration"))
        else:
            kept = [decision.name for decision in decisions if decision.is_kept]
            fault = _fault(
                name,
                described[name],
                told[name] if has_outcomes else None,
                pairs,
                kept=kept,
                settings=settings,
            )
            decisions.append(
                Decision(name, fault is None, fault or "varies, is there, and tells something of its own")
            )
    return decisions


def _fault(
    name: str,
    facts: dict[str, Any],
    told: float | None,
    pairs: dict[tuple[str, str], float],
    *,
    kept: list[str],
    settings: Settings,
) -> str | None:
    limits = settings.selection
    if facts["missingShare"] > limits.maximum_missing_share:
        return f"missing in {facts['missingShare']:.0%} of rows, above {limits.maximum_missing_share:.0%}"
    if facts["distinct"] < 2:  # noqa: PLR2004 - one value
        return "never varies"
    if facts["type"] == "text" and facts["distinct"] > limits.maximum_cardinality:
        return f"about {facts['distinct']:,} different values, above {limits.maximum_cardinality:,}"
    if told is not None and told < limits.minimum_mutual_information:
        least = limits.minimum_mutual_information
        return f"tells {told:.2g} bits about {' or '.join(limits.outcome_events)}, below {least:.2g}"
    for other in kept:
        if pairs[name, other] > limits.maximum_association:
            return f"{pairs[name, other]:.2f} associated with {other}, above {limits.maximum_association:.2f}"
    return None
