"""Filters as resources: checked when they are created, kept parsed."""

from __future__ import annotations

from functools import lru_cache

from localcloud.personalize.errors import InvalidInputError, LimitExceededError, ResourceInUseError
from localcloud.personalize.filters import (
    FilterExpression,
    check_against_schemas,
    fields_of,
    parse_filter,
)
from localcloud.personalize.listing import describe, page
from localcloud.personalize.operations import Answer, Request, operation
from localcloud.personalize.quotas import FIELDS_IN_FILTER, FIELDS_IN_GROUP, FILTERS_IN_GROUP, check_active
from localcloud.personalize.region import Region, refuse_if_changing
from localcloud.personalize.resources import BatchInferenceJob, BatchSegmentJob, DatasetGroup, Filter
from localcloud.personalize.tags import initial_tags


@lru_cache(maxsize=1000)
def parsed(text: str) -> FilterExpression:
    """Return the syntax tree of an expression that CreateFilter accepted."""
    return parse_filter(text)


@operation("CreateFilter", "the whole documented grammar")
def create_filter(region: Region, request: Request) -> Answer:
    """Create a filter; an expression that cannot be used is refused with the position of what is wrong."""
    group = region.get_active(DatasetGroup, request["datasetGroupArn"])
    text = request["filterExpression"]
    try:
        expression = parse_filter(text)
        check_against_schemas(expression, region.schemas_of(group.arn))
    except ValueError as error:
        raise InvalidInputError(f"Could not create filter. Invalid Expression: {error}.") from error
    filters = region.all(Filter, dataset_group_arn=group.arn)
    check_active(filters, FILTERS_IN_GROUP)
    fields = fields_of(expression)
    if len(fields) > FIELDS_IN_FILTER:
        raise LimitExceededError(
            f"The filter reads {len(fields)} distinct dataset fields; {FIELDS_IN_FILTER} is the limit."
        )
    all_fields = fields.union(*(fields_of(parsed(one.filter_expression)) for one in filters))
    if len(all_fields) > FIELDS_IN_GROUP:
        raise LimitExceededError(
            f"The filters of the dataset group would read {len(all_fields)} distinct dataset fields; "
            f"{FIELDS_IN_GROUP} is the limit."
        )
    created = Filter(
        arn=region.arn(Filter, request["name"]),
        name=request["name"],
        dataset_group_arn=group.arn,
        filter_expression=text,
        tags=initial_tags(request),
    )
    region.create(created)
    return {"filterArn": created.arn}


@operation("DescribeFilter")
def describe_filter(region: Region, request: Request) -> Answer:
    """Return a filter."""
    return describe("DescribeFilter", "filter", region.get(Filter, request["filterArn"]))


@operation("ListFilters")
def list_filters(region: Region, request: Request) -> Answer:
    """Return the filters of a dataset group, or all, page by page."""
    return page("ListFilters", "Filters", request, region.listed(Filter, request, "dataset_group_arn"))


@operation("DeleteFilter")
def delete_filter(region: Region, request: Request) -> Answer:
    """Delete a filter; not while a batch job uses it."""
    doomed = region.get(Filter, request["filterArn"])
    refuse_if_changing(doomed)
    jobs = [
        *region.all(BatchInferenceJob, filter_arn=doomed.arn),
        *region.all(BatchSegmentJob, filter_arn=doomed.arn),
    ]
    if running := [job for job in jobs if job.is_changing]:
        raise ResourceInUseError(f"{doomed.arn} is in use by {running[0].arn}.")
    region.delete(doomed)
    return {}
