"""Users are split by a stable hash, and the answer says to which side."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.api.conftest import Api, Aws, load

load("api")
from experiment import Experiment  # noqa: E402 - the function's own module, as `load` left it

USERS = [f"user-{n}" for n in range(4000)]


def treated(experiment: Experiment) -> set[str]:
    return {user for user in USERS if experiment.variant(user) == "treatment"}


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_share_is_kept_and_each_user_stays_where_it_is(share: float) -> None:
    found = treated(Experiment("trial", "popular", share))
    assert found == treated(Experiment("trial", "popular", share))
    assert len(found) / len(USERS) == pytest.approx(share, abs=0.03)


def test_a_larger_share_keeps_who_was_treated_before() -> None:
    assert treated(Experiment("trial", "popular", 0.2)) < treated(Experiment("trial", "popular", 0.6))


def test_experiments_split_independently_of_each_other() -> None:
    both = treated(Experiment("one", "popular", 0.5)) & treated(Experiment("two", "popular", 0.5))
    assert len(both) / len(USERS) == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("treatment", ["popular", "popularity"])
def test_the_treated_get_the_treatment_and_the_answer_and_the_log_say_so(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, treatment: str
) -> None:
    aws.open_items |= {"p0", "p1", "p2", "p3", "p4"}
    setting = {"name": "trial", "treatment": treatment, "share": 0.5}
    monkeypatch.setenv("EXPERIMENT", json.dumps(setting))
    monkeypatch.setenv("CAMPAIGN_POPULARITY", "arn:popularity")
    api = Api(aws, monkeypatch)
    seen: dict[str, list[dict[str, Any]]] = {"control": [], "treatment": []}
    for user in USERS[:40]:
        answer = api.call("GET", "/users/{userId}/recommendations", {"userId": user})[1]
        assert answer["variant"] == Experiment(**setting).variant(user)
        seen[answer["variant"]].append(answer)
    assert {answer["attribution"] for answer in seen["control"]} == {
        "user-personalization/personalize/control"
    }
    by = f"{treatment}/{'popular' if treatment == 'popular' else 'personalize'}/treatment"
    assert {answer["attribution"] for answer in seen["treatment"]} == {by}
    asked = [p["campaignArn"] for name, p in aws.calls if name == "get_recommendations"]
    assert asked.count("arn:popularity") == (0 if treatment == "popular" else len(seen["treatment"]))
    pages = [getattr(record, "Variant", None) for record in caplog.records if hasattr(record, "_aws")]
    assert pages.count("treatment") == len(seen["treatment"])
    assert pages.count("control") == len(seen["control"])
    variants = [getattr(record, "variant", None) for record in caplog.records]
    assert variants.count("treatment") == len(seen["treatment"])
