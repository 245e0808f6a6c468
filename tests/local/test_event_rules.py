"""Events reach the targets of the rules that match them, and a topic's messages its functions."""

from __future__ import annotations

import json
import uuid
from typing import Any

from tests.local.conftest import LocalCloudServer
from tests.local.test_lambda import _receive, deploy
from tests.local.test_scheduler import queue

FORWARD = """
import boto3, json, os
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["OUT"], MessageBody=json.dumps(event))
"""


def forwarder(server: LocalCloudServer, url: str) -> str:
    name = deploy(server, FORWARD, Timeout=20, Environment={"Variables": {"OUT": url}})
    return str(server.client("lambda").get_function(FunctionName=name)["Configuration"]["FunctionArn"])


def test_a_function_gets_the_events_that_its_rule_matches(localcloud_server: LocalCloudServer) -> None:
    url, _ = queue(localcloud_server)
    kept, kept_arn = queue(localcloud_server)
    events, source = localcloud_server.client("events"), f"travel.{uuid.uuid4().hex[:6]}"
    rule = f"r-{uuid.uuid4().hex[:6]}"
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": [source], "detail": {"kind": ["sold"]}}))
    arn = forwarder(localcloud_server, url)
    events.put_targets(
        Rule=rule,
        Targets=[
            {"Id": "whole", "Arn": arn},
            {"Id": "part", "Arn": arn, "InputPath": "$.detail.item"},
            {
                "Id": "template",
                "Arn": arn,
                "InputTransformer": {
                    "InputPathsMap": {"id": "$.detail.item.id"},
                    "InputTemplate": '{"sold": "<id>"}',
                },
            },
            {"Id": "queue", "Arn": kept_arn},
        ],
    )
    entry: dict[str, Any] = {"Source": source, "DetailType": "Change"}
    events.put_events(
        Entries=[
            {**entry, "Detail": json.dumps({"kind": "kept", "item": {"id": "i0"}})},
            {**entry, "Detail": json.dumps({"kind": "sold", "item": {"id": "i1"}})},
        ]
    )
    received = [json.loads(_receive(localcloud_server.client("sqs"), url)) for _ in range(3)]
    assert {"id": "i1"} in received
    assert {"sold": "i1"} in received
    whole = next(event for event in received if "detail" in event)
    assert (whole["source"], whole["detail-type"]) == (source, "Change")
    assert whole["detail"] == {"kind": "sold", "item": {"id": "i1"}}
    assert whole["time"].endswith("Z")
    assert json.loads(_receive(localcloud_server.client("sqs"), kept))["source"] == source


def test_a_disabled_rule_sends_nothing(localcloud_server: LocalCloudServer) -> None:
    url, arn = queue(localcloud_server)
    events, source = localcloud_server.client("events"), f"travel.{uuid.uuid4().hex[:6]}"
    rule = f"r-{uuid.uuid4().hex[:6]}"
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": [source]}), State="DISABLED")
    events.put_targets(Rule=rule, Targets=[{"Id": "q", "Arn": arn}])
    entry = {"Source": source, "DetailType": "Change", "Detail": "{}"}
    events.put_events(Entries=[entry])
    assert "Messages" not in localcloud_server.client("sqs").receive_message(QueueUrl=url)
    events.enable_rule(Name=rule)
    events.put_events(Entries=[entry])
    assert json.loads(_receive(localcloud_server.client("sqs"), url))["source"] == source


def test_a_function_gets_what_its_topic_is_told(localcloud_server: LocalCloudServer) -> None:
    url, _ = queue(localcloud_server)
    sns = localcloud_server.client("sns")
    topic = sns.create_topic(Name=f"t-{uuid.uuid4().hex[:6]}")["TopicArn"]
    subscription = sns.subscribe(
        TopicArn=topic,
        Protocol="lambda",
        Endpoint=forwarder(localcloud_server, url),
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    attributes = {"kind": {"DataType": "String", "StringValue": "alarm"}}
    published = sns.publish(TopicArn=topic, Message="hot", Subject="s", MessageAttributes=attributes)
    [record] = json.loads(_receive(localcloud_server.client("sqs"), url))["Records"]
    assert record["EventSubscriptionArn"] == subscription
    assert record["Sns"]["MessageId"] == published["MessageId"]
    assert (record["Sns"]["TopicArn"], record["Sns"]["Message"], record["Sns"]["Subject"]) == (
        topic,
        "hot",
        "s",
    )
    assert record["Sns"]["MessageAttributes"] == {"kind": {"Type": "String", "Value": "alarm"}}
