"""A run finds its version again, waits for others, and knows how long a training takes."""

from __future__ import annotations

from typing import Any

import pytest
from versions import find, last_deployment, last_duration

SOLUTION = "arn:aws:personalize:ap-south-1:123456789012:solution/travel-sims-1"


def version(name: str, status: str = "ACTIVE", mode: str = "FULL") -> dict[str, Any]:
    return {"solutionVersionArn": f"{SOLUTION}/{name}", "name": name, "status": status, "trainingMode": mode}


@pytest.mark.parametrize("status", ["CREATE PENDING", "CREATE IN_PROGRESS", "ACTIVE"])
def test_a_version_that_is_there_or_being_trained_is_taken(status: str) -> None:
    found = find([version("v-2", status), version("v-1")], "v-2", "FULL")
    assert found["arn"].endswith("/v-2")


def test_a_failed_training_is_tried_again_under_a_free_name() -> None:
    found = find([version("v-2", "CREATE FAILED"), version("v-1")], "v-2", "FULL")
    assert (found["arn"], found["versionName"]) == ("", "v-2-2")
    again = find([version("v-2-2", "CREATE STOPPED"), version("v-2", "CREATE FAILED")], "v-2", "FULL")
    assert again["versionName"] == "v-2-3"
    assert find([version("v-2-2"), version("v-2", "CREATE FAILED")], "v-2", "FULL")["arn"].endswith("v-2-2")


def test_another_training_of_the_solution_is_told_of() -> None:
    found = find([version("v-1", "CREATE IN_PROGRESS")], "v-2", "FULL")
    assert found["arn"] == ""
    assert found["underWay"].endswith("/v-1")


def test_an_update_needs_a_full_training_before_it() -> None:
    assert find([], "v-1", "UPDATE")["trainingMode"] == "FULL"
    assert find([version("v-1", "CREATE FAILED")], "v-2", "UPDATE")["trainingMode"] == "FULL"
    assert find([version("v-1")], "v-2", "UPDATE")["trainingMode"] == "UPDATE"


def test_the_newest_training_of_the_same_solution_and_mode_tells_how_long_one_takes() -> None:
    def record(solution: str, day: int, minutes: int, mode: str = "FULL") -> dict[str, str]:
        return {
            "solution_version_arn": f"{solution}/v-{day}",
            "training_mode": mode,
            "created_at": f"2026-11-{day:02}T10:00:00.000Z",
            "trained_at": f"2026-11-{day:02}T10:{minutes:02}:00.000Z",
        }

    records = [record(SOLUTION, 1, 50), record(SOLUTION, 2, 40), record(SOLUTION, 3, 5, "UPDATE")]
    records.append(record(f"{SOLUTION}-other", 4, 1))
    assert last_duration(records, SOLUTION, "FULL") == 40 * 60
    assert last_duration(records, SOLUTION, "UPDATE") == 5 * 60
    assert last_duration([], SOLUTION, "FULL") is None


def test_how_long_a_campaign_took_to_be_updated_is_read_from_its_description() -> None:
    def took(begin: str, end: str) -> dict[str, str]:
        return {
            "CreationDateTime": f"2026-11-01T10:{begin}:00.000Z",
            "LastUpdatedDateTime": f"2026-11-01T10:{end}:00.000Z",
        }

    assert last_deployment({"Error": "Personalize.ResourceNotFoundException"}) is None
    assert last_deployment({"Campaign": took("00", "10")}) == 600
    updated = {**took("00", "30"), "LatestCampaignUpdate": took("25", "30")}
    assert last_deployment({"Campaign": updated}) == 300
