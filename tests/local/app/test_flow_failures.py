"""Whoever is to know is told which resource failed and why. Comes after what needs the data as it was."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import urllib3

from ops.errors import OperatorError
from tests.local.deployed_app import DeployedApp

pytestmark = pytest.mark.flow


@pytest.fixture
def notified(trained_app: DeployedApp) -> Iterator[Callable[[], dict[str, Any]]]:
    """Listen to the notification topic; the call returns the next message."""
    sqs, sns = trained_app.client("sqs"), trained_app.client("sns")
    queue = sqs.create_queue(QueueName="told")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    subscription = sns.subscribe(
        TopicArn=trained_app.output("NotificationTopic"),
        Protocol="sqs",
        Endpoint=arn,
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]

    def next_message() -> dict[str, Any]:
        received = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"]
        return dict(json.loads(json.loads(received[0]["Body"])["Message"]))

    yield next_message
    sns.unsubscribe(SubscriptionArn=subscription)
    sqs.delete_queue(QueueUrl=queue)


def _coupons_of(app: DeployedApp, rows: list[str]) -> str:
    """Write a data version whose coupon interactions are these rows; return its manifest's URI."""
    version = f"coupons-{zlib.crc32(rows[0].encode()):08x}"
    manifest = json.loads(json.dumps(app.manifest).replace(app.data_version, version))
    for group, members in manifest["datasetGroups"].items():
        for kind, entry in members.items():
            entry["location"] = app.manifest["datasetGroups"][group][kind]["location"]
    bucket = app.output("DatasetsBucket")
    location = f"personalize/{version}/coupons/interactions/"
    manifest["datasetGroups"]["coupons"]["interactions"]["location"] = f"s3://{bucket}/{location}"
    header = "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE"
    s3 = app.client("s3")
    s3.put_object(Bucket=bucket, Key=f"{location}part.csv", Body="\n".join([header, *rows]).encode())
    key = f"personalize/{version}/manifest.json"
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(manifest).encode())
    return f"s3://{bucket}/{key}"


BROKEN = ["u1,c1,yesterday,redeemed,1.0"] * 1000
OF_TOO_FEW_USERS = [
    f"u{number % 9},c{number % 5},{1780000000 + number},redeemed,1.0" for number in range(1500)
]


@pytest.mark.parametrize(
    ("rows", "resource", "why"),
    [
        (BROKEN, "dataset-import-job/travel-coupons-interactions-", "yesterday"),
        (OF_TOO_FEW_USERS, "solution/travel-coupon-popularity-", "25 users"),
    ],
)
def test_what_fails_in_personalize_is_told_with_its_name_and_personalizes_reason(
    trained_app: DeployedApp,
    notified: Callable[[], dict[str, Any]],
    rows: list[str],
    resource: str,
    why: str,
) -> None:
    wish = {"manifestUri": _coupons_of(trained_app, rows), "recipes": ["coupon-ranking"]}
    with pytest.raises(OperatorError, match=why):
        trained_app.execute("TrainStateMachine", wish)
    message = notified()
    assert resource in message["cause"]
    assert why in message["cause"]


def test_a_call_that_is_throttled_for_ever_is_told_with_the_recipe_it_was_for(
    trained_app: DeployedApp, notified: Callable[[], dict[str, Any]]
) -> None:
    fault = {
        "service": "personalize",
        "operation": "DescribeSolution",
        "throttle": True,
        "message": "Rate exceeded",
    }
    faults = f"{trained_app.cloud.endpoint_url}/_localcloud/faults"
    urllib3.request("POST", faults, body=json.dumps({**fault, "times": 1000}))
    wish = {"manifestUri": trained_app.prepared["manifestUri"], "recipes": ["sims"]}
    with pytest.raises(OperatorError, match="Rate exceeded"):
        trained_app.execute("TrainStateMachine", wish)
    urllib3.request("DELETE", faults)
    message = notified()
    assert "travel-train-recipe:popularity-" in message["cause"]
    assert "Rate exceeded" in message["cause"]
