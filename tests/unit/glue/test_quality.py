"""Each quality gate holds up to its threshold and not beyond, and the report says so in words."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from preprocessing.quality import (
    DAY,
    Facts,
    QualityError,
    check,
    quality_report,
    quality_text,
    stop_unless_met,
)
from preprocessing.settings import Settings

NOW = 1_790_000_000
SOUND = Facts(
    rows=2000,
    quarantined=100,
    interactions=1500,
    users=300,
    newest=NOW - DAY,
    null_shares={"operator": 0.3},
    as_of=NOW,
    previous_interactions=1600,
)


def unmet(travel: Settings, **facts: Any) -> list[str]:
    gates = dataclasses.replace(
        travel.quality, maximum_age_days=2.0, maximum_null_share={"operator": 0.4}, maximum_shrinkage=0.25
    )
    checks = check(dataclasses.replace(SOUND, **facts), gates)
    return [f"{c.expectation}, found {c.found}" for c in checks if not c.is_met]


@pytest.mark.parametrize(
    ("holds", "fails", "said"),
    [
        ({"interactions": 1200}, {"interactions": 1199}, "at least 1,200 interactions, 75% of the last"),
        ({"interactions": 1000, "previous_interactions": None}, {"interactions": 999}, "at least 1,000"),
        ({"users": 25}, {"users": 24}, "at least 25 users, found 24"),
        ({"quarantined": 400}, {"quarantined": 401}, "at most 20.0% of rows in quarantine"),
        ({"newest": NOW - 2 * DAY}, {"newest": NOW - 3 * DAY}, "at most 2 days old, found 3.0 days"),
        ({"null_shares": {"operator": 0.4}}, {"null_shares": {"operator": 0.41}}, "operator missing in at"),
        ({}, {"null_shares": {}}, "operator missing in at most 40.0%, found 100.0%"),
    ],
)
def test_a_gate_holds_up_to_its_threshold(
    travel: Settings, holds: dict[str, Any], fails: dict[str, Any], said: str
) -> None:
    assert unmet(travel, **holds) == []
    assert said in " ".join(unmet(travel, **fails))


def test_the_report_lists_every_gate_the_unmet_ones_first(travel: Settings) -> None:
    checks = check(dataclasses.replace(SOUND, users=3), travel.quality)
    lines = quality_text(checks, "r7").splitlines()
    assert lines[0] == "Data quality of run r7"
    assert lines[2] == "NOT OK  expected at least 25 users, found 3"
    assert len(lines) == 2 + len(checks)
    assert quality_report(checks, "r7")["passed"] is False
    with pytest.raises(QualityError, match=r"at least 25 users, found 3\nreport: s3://b/quality.txt"):
        stop_unless_met(checks, "s3://b/quality.txt")
