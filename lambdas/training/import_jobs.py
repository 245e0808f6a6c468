"""The imports of a dataset so far, as Personalize lists them."""

from __future__ import annotations

from typing import Any

from imports import FAILED


def jobs_of(personalize: Any, dataset_arn: str) -> list[dict[str, Any]]:
    """Return a dataset's imports, newest first: name, status, mode, seconds; none when there is no dataset.

    Of the newest that did not fail also the location: only it says what data the dataset has.
    """
    try:
        pages = list(personalize.get_paginator("list_dataset_import_jobs").paginate(datasetArn=dataset_arn))
    except personalize.exceptions.ResourceNotFoundException:
        return []
    listed = [job for page in pages for job in page["datasetImportJobs"]]
    listed.sort(key=lambda job: job["creationDateTime"], reverse=True)
    jobs = [_job(one) for one in listed]
    newest = next((index for index, job in enumerate(jobs) if job["status"] != FAILED), None)
    if newest is not None:
        arn = listed[newest]["datasetImportJobArn"]
        described = personalize.describe_dataset_import_job(datasetImportJobArn=arn)["datasetImportJob"]
        jobs[newest]["location"] = described["dataSource"]["dataLocation"]
    return jobs


def last_seconds(jobs: list[dict[str, Any]], mode: str) -> float | None:
    """Return how long the newest import of a mode took that succeeded, or None when there is none."""
    return next((job["seconds"] for job in jobs if job["status"] == "ACTIVE" and job["mode"] == mode), None)


def _job(listed: dict[str, Any]) -> dict[str, Any]:
    lasted = listed["lastUpdatedDateTime"] - listed["creationDateTime"]
    return {
        "name": listed["jobName"],
        "status": listed["status"],
        "mode": listed.get("importMode", "FULL"),
        "seconds": lasted.total_seconds(),
        "location": "",
    }
