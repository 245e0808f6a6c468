"""A campaign goes back to a version that it can serve, and to no other."""

from __future__ import annotations

import pytest
from rollback import RollbackRefused, choose

PREFIX = "arn:aws:personalize:ap-south-1:123456789012:solution/travel-sims-1"


def record(day: int, decision: str = "promoted", purpose: str = "serve") -> dict[str, str]:
    moment = f"2026-11-{day:02}T10:00:00.000Z"
    return {
        "solution_version_arn": f"{PREFIX}/v-{day}",
        "purpose": purpose,
        "decision": decision,
        "created_at": moment,
        "decided_at": moment,
    }


RECORDS = [record(1), record(2), record(3, "held back"), record(4), record(5, "rolled back")]
ALL = [one["solution_version_arn"] for one in RECORDS]


def chosen(to: str | None = None, *, serving: str = ALL[3], there: list[str] = ALL) -> str:
    return choose("sims", to, RECORDS, serving=serving, there=there)


def test_without_a_name_it_is_the_version_that_was_promoted_before() -> None:
    assert chosen() == ALL[1]
    assert chosen(serving=ALL[1]) == ALL[3], "what was promoted last and does not serve"


def test_a_retired_version_is_passed_over() -> None:
    assert chosen(there=[ALL[0], ALL[3]]) == ALL[0]


def test_any_trained_version_may_be_named_by_its_arn_or_as_the_report_names_it() -> None:
    assert chosen(ALL[2]) == ALL[2]
    assert chosen("travel-sims-1/v-1") == ALL[0]


@pytest.mark.parametrize("name", ["v-1", "travel-sims-1/v-9", "", "travel-other-1/v-1"])
def test_a_name_that_is_none_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(RollbackRefused) as refused:
        chosen(name)
    assert repr(name) in str(refused.value)
    assert f"{ALL[3]} (serves)" in str(refused.value)
    assert f"{ALL[2]} (held back)" in str(refused.value)


def test_versions_for_tuning_and_comparison_are_never_served() -> None:
    with pytest.raises(RollbackRefused, match="there is none"):
        choose("sims", None, [record(1, purpose="tune")], serving="", there=[ALL[0]])


def test_a_first_version_has_nothing_before_it() -> None:
    with pytest.raises(RollbackRefused, match="no earlier version"):
        choose("sims", None, [record(1)], serving=ALL[0], there=ALL)
