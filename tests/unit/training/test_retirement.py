"""What serves, what a rollback goes back to and what is trained next stay; the rest is retired."""

from __future__ import annotations

from retirement import needed_versions, retired
from rollback import promoted_before

ARN = "arn:aws:personalize:ap-south-1:123456789012:solution/travel-sims"
SOLUTIONS = [f"{ARN}-{letter}" for letter in "abcde"]


def record(letter: str, day: int, decision: str, purpose: str = "serve") -> dict[str, str]:
    moment = f"2026-11-{day:02}T10:00:00.000Z"
    return {
        "solution_version_arn": f"{ARN}-{letter}/v-{day}",
        "purpose": purpose,
        "decision": decision,
        "created_at": moment,
        "decided_at": moment,
    }


RECORDS = [
    record("a", 1, "promoted"),
    record("b", 2, "promoted"),
    record("c", 3, "promoted"),
    record("d", 4, "held back"),
    record("e", 5, "", purpose="tune"),
]


def test_all_but_what_serves_the_one_before_and_the_newest_is_retired() -> None:
    serving = f"{ARN}-c/v-3"
    previous = promoted_before(RECORDS, serving)[0]
    needed = needed_versions(RECORDS, serving=serving, previous=previous)
    assert retired(SOLUTIONS, planned=[], needed=needed) == [f"{ARN}-a", f"{ARN}-e"]


def test_after_a_rollback_what_was_rolled_back_from_may_go_and_the_older_one_stays() -> None:
    records = [*RECORDS[:2], {**RECORDS[2], "decision": "rolled back"}, RECORDS[3]]
    serving = f"{ARN}-b/v-2"
    needed = needed_versions(records, serving=serving, previous=promoted_before(records, serving)[0])
    assert retired(SOLUTIONS, planned=[], needed=needed) == [f"{ARN}-c", f"{ARN}-e"]


def test_what_is_planned_stays_though_it_was_never_trained() -> None:
    assert retired(SOLUTIONS, planned=[f"{ARN}-e"], needed=[]) == SOLUTIONS[:-1]


def test_a_deployment_that_serves_nothing_yet_keeps_what_it_trained() -> None:
    needed = needed_versions(RECORDS[:1], serving=None, previous=None)
    assert retired(SOLUTIONS[:1], planned=[], needed=needed) == []
