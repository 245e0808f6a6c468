"""Which version of a solution a run needs: one that is there, one that is under way, or a new one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

IN_WORK = {"CREATE PENDING", "CREATE IN_PROGRESS", "CREATE STOPPING"}
USABLE = {"CREATE PENDING", "CREATE IN_PROGRESS", "ACTIVE"}


def find(versions: Iterable[Mapping[str, Any]], name: str, training_mode: str) -> dict[str, str]:
    """Say how a run comes to the version `name` of a solution.

    `versions` are Personalize's descriptions of the solution's versions, newest first. `arn` is the version
    when it is there or being trained; `underWay` another one that is being trained: one training of a
    solution at a time. Otherwise `versionName` is free for a new one (a failed training keeps its name), and
    `trainingMode` possible: an UPDATE needs a version that was trained in FULL.
    """
    known = list(versions)
    tries = [version for version in known if _is_named(version.get("name"), name)]
    usable = next((version for version in tries if version["status"] in USABLE), None)
    under_way = next((version for version in known if version["status"] in IN_WORK), None)
    was_trained = any(v["status"] == "ACTIVE" and v.get("trainingMode", "FULL") == "FULL" for v in known)
    return {
        "arn": usable["solutionVersionArn"] if usable else "",
        "underWay": under_way["solutionVersionArn"] if under_way else "",
        "versionName": f"{name}-{len(tries) + 1}" if tries else name,
        "trainingMode": training_mode if was_trained else "FULL",
    }


def last_duration(
    records: Iterable[Mapping[str, str]], solution_arn: str, training_mode: str
) -> float | None:
    """Return the seconds that the newest recorded training of a solution took, or None when there is none.

    Records are read rather than Personalize, which counts its own updates of a version as changes of it.
    """
    trained = [
        record
        for record in records
        if record["solution_version_arn"].startswith(f"{solution_arn}/")
        and record.get("training_mode") == training_mode
        and "trained_at" in record
    ]
    if not trained:
        return None
    newest = max(trained, key=lambda record: record["created_at"])
    return seconds_between(newest["created_at"], newest["trained_at"])


def last_deployment(serving: Mapping[str, Any]) -> float | None:
    """Return the seconds that a campaign's last update took, or its creation; None when there is no campaign.

    `serving` is the answer of DescribeCampaign as Step Functions hands it on.
    """
    campaign = serving.get("Campaign")
    if campaign is None:
        return None
    last = campaign.get("LatestCampaignUpdate") or campaign
    return seconds_between(last["CreationDateTime"], last["LastUpdatedDateTime"])


def seconds_between(start: str, end: str) -> float:
    """Return the seconds between two ISO 8601 times."""
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def _is_named(given: str | None, name: str) -> bool:
    """Say whether a version is the one of this name, or a later try of it (`name-2`)."""
    return given is not None and (given == name or given.startswith(f"{name}-"))
