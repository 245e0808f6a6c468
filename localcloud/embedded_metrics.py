"""CloudWatch's embedded metric format: a log line that says so is also a data point of its metrics.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends
from moto.core.exceptions import ServiceException
from moto.logs.models import LogStream

from localcloud.context import ACCOUNT_ID, CloudContext

MARK = '"_aws"'


def install(context: CloudContext) -> None:  # noqa: ARG001 - every service takes it
    """Read every log line that is written."""
    stream: Any = LogStream
    by_moto = stream.put_log_events

    def put_log_events(self: LogStream, log_events: list[dict[str, Any]]) -> str:
        for event in log_events:
            if MARK in event["message"]:
                _publish(self.region, event["message"])
        return str(by_moto(self, log_events))

    stream.put_log_events = put_log_events


def _publish(region: str, message: str) -> None:
    """Publish what a line says; a line that is not in the format is only a line, as on AWS."""
    for namespace, data in _data(message):
        try:
            cloudwatch_backends[ACCOUNT_ID][region].put_metric_data(namespace, data)
        except ServiceException:
            return


def _data(message: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield each namespace with its data points, one for every metric and set of dimensions."""
    try:
        line = json.loads(message)
        # Without a zone, as moto reads the times of requests.
        at = datetime.fromtimestamp(line["_aws"]["Timestamp"] / 1000, tz=UTC).replace(tzinfo=None)
        for directive in line["_aws"]["CloudWatchMetrics"]:
            points = [
                {
                    "MetricName": metric["Name"],
                    "Dimensions": [{"Name": name, "Value": str(line[name])} for name in names],
                    "Timestamp": at,
                    "Unit": metric.get("Unit", "None"),
                    "Values": values if isinstance(values := line[metric["Name"]], list) else [values],
                }
                for metric in directive["Metrics"]
                for names in directive.get("Dimensions") or [[]]
            ]
            yield directive["Namespace"], points
    except (ValueError, KeyError, TypeError):
        return
