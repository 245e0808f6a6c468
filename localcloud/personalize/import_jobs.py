"""Dataset import jobs: CSV files in S3 to a dataset."""

from __future__ import annotations

import pyarrow as pa

from localcloud.personalize.action_events import check_action_event
from localcloud.personalize.attribution_reports import report_imported_events
from localcloud.personalize.avro import ACTION_INTERACTIONS, INTERACTIONS, parse_schema
from localcloud.personalize.csv_import import RowError, read_csv_files
from localcloud.personalize.errors import InvalidInputError
from localcloud.personalize.listing import describe, page
from localcloud.personalize.operations import Answer, Request, operation
from localcloud.personalize.quotas import (
    EVENT_TYPES_AND_METADATA,
    INCREMENTAL_IMPORT_BYTES,
    MIN_INTERACTIONS,
    PENDING_IMPORTS,
    check_pending,
)
from localcloud.personalize.region import JobFailedError, Region
from localcloud.personalize.resources import Dataset, DatasetImportJob, MetricAttribution, Schema
from localcloud.personalize.s3 import Location, S3Error
from localcloud.personalize.tags import initial_tags


@operation("CreateDatasetImportJob")
def create_dataset_import_job(region: Region, request: Request) -> Answer:
    """Import CSV files, FULL (replacing earlier imports) or INCREMENTAL (adding to them)."""
    dataset = region.get_active(Dataset, request["datasetArn"])
    location = request["dataSource"].get("dataLocation")
    if not location:
        raise InvalidInputError("dataSource.dataLocation is needed.")
    try:
        Location.parse(location)
    except S3Error as error:
        raise InvalidInputError(str(error)) from error
    if request.get("publishAttributionMetricsToS3"):
        _check_attribution(region, dataset)
    check_pending(region.all(DatasetImportJob), PENDING_IMPORTS)
    job = DatasetImportJob(
        arn=region.arn(DatasetImportJob, request["jobName"]),
        job_name=request["jobName"],
        dataset_arn=dataset.arn,
        data_source=request["dataSource"],
        role_arn=request.get("roleArn"),
        import_mode=request.get("importMode", "FULL"),
        publish_attribution_metrics_to_s3=request.get("publishAttributionMetricsToS3"),
        tags=initial_tags(request),
    )
    region.create(job, lambda: _import(region, job))
    return {"datasetImportJobArn": job.arn}


def _check_attribution(region: Region, dataset: Dataset) -> None:
    attributions = region.all(MetricAttribution, dataset_group_arn=dataset.dataset_group_arn)
    if not attributions or "s3DataDestination" not in attributions[0].metrics_output_config:
        raise InvalidInputError(
            "publishAttributionMetricsToS3 needs a metric attribution with an S3 destination."
        )


def _import(region: Region, job: DatasetImportJob) -> None:
    """Do the work of an import job.

    Raises JobFailedError with the file and line at fault.
    """
    dataset = region.get(Dataset, job.dataset_arn)
    schema = region.get(Schema, dataset.schema_arn).schema
    try:
        files = region.bucket.find(job.data_source["dataLocation"])
        if job.import_mode == "INCREMENTAL" and sum(file.size for file in files) > INCREMENTAL_IMPORT_BYTES:
            raise JobFailedError("An INCREMENTAL import can have at most 1 GB of data.")
        with region.bucket.local_copies(files) as paths:
            table = read_csv_files(paths, parse_schema(schema))
            _check_rows(region, dataset, table)
            data = region.data.of(dataset.dataset_group_arn)
            data.import_table(dataset.dataset_type, schema, table, job.import_mode)
        if job.publish_attribution_metrics_to_s3:
            report_imported_events(region, dataset, job, table)
    except (S3Error, RowError) as error:
        kind = dataset.dataset_type.capitalize()
        raise JobFailedError(f"Failed to create a data import job for {kind} dataset: {error}") from error


def _check_rows(region: Region, dataset: Dataset, table: pa.Table) -> None:
    """Check AWS's limits on the rows of one import.

    Raises RowError.
    """
    least = MIN_INTERACTIONS if dataset.dataset_type == INTERACTIONS else 1
    if table.num_rows < least:
        raise RowError(f"There are {table.num_rows} rows of data; at least {least} are needed.")
    if dataset.dataset_type == ACTION_INTERACTIONS:
        for event_type in table["EVENT_TYPE"].unique().to_pylist():
            try:
                check_action_event(event_type)
            except InvalidInputError as error:
                raise RowError(error.message) from error
    if dataset.dataset_type == INTERACTIONS and "EVENT_TYPE" in table.column_names:
        metadata = parse_schema(region.get(Schema, dataset.schema_arn).schema).metadata
        event_types = len(table["EVENT_TYPE"].unique())
        if event_types + len(metadata) > EVENT_TYPES_AND_METADATA:
            raise RowError(
                f"There are {event_types} distinct event types and {len(metadata)} metadata columns; "
                f"together they may be {EVENT_TYPES_AND_METADATA} at most."
            )


@operation("DescribeDatasetImportJob")
def describe_dataset_import_job(region: Region, request: Request) -> Answer:
    """Return an import job."""
    job = region.get(DatasetImportJob, request["datasetImportJobArn"])
    return describe("DescribeDatasetImportJob", "datasetImportJob", job)


@operation("ListDatasetImportJobs")
def list_dataset_import_jobs(region: Region, request: Request) -> Answer:
    """Return the import jobs of a dataset, or all, page by page."""
    jobs = region.listed(DatasetImportJob, request, "dataset_arn")
    return page("ListDatasetImportJobs", "datasetImportJobs", request, jobs)
