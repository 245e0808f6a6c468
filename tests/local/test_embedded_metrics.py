"""A log line in CloudWatch's embedded metric format is a metric too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.local.conftest import LocalCloudServer
from tests.local.test_lambda import deploy, invoke

SOURCE = """
import json, time
def handler(event, _):
    metrics = [{"Name": "Pages", "Unit": "Count"}]
    directive = {"Namespace": "shop", "Dimensions": [["Source"], []], "Metrics": metrics}
    line = {"_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}}
    print(json.dumps({**line, "Source": event["source"], "Pages": event["pages"]}))
    print('{"_aws": "not in the format"}')
"""


def test_lines_of_a_function_are_metrics(localcloud_server: LocalCloudServer) -> None:
    name = deploy(localcloud_server, SOURCE)
    for source, pages in (("stored", 2), ("stored", 3), ("popular", 5)):
        assert invoke(localcloud_server, name, {"source": source, "pages": pages}) == (None, None)
    cloudwatch, now = localcloud_server.client("cloudwatch"), datetime.now(UTC)

    def total(**dimensions: str) -> float:
        found = cloudwatch.get_metric_statistics(
            Namespace="shop", MetricName="Pages", Period=3600, Statistics=["Sum"],
            StartTime=now - timedelta(hours=1), EndTime=now + timedelta(hours=1),
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        )  # fmt: skip
        return sum(float(point["Sum"]) for point in found["Datapoints"])

    assert total(Source="stored") == 5
    assert total(Source="popular") == 5
    assert total() >= 10
