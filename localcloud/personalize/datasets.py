"""Datasets."""

from __future__ import annotations

import time
import uuid

from localcloud.personalize.avro import ACTION_INTERACTIONS, DATASET_TYPES, INTERACTIONS, parse_schema
from localcloud.personalize.errors import (
    InvalidInputError,
    ResourceAlreadyExistsError,
    ResourceInUseError,
)
from localcloud.personalize.listing import describe, page
from localcloud.personalize.operations import Answer, Request, operation
from localcloud.personalize.region import Region, refuse_if_changing
from localcloud.personalize.resources import (
    ACTIVE,
    Dataset,
    DatasetExportJob,
    DatasetGroup,
    DatasetImportJob,
    Schema,
    SolutionVersion,
)
from localcloud.personalize.tags import initial_tags


@operation("CreateDataset")
def create_dataset(region: Region, request: Request) -> Answer:
    """Create an empty dataset in a group."""
    group = region.get_active(DatasetGroup, request["datasetGroupArn"])
    schema = region.get(Schema, request["schemaArn"])
    dataset_type = request["datasetType"].upper()
    if dataset_type not in DATASET_TYPES:
        raise InvalidInputError(f"The datasetType {dataset_type} is none of {', '.join(DATASET_TYPES)}.")
    if parse_schema(schema.schema).dataset_type != dataset_type:
        raise InvalidInputError(f"The schema {schema.arn} is not a schema of {dataset_type}.")
    if present := region.all(Dataset, dataset_group_arn=group.arn, dataset_type=dataset_type):
        raise ResourceAlreadyExistsError(f"Another resource with Arn {present[0].arn} already exists.")
    dataset = Dataset(
        arn=region.arn(Dataset, f"{group.name}/{dataset_type}"),
        name=request["name"],
        dataset_group_arn=group.arn,
        dataset_type=dataset_type,
        schema_arn=schema.arn,
        tracking_id=str(uuid.uuid4()) if dataset_type == ACTION_INTERACTIONS else None,
        tags=initial_tags(request),
    )
    region.create(dataset)
    region.servers.clear()
    return {"datasetArn": dataset.arn}


@operation("DescribeDataset")
def describe_dataset(region: Region, request: Request) -> Answer:
    """Return a dataset; that of the action interactions with the trackingId of PutActionInteractions."""
    return describe("DescribeDataset", "dataset", region.get(Dataset, request["datasetArn"]))


@operation("ListDatasets")
def list_datasets(region: Region, request: Request) -> Answer:
    """Return the datasets of a group, or all, page by page."""
    return page("ListDatasets", "datasets", request, region.listed(Dataset, request, "dataset_group_arn"))


@operation("UpdateDataset")
def update_dataset(region: Region, request: Request) -> Answer:
    """Give a dataset a new schema, which may add nullable columns: solutions made later train on them."""
    dataset = region.get_active(Dataset, request["datasetArn"])
    if dataset.dataset_type in {INTERACTIONS, ACTION_INTERACTIONS}:
        raise InvalidInputError(
            f"{dataset.arn} is a dataset of {dataset.dataset_type}; "
            "only ITEMS and USERS can get a new schema."
        )
    new = region.get(Schema, request["schemaArn"])
    old_columns = parse_schema(region.get(Schema, dataset.schema_arn).schema).columns
    schema = parse_schema(new.schema)
    if schema.dataset_type != dataset.dataset_type:
        raise InvalidInputError(f"The schema {new.arn} is not a schema of {dataset.dataset_type}.")
    for column in old_columns:
        if schema.column(column.name) != column:
            raise InvalidInputError(f"The new schema must keep the field {column.name} as it is.")
    for column in schema.columns:
        if column not in old_columns and not column.nullable:
            raise InvalidInputError(
                f"The new field {column.name} must allow null: the data so far does not have it."
            )
    now = time.time()
    dataset.schema_arn = new.arn
    region.servers.clear()
    dataset.last_updated_date_time = now
    dataset.latest_dataset_update = {
        "schemaArn": new.arn,
        "status": ACTIVE,
        "creationDateTime": now,
        "lastUpdatedDateTime": now,
    }
    region.save()
    return {"datasetArn": dataset.arn}


@operation("DeleteDataset")
def delete_dataset(region: Region, request: Request) -> Answer:
    """Delete a dataset with its data and jobs; not while it is imported to or trained on."""
    dataset = region.get(Dataset, request["datasetArn"])
    refuse_if_changing(dataset)
    if running := [job for job in region.all(DatasetImportJob, dataset_arn=dataset.arn) if job.is_changing]:
        raise ResourceInUseError(f"{dataset.arn} is in use by {running[0].arn}.")
    versions = region.all(SolutionVersion, dataset_group_arn=dataset.dataset_group_arn)
    if training := [version for version in versions if version.is_changing]:
        raise ResourceInUseError(f"{dataset.arn} is in use by {training[0].arn}.")
    region.servers.clear()
    region.delete(dataset, lambda: _clear(region, dataset))
    return {}


def _clear(region: Region, dataset: Dataset) -> None:
    """Forget a dataset's data and its finished jobs: a job's name may then be used for a new dataset."""
    region.data.of(dataset.dataset_group_arn).clear(dataset.dataset_type)
    for kind in (DatasetImportJob, DatasetExportJob):
        for job in region.all(kind, dataset_arn=dataset.arn):
            region.remove(job)
