"""What Personalize itself reports to CloudWatch: calls of the runtime and of events, errors, latency.

Source: developer guide, "CloudWatch metrics for Amazon Personalize". AWS's names are not of one pattern: the
calls of rankings are reported by the name in the guide and by the one that AWS's own monitoring sample reads.
"""

from __future__ import annotations

import logging
import random
import threading
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from localcloud.personalize.region import Region
from localcloud.personalize.resources import Campaign, Dataset, EventTracker

logger = logging.getLogger(__name__)

NAMESPACE = "AWS/Personalize"
_CALLS = {
    "GetRecommendations": ("GetRecommendations",),
    "GetPersonalizedRanking": ("GetPersonalizedRanking", "GetPersonalizedRankingRequests"),
    "GetActionRecommendations": ("GetActionRecommendations",),
    "PutEvents": ("PutEventsRequests",),
    "PutItems": ("PutItemsRequests",),
    "PutUsers": ("PutUsersRequests",),
    "PutActions": ("PutActionsRequests",),
}
_LATENCY = {"PutEvents": "PutEventLatency"}
_SECONDS_BETWEEN_REPORTS = 15.0
# CloudWatch takes 150 values a metric and call; of more latencies a random sample is sent.
_MOST_LATENCIES = 100
_DATA_AT_ONCE = 500

Dimensions = tuple[tuple[str, str], ...]


def cloudwatch_client(region: Region) -> Any:
    """Return a client of the cloud's own CloudWatch."""
    return boto3.client(
        "cloudwatch",
        endpoint_url=region.endpoint_url,
        region_name=region.name,
        aws_access_key_id="localcloud",
        aws_secret_access_key="localcloud",  # noqa: S106 - the emulator takes any credentials
        config=Config(retries={"max_attempts": 1}),
    )


class CallMetrics:
    """Counts the calls of one region until they are reported."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, Dimensions], int] = defaultdict(int)
        self._latencies: dict[tuple[str, Dimensions], list[float]] = defaultdict(list)

    def record(self, operation: str, request: Mapping[str, Any], status: int, milliseconds: float) -> None:
        """Count a call; those that name no campaign, event tracker or dataset there is are not reported."""
        dimensions = self._dimensions(operation, request) if operation in _CALLS else ()
        if not dimensions:
            return
        with self._lock:
            if status != 200:  # noqa: PLR2004 - HTTP
                self._counts[f"{operation}{status // 100}xxErrors", dimensions] += 1
                return
            for name in _CALLS[operation]:
                self._counts[name, dimensions] += 1
            self._latencies[_LATENCY.get(operation, f"{operation}Latency"), dimensions].append(milliseconds)

    def report(self) -> None:
        """Send what was counted since the last report."""
        with self._lock:
            counts, self._counts = self._counts, defaultdict(int)
            latencies, self._latencies = self._latencies, defaultdict(list)
        data: list[dict[str, Any]] = [
            {"MetricName": name, "Dimensions": _named(dimensions), "Value": float(count), "Unit": "Count"}
            for (name, dimensions), count in counts.items()
        ]
        for (name, dimensions), values in latencies.items():
            sample = random.sample(values, _MOST_LATENCIES) if len(values) > _MOST_LATENCIES else values
            data.append(
                {
                    "MetricName": name,
                    "Dimensions": _named(dimensions),
                    "Values": sample,
                    "Unit": "Milliseconds",
                }
            )
        for first in range(0, len(data), _DATA_AT_ONCE):
            cloudwatch_client(self._region).put_metric_data(
                Namespace=NAMESPACE, MetricData=data[first : first + _DATA_AT_ONCE]
            )

    def keep_reporting(self, stopped: threading.Event) -> None:
        """Report every some seconds, in a thread of its own, until `stopped`."""

        def report() -> None:
            while not stopped.wait(_SECONDS_BETWEEN_REPORTS):
                try:
                    self.report()
                except (BotoCoreError, ClientError) as error:
                    logger.warning("CloudWatch did not take Personalize's metrics: %s", error)

        threading.Thread(target=report, name="personalize-call-metrics", daemon=True).start()

    def _dimensions(self, operation: str, request: Mapping[str, Any]) -> Dimensions:
        region = self._region
        if operation.startswith("Get"):
            campaign = region.find(Campaign, request.get("campaignArn"))
            return (("CampaignArn", campaign.arn),) if campaign else ()
        if operation != "PutEvents":
            dataset = region.find(Dataset, request.get("datasetArn"))
            return (
                (("DatasetGroupArn", dataset.dataset_group_arn), ("DatasetArn", dataset.arn))
                if dataset
                else ()
            )
        for tracker in region.all(EventTracker, tracking_id=request.get("trackingId")):
            group_arn = tracker.dataset_group_arn
            for dataset in region.all(Dataset, dataset_group_arn=group_arn, dataset_type="INTERACTIONS"):
                return (
                    ("DatasetGroupArn", group_arn),
                    ("DatasetArn", dataset.arn),
                    ("EventTrackerArn", tracker.arn),
                )
        return ()


def _named(dimensions: Dimensions) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in dimensions]
