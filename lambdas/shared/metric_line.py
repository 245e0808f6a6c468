"""Metrics inside log lines: CloudWatch's embedded metric format, which costs no call.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any


def counted(metric: str, count: int, dimensions: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields that make a log line a data point of a count.

    The namespace is POWERTOOLS_METRICS_NAMESPACE; without one the line is only a line.
    """
    namespace = os.environ.get("POWERTOOLS_METRICS_NAMESPACE")
    if not namespace:
        return {}
    directive = {
        "Namespace": namespace,
        "Dimensions": [list(dimensions)],
        "Metrics": [{"Name": metric, "Unit": "Count"}],
    }
    return {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]},
        **dimensions,
        metric: count,
    }
