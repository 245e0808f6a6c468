"""What is new is added when it follows on what the dataset has; everything else is replaced in full."""

from __future__ import annotations

from typing import Any

from imports import FEWEST_INTERACTIONS, MOST_INCREMENTAL_BYTES, plan_import
from naming import Place

PLACE = Place(region="ap-south-1", account="123456789012")
BASE = "s3://d/personalize/run-1/"
FULL = "s3://d/personalize/run-2/main/interactions/"
DELTA = {
    "location": "s3://d/personalize/run-2/main/interactions-new/",
    "rows": 5000,
    "bytes": 9,
    "base": BASE,
}
ENTRY = {"location": FULL, "rows": 90_000, "delta": DELTA}


def job(location: str, status: str = "ACTIVE", name: str = "earlier") -> dict[str, Any]:
    return {"name": name, "status": status, "mode": "FULL", "location": location, "seconds": 9.0}


def planned(*jobs: dict[str, Any], kind: str = "interactions", mode: str = "UPDATE", **entry: Any) -> Any:
    return plan_import("travel-x", kind, {**ENTRY, **entry}, jobs, version="run-2", mode=mode, place=PLACE)


def test_a_delta_that_follows_on_the_last_import_is_added() -> None:
    found = planned(job(f"{BASE}main/interactions/"))
    assert (found["importMode"], found["location"]) == ("INCREMENTAL", DELTA["location"])


def test_a_full_training_replaces_everything() -> None:
    found = planned(job(f"{BASE}main/interactions/"), mode="FULL")
    assert (found["importMode"], found["location"]) == ("FULL", FULL)


def test_a_delta_on_other_data_than_the_dataset_has_is_not_added() -> None:
    assert planned()["importMode"] == "FULL", "nothing was imported yet"
    assert planned(job("s3://d/personalize/run-0/main/interactions/"))["importMode"] == "FULL"
    failed = job(f"{BASE}main/interactions/", "CREATE FAILED")
    assert planned(failed, job("s3://d/personalize/run-0/main/interactions/"))["importMode"] == "FULL"


def test_a_delta_that_personalize_would_refuse_is_not_added() -> None:
    last = job(f"{BASE}main/interactions/")
    few = {**DELTA, "rows": FEWEST_INTERACTIONS - 1}
    assert planned(last, delta=few)["importMode"] == "FULL"
    assert planned(last, delta=few, kind="users")["importMode"] == "INCREMENTAL"
    assert planned(last, delta={**DELTA, "rows": 0}, kind="users")["importMode"] == "FULL"
    assert planned(last, delta={**DELTA, "bytes": MOST_INCREMENTAL_BYTES + 1})["importMode"] == "FULL"


def test_the_same_run_again_finds_its_own_import_again() -> None:
    first = planned(job(f"{BASE}main/interactions/"))
    under_way = job(DELTA["location"], "CREATE IN_PROGRESS", first["importName"])
    assert planned(under_way, job(f"{BASE}main/interactions/")) == first


def test_a_failed_import_is_tried_again_under_a_free_name() -> None:
    first = planned(mode="FULL")
    failed = job("", "CREATE FAILED", first["importName"])
    second = planned(failed, mode="FULL")
    assert second["importName"] == f"{first['importName']}-2"
    assert second["importArn"].endswith(second["importName"])
    failed_again = job("", "CREATE FAILED", second["importName"])
    assert planned(failed_again, failed, mode="FULL")["importName"] == f"{first['importName']}-3"
