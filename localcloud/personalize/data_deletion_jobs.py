"""Data deletion jobs: forget users."""

from __future__ import annotations

import csv
from pathlib import Path

from localcloud.personalize.errors import InvalidInputError
from localcloud.personalize.listing import describe, page
from localcloud.personalize.operations import Answer, Request, operation
from localcloud.personalize.quotas import PENDING_DELETIONS, check_pending
from localcloud.personalize.region import JobFailedError, Region
from localcloud.personalize.resources import DataDeletionJob, DatasetGroup
from localcloud.personalize.s3 import Location, S3Error
from localcloud.personalize.tags import initial_tags


@operation("CreateDataDeletionJob")
def create_data_deletion_job(region: Region, request: Request) -> Answer:
    """Remove the users named in CSV files and all that they did; models forget with their next training."""
    group = region.get_active(DatasetGroup, request["datasetGroupArn"])
    location = request["dataSource"].get("dataLocation")
    if not location:
        raise InvalidInputError("dataSource.dataLocation is needed.")
    try:
        Location.parse(location)
    except S3Error as error:
        raise InvalidInputError(str(error)) from error
    check_pending(region.all(DataDeletionJob), PENDING_DELETIONS)
    job = DataDeletionJob(
        arn=region.arn(DataDeletionJob, request["jobName"]),
        job_name=request["jobName"],
        role_arn=request["roleArn"],
        dataset_group_arn=group.arn,
        data_source=request["dataSource"],
        tags=initial_tags(request),
    )
    region.create(job, lambda: _delete(region, job))
    return {"dataDeletionJobArn": job.arn}


def _delete(region: Region, job: DataDeletionJob) -> None:
    """Do the work of a job.

    Raises JobFailedError.
    """
    try:
        files = region.bucket.find(job.data_source["dataLocation"])
        with region.bucket.local_copies(files) as paths:
            user_ids = {user_id for path in paths for user_id in _user_ids(path)}
    except S3Error as error:
        raise JobFailedError(str(error)) from error
    job.num_deleted = region.data.of(job.dataset_group_arn).delete_users(user_ids)


def _user_ids(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.reader(file))
    if not rows or rows[0] != ["USER_ID"]:
        raise JobFailedError(f"{path.name}: the header must be the single column USER_ID.")
    return [row[0] for row in rows[1:] if row]


@operation("DescribeDataDeletionJob")
def describe_data_deletion_job(region: Region, request: Request) -> Answer:
    """Return a data deletion job."""
    job = region.get(DataDeletionJob, request["dataDeletionJobArn"])
    return describe("DescribeDataDeletionJob", "dataDeletionJob", job)


@operation("ListDataDeletionJobs")
def list_data_deletion_jobs(region: Region, request: Request) -> Answer:
    """Return the data deletion jobs of a dataset group, or all, page by page."""
    jobs = region.listed(DataDeletionJob, request, "dataset_group_arn")
    return page("ListDataDeletionJobs", "dataDeletionJobs", request, jobs)
