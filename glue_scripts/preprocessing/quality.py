"""Quality gates: what must be true of curated data before anything is trained on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from preprocessing.settings import Quality

DAY = 86400


class QualityError(Exception):
    """The data is not fit to train on; the message lists what is wrong."""


@dataclass(frozen=True)
class Facts:
    """What the gates look at; `previous_interactions` is of the last run that passed, if any."""

    rows: int
    quarantined: int
    interactions: int
    users: int
    newest: int
    null_shares: dict[str, float]
    as_of: int
    previous_interactions: int | None


@dataclass(frozen=True)
class Check:
    """One expectation, what was found, and whether it holds."""

    expectation: str
    found: str
    is_met: bool


def check(facts: Facts, quality: Quality) -> list[Check]:
    """Check every declared expectation."""
    share = facts.quarantined / max(1, facts.rows)
    checks = [
        Check(
            f"at least {quality.minimum_interactions:,} interactions",
            f"{facts.interactions:,}",
            facts.interactions >= quality.minimum_interactions,
        ),
        Check(
            f"at least {quality.minimum_users:,} users",
            f"{facts.users:,}",
            facts.users >= quality.minimum_users,
        ),
        Check(
            f"at most {quality.maximum_quarantined_share:.1%} of rows in quarantine",
            f"{share:.1%}",
            share <= quality.maximum_quarantined_share,
        ),
    ]
    for name, most in sorted(quality.maximum_null_share.items()):
        null_share = facts.null_shares.get(name, 1.0)
        checks.append(Check(f"{name} missing in at most {most:.1%}", f"{null_share:.1%}", null_share <= most))
    if quality.maximum_age_days is not None:
        age = (facts.as_of - facts.newest) / DAY
        checks.append(
            Check(
                f"newest interaction at most {quality.maximum_age_days:g} days old",
                f"{age:.1f} days",
                age <= quality.maximum_age_days,
            )
        )
    if facts.previous_interactions is not None:
        least = facts.previous_interactions * (1 - quality.maximum_shrinkage)
        checks.append(
            Check(
                f"at least {least:,.0f} interactions, {1 - quality.maximum_shrinkage:.0%} of the last run's",
                f"{facts.interactions:,}",
                facts.interactions >= least,
            )
        )
    return checks


def quality_report(checks: list[Check], run_id: str) -> dict[str, Any]:
    """Return the checks as a JSON document."""
    return {
        "runId": run_id,
        "passed": all(entry.is_met for entry in checks),
        "checks": [{"expected": c.expectation, "found": c.found, "met": c.is_met} for c in checks],
    }


def quality_text(checks: list[Check], run_id: str) -> str:
    """Return the checks as lines to read, the unmet ones first."""
    lines = [
        f"{'ok    ' if entry.is_met else 'NOT OK'}  expected {entry.expectation}, found {entry.found}"
        for entry in sorted(checks, key=lambda entry: entry.is_met)
    ]
    return "\n".join([f"Data quality of run {run_id}", "", *lines]) + "\n"


def stop_unless_met(checks: list[Check], report_uri: str) -> None:
    """Raise QualityError when a check is not met."""
    unmet = [f"- expected {entry.expectation}, found {entry.found}" for entry in checks if not entry.is_met]
    if unmet:
        raise QualityError(
            "the data is not fit to train on:\n" + "\n".join(unmet) + f"\nreport: {report_uri}"
        )
