"""Metric attributions: what recommendations brought, counted from events."""

from __future__ import annotations

import re
import time

from localcloud.personalize.avro import INTERACTIONS, DatasetSchema
from localcloud.personalize.errors import (
    InvalidInputError,
    LimitExceededError,
    ResourceAlreadyExistsError,
    ResourceNotFoundError,
)
from localcloud.personalize.listing import describe, page
from localcloud.personalize.operations import Answer, Request, operation
from localcloud.personalize.quotas import METRICS_IN_ATTRIBUTION
from localcloud.personalize.region import Region, refuse_if_changing
from localcloud.personalize.resources import DatasetGroup, Json, MetricAttribution

SUM = re.compile(r"SUM\((Interactions|Items)\.([A-Za-z_][A-Za-z0-9_]*)\)", re.IGNORECASE)
_COUNT = re.compile(r"SAMPLECOUNT\(\)", re.IGNORECASE)


@operation("CreateMetricAttribution")
def create_metric_attribution(region: Region, request: Request) -> Answer:
    """Create the metric attribution of a dataset group: there is one at most."""
    group = region.get_active(DatasetGroup, request["datasetGroupArn"])
    if present := region.all(MetricAttribution, dataset_group_arn=group.arn):
        raise ResourceAlreadyExistsError(f"Another resource with Arn {present[0].arn} already exists.")
    _check_metrics(request["metrics"], region.schemas_of(group.arn))
    attribution = MetricAttribution(
        arn=region.arn(MetricAttribution, request["name"]),
        name=request["name"],
        dataset_group_arn=group.arn,
        metrics_output_config=request["metricsOutputConfig"],
        metrics=request["metrics"],
    )
    region.create(attribution)
    return {"metricAttributionArn": attribution.arn}


@operation("UpdateMetricAttribution")
def update_metric_attribution(region: Region, request: Request) -> Answer:
    """Add and remove metrics, or send reports elsewhere."""
    attribution = region.get_active(MetricAttribution, request["metricAttributionArn"])
    names = {metric["metricName"] for metric in attribution.metrics}
    removed = set(request.get("removeMetrics", []))
    if unknown := removed - names:
        raise ResourceNotFoundError(f"{attribution.arn} has no metric {', '.join(sorted(unknown))}.")
    added: list[Json] = request.get("addMetrics", [])
    if taken := {metric["metricName"] for metric in added} & (names - removed):
        raise ResourceAlreadyExistsError(
            f"{attribution.arn} has a metric {', '.join(sorted(taken))} already."
        )
    metrics = [metric for metric in attribution.metrics if metric["metricName"] not in removed] + added
    _check_metrics(metrics, region.schemas_of(attribution.dataset_group_arn))
    attribution.metrics = metrics
    attribution.metrics_output_config = request.get("metricsOutputConfig", attribution.metrics_output_config)
    attribution.last_updated_date_time = time.time()
    region.save()
    return {"metricAttributionArn": attribution.arn}


def _check_metrics(metrics: list[Json], schemas: dict[str, DatasetSchema]) -> None:
    if len(metrics) > METRICS_IN_ATTRIBUTION:
        raise LimitExceededError(f"A metric attribution has at most {METRICS_IN_ATTRIBUTION} metrics.")
    interactions = schemas.get(INTERACTIONS)
    if interactions is None or interactions.column("EVENT_TYPE") is None:
        raise InvalidInputError(
            "A metric attribution needs an Interactions dataset with an EVENT_TYPE column."
        )
    names = [metric["metricName"] for metric in metrics]
    if len(set(names)) < len(names):
        raise InvalidInputError("Each metric needs a name of its own.")
    for metric in metrics:
        _check_expression(metric["expression"], schemas)


def _check_expression(expression: str, schemas: dict[str, DatasetSchema]) -> None:
    match = SUM.fullmatch(expression.strip())
    if match is None:
        if not _COUNT.fullmatch(expression.strip()):
            raise InvalidInputError(
                f"The expression '{expression}' must be SAMPLECOUNT() or SUM(DatasetType.COLUMN), "
                "the dataset type being Interactions or Items."
            )
        return
    schema = schemas.get(match.group(1).upper())
    column = schema.column(match.group(2)) if schema else None
    if column is None or not column.is_number:
        raise InvalidInputError(
            f"'{expression}': {match.group(1)}.{match.group(2)} is not a column of numbers."
        )


@operation("DescribeMetricAttribution")
def describe_metric_attribution(region: Region, request: Request) -> Answer:
    """Return a metric attribution."""
    attribution = region.get(MetricAttribution, request["metricAttributionArn"])
    return describe("DescribeMetricAttribution", "metricAttribution", attribution)


@operation("ListMetricAttributions")
def list_metric_attributions(region: Region, request: Request) -> Answer:
    """Return the metric attribution of a dataset group, or all, page by page."""
    found = region.listed(MetricAttribution, request, "dataset_group_arn")
    return page("ListMetricAttributions", "metricAttributions", request, found)


@operation("ListMetricAttributionMetrics")
def list_metric_attribution_metrics(region: Region, request: Request) -> Answer:
    """Return the metrics of a metric attribution, page by page."""
    if "metricAttributionArn" not in request:
        raise InvalidInputError("A metricAttributionArn is needed.")
    attribution = region.get(MetricAttribution, request["metricAttributionArn"])
    return page("ListMetricAttributionMetrics", "metrics", request, attribution.metrics)


@operation("DeleteMetricAttribution")
def delete_metric_attribution(region: Region, request: Request) -> Answer:
    """Delete a metric attribution; the reports stay."""
    attribution = region.get(MetricAttribution, request["metricAttributionArn"])
    refuse_if_changing(attribution)
    region.delete(attribution)
    return {}
