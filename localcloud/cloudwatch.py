"""CloudWatch: composite alarms, which moto keeps beside its alarms but has no operation for."""

from __future__ import annotations

from typing import Any

from moto.cloudwatch.responses import CloudWatchResponse

from localcloud.context import CloudContext


def install(context: CloudContext) -> None:  # noqa: ARG001 - every service takes it
    """Answer PutCompositeAlarm: moto's PutMetricAlarm reads the rule of one already."""
    response: Any = CloudWatchResponse
    response.put_composite_alarm = response.put_metric_alarm
