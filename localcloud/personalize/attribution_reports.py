"""The reports of metric attributions: streamed events to CloudWatch, imported ones to S3."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Any

import pyarrow as pa

from localcloud.personalize.call_metrics import NAMESPACE, cloudwatch_client
from localcloud.personalize.metric_attributions import SUM
from localcloud.personalize.region import Region
from localcloud.personalize.resources import Dataset, DatasetImportJob, MetricAttribution

_WINDOW_SECONDS = 900
_FRESH_SECONDS = 14 * 86_400
_NO_SOURCE = "SOURCE_NAME_UNDEFINED"
_DATA_AT_ONCE = 500

Row = Mapping[str, Any]
# (metric name, event type, function, source, start of the window) to the value.
Totals = dict[tuple[str, str, str, str, int], float]


def report_streamed_events(region: Region, group_arn: str, events: Sequence[Row]) -> None:
    """Send what events of the last 14 days count for to CloudWatch, in the background."""
    attributions = region.all(MetricAttribution, dataset_group_arn=group_arn)
    if not attributions:
        return
    fresh = [event for event in events if event["TIMESTAMP"] > time.time() - _FRESH_SECONDS]
    totals = _totals(region, attributions[0], fresh)
    if totals:
        region.in_background(lambda: _to_cloudwatch(region, group_arn, totals))


def report_imported_events(region: Region, dataset: Dataset, job: DatasetImportJob, table: pa.Table) -> None:
    """Write what the events of an import count for to a CSV file in S3."""
    attribution = region.all(MetricAttribution, dataset_group_arn=dataset.dataset_group_arn)[0]
    totals = _totals(region, attribution, table.to_pylist())
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["METRIC_NAME", "EVENT_TYPE", "VALUE", "MATH_FUNCTION", "EVENT_ATTRIBUTION_SOURCE", "TIMESTAMP"]
    )
    for (name, event_type, function, source, start), value in sorted(totals.items()):
        writer.writerow([name, event_type, value, function, source, start])
    folder = attribution.metrics_output_config["s3DataDestination"]["path"].rstrip("/")
    file = f"AggregatedAttributionMetrics-{job.import_mode}-{int(time.time())}.csv"
    region.bucket.write(text.getvalue().encode(), f"{folder}/{file}")


def _totals(region: Region, attribution: MetricAttribution, rows: Iterable[Row]) -> Totals:
    items = region.data.of(attribution.dataset_group_arn).items()
    totals: Totals = {}
    for row in rows:
        for metric in attribution.metrics:
            if str(row.get("EVENT_TYPE", "")).lower() != metric["eventType"].lower():
                continue
            match = SUM.fullmatch(metric["expression"].strip())
            value = 1.0
            if match:
                record = row if match.group(1).lower() == "interactions" else items.get(row["ITEM_ID"], {})
                value = float(record.get(match.group(2).upper()) or 0.0)
            start = row["TIMESTAMP"] - row["TIMESTAMP"] % _WINDOW_SECONDS
            function = "sum" if match else "samplecount"
            key = (metric["metricName"], metric["eventType"], function, _source(region, row), start)
            totals[key] = totals.get(key, 0.0) + value
    return totals


def _source(region: Region, row: Row) -> str:
    given = row.get("EVENT_ATTRIBUTION_SOURCE")
    return str(given or region.recommendations.campaign(row.get("RECOMMENDATION_ID")) or _NO_SOURCE)


def _to_cloudwatch(region: Region, group_arn: str, totals: Totals) -> None:
    """Send metrics under the names and dimensions that AWS's notebook on measuring the impact reads."""
    client = cloudwatch_client(region)
    data = [
        {
            "MetricName": name.upper(),
            "Dimensions": [
                {"Name": "EventAttributionSource", "Value": source.upper()},
                {"Name": "DatasetGroupArn", "Value": group_arn},
            ],
            "Timestamp": start,
            "Value": value,
        }
        for (name, _event_type, _function, source, start), value in totals.items()
    ]
    for first in range(0, len(data), _DATA_AT_ONCE):
        client.put_metric_data(Namespace=NAMESPACE, MetricData=data[first : first + _DATA_AT_ONCE])
