"""Dataset export jobs: a dataset to CSV files in S3."""

from __future__ import annotations

import pyarrow.csv as pacsv

from localcloud.personalize.errors import InvalidInputError
from localcloud.personalize.listing import describe, page
from localcloud.personalize.operations import Answer, Request, operation
from localcloud.personalize.quotas import PENDING_EXPORTS, check_pending
from localcloud.personalize.region import JobFailedError, Region
from localcloud.personalize.resources import Dataset, DatasetExportJob
from localcloud.personalize.s3 import Location, S3Error
from localcloud.personalize.tags import initial_tags


@operation("CreateDatasetExportJob")
def create_dataset_export_job(region: Region, request: Request) -> Answer:
    """Export what was imported (BULK), what was streamed (PUT, the default) or both (ALL)."""
    dataset = region.get_active(Dataset, request["datasetArn"])
    path = request["jobOutput"]["s3DataDestination"]["path"]
    try:
        Location.parse(path)
    except S3Error as error:
        raise InvalidInputError(f"Invalid S3 output path: {path}.") from error
    check_pending(region.all(DatasetExportJob), PENDING_EXPORTS)
    job = DatasetExportJob(
        arn=region.arn(DatasetExportJob, request["jobName"]),
        job_name=request["jobName"],
        role_arn=request["roleArn"],
        dataset_arn=dataset.arn,
        job_output=request["jobOutput"],
        ingestion_mode=request.get("ingestionMode", "PUT"),
        tags=initial_tags(request),
    )
    region.create(job, lambda: _export(region, job))
    return {"datasetExportJobArn": job.arn}


def _export(region: Region, job: DatasetExportJob) -> None:
    """Write one CSV file with a header; records that are the same in all fields once.

    Raises JobFailedError.
    """
    dataset = region.get(Dataset, job.dataset_arn)
    data = region.data.of(dataset.dataset_group_arn)
    data.fold_in(region.schema_texts_of(dataset.dataset_group_arn))
    table = data.table(dataset.dataset_type, job.ingestion_mode)
    if table is None or table.num_rows == 0:
        raise JobFailedError(f"The dataset has no data of the ingestion mode {job.ingestion_mode}.")
    distinct = table.group_by(table.column_names, use_threads=False).aggregate([])
    destination = job.job_output["s3DataDestination"]["path"].rstrip("/")
    try:
        with region.bucket.scratch_folder() as folder:
            pacsv.write_csv(distinct, folder / "export.csv", pacsv.WriteOptions(quoting_style="needed"))
            region.bucket.upload(folder / "export.csv", f"{destination}/{job.job_name}/part-00000.csv")
    except S3Error as error:
        raise JobFailedError(str(error)) from error


@operation("DescribeDatasetExportJob")
def describe_dataset_export_job(region: Region, request: Request) -> Answer:
    """Return an export job."""
    job = region.get(DatasetExportJob, request["datasetExportJobArn"])
    return describe("DescribeDatasetExportJob", "datasetExportJob", job)


@operation("ListDatasetExportJobs")
def list_dataset_export_jobs(region: Region, request: Request) -> Answer:
    """Return the export jobs of a dataset, or all, page by page."""
    jobs = region.listed(DatasetExportJob, request, "dataset_arn")
    return page("ListDatasetExportJobs", "datasetExportJobs", request, jobs)
