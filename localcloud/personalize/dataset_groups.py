"""Dataset groups."""

from __future__ import annotations

from localcloud.personalize.errors import InvalidInputError, NotBuiltError, ResourceInUseError
from localcloud.personalize.listing import describe, page
from localcloud.personalize.operations import Answer, Request, operation
from localcloud.personalize.quotas import DATASET_GROUPS, check_active
from localcloud.personalize.region import Region, refuse_if_changing
from localcloud.personalize.resources import (
    Dataset,
    DatasetGroup,
    EventTracker,
    Filter,
    MetricAttribution,
    Solution,
)
from localcloud.personalize.tags import initial_tags


@operation("CreateDatasetGroup", "custom dataset groups only")
def create_dataset_group(region: Region, request: Request) -> Answer:
    """Create an empty dataset group."""
    if "domain" in request:
        raise NotBuiltError(f"CreateDatasetGroup: the domain {request['domain']}")
    if "kmsKeyArn" in request and "roleArn" not in request:
        raise InvalidInputError("A roleArn is needed with a kmsKeyArn.")
    check_active(region.all(DatasetGroup), DATASET_GROUPS)
    group = DatasetGroup(
        arn=region.arn(DatasetGroup, request["name"]),
        name=request["name"],
        role_arn=request.get("roleArn"),
        kms_key_arn=request.get("kmsKeyArn"),
        tags=initial_tags(request),
    )
    region.create(group)
    return {"datasetGroupArn": group.arn}


@operation("DescribeDatasetGroup")
def describe_dataset_group(region: Region, request: Request) -> Answer:
    """Return a dataset group."""
    group = region.get(DatasetGroup, request["datasetGroupArn"])
    return describe("DescribeDatasetGroup", "datasetGroup", group)


@operation("ListDatasetGroups")
def list_dataset_groups(region: Region, request: Request) -> Answer:
    """Return all dataset groups, page by page."""
    return page("ListDatasetGroups", "datasetGroups", request, region.all(DatasetGroup))


@operation("DeleteDatasetGroup")
def delete_dataset_group(region: Region, request: Request) -> Answer:
    """Delete a dataset group that nothing belongs to any more."""
    group = region.get(DatasetGroup, request["datasetGroupArn"])
    refuse_if_changing(group)
    for kind in (Dataset, Solution, EventTracker, Filter, MetricAttribution):
        if members := region.all(kind, dataset_group_arn=group.arn):
            raise ResourceInUseError(
                f"{group.arn} still has the {kind.LABEL} {members[0].arn}; delete it first."
            )
    region.delete(group, lambda: region.data.drop(group.arn))
    return {}
