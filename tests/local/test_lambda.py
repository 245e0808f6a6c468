"""Deployed functions run: their own code, their environment, their limits."""

from __future__ import annotations

import contextlib
import io
import json
import time
import uuid
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.conftest import LocalCloudServer

ROLE = "arn:aws:iam::123456789012:role/lambda"
TRUST = json.dumps(
    {
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"Service": "lambda.amazonaws.com"},
            }
        ]
    }
)


def package(source: str, name: str = "handler.py") -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr(name, source)
    return archive.getvalue()


def deploy(server: LocalCloudServer, source: str, **settings: Any) -> str:
    with contextlib.suppress(ClientError):
        server.client("iam").create_role(RoleName="lambda", AssumeRolePolicyDocument=TRUST)
    name = f"f-{uuid.uuid4().hex[:8]}"
    server.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role=ROLE,
        Handler="handler.handler",
        Code={"ZipFile": package(source)},
        **settings,
    )
    return name


def invoke(server: LocalCloudServer, name: str, event: Any) -> tuple[Any, str | None]:
    answer = server.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    return json.loads(answer["Payload"].read()), answer.get("FunctionError")


def test_a_function_runs_with_its_environment_and_context(localcloud_server: LocalCloudServer) -> None:
    source = """
import os
def handler(event, context):
    return {"sum": event["a"] + event["b"], "greeting": os.environ["GREETING"],
            "name": context.function_name, "left": context.get_remaining_time_in_millis()}
"""
    name = deploy(localcloud_server, source, Environment={"Variables": {"GREETING": "hello"}}, Timeout=5)
    result, error = invoke(localcloud_server, name, {"a": 1, "b": 2})
    assert error is None
    assert result["sum"] == 3
    assert result["greeting"] == "hello"
    assert result["name"] == name
    assert 0 < result["left"] <= 5000


def test_a_warm_process_is_reused_until_the_code_changes(localcloud_server: LocalCloudServer) -> None:
    source = "import os\nn = [0]\ndef handler(e, c):\n    n[0] += 1\n    return [os.getpid(), n[0]]\n"
    name = deploy(localcloud_server, source)
    first, _ = invoke(localcloud_server, name, {})
    second, _ = invoke(localcloud_server, name, {})
    assert second == [first[0], 2]
    localcloud_server.client("lambda").update_function_code(
        FunctionName=name, ZipFile=package("def handler(e, c):\n    return 'new'\n")
    )
    assert invoke(localcloud_server, name, {})[0] == "new"


def test_what_the_package_lacks_is_missing_as_on_aws(localcloud_server: LocalCloudServer) -> None:
    name = deploy(localcloud_server, "import boto3\nimport pydantic\ndef handler(e, c):\n    return 1\n")
    result, error = invoke(localcloud_server, name, {})
    assert error == "Unhandled"
    assert result["errorType"] == "Runtime.ImportModuleError"
    assert "pydantic" in result["errorMessage"]


def test_an_exception_is_reported_in_awss_shape(localcloud_server: LocalCloudServer) -> None:
    name = deploy(localcloud_server, "def handler(e, c):\n    raise ValueError('no seats')\n")
    result, error = invoke(localcloud_server, name, {})
    assert error == "Unhandled"
    assert (result["errorType"], result["errorMessage"]) == ("ValueError", "no seats")
    assert "handler" in result["stackTrace"][0]


def test_a_function_that_is_too_slow_is_stopped(localcloud_server: LocalCloudServer) -> None:
    source = "import time\ndef handler(e, c):\n    time.sleep(e)\n    return 'done'\n"
    name = deploy(localcloud_server, source, Timeout=1)
    assert invoke(localcloud_server, name, 0)[0] == "done"
    result, error = invoke(localcloud_server, name, 5)
    assert error == "Unhandled"
    assert "Task timed out after 1.00 seconds" in result["errorMessage"]
    assert invoke(localcloud_server, name, 0)[0] == "done"


def test_what_is_printed_is_in_the_log_group(localcloud_server: LocalCloudServer) -> None:
    name = deploy(localcloud_server, "def handler(e, c):\n    print('seen by', e['who'])\n")
    invoke(localcloud_server, name, {"who": "me"})
    events = localcloud_server.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    messages = [event["message"] for event in events]
    assert "seen by me" in messages
    assert any(message.startswith("REPORT RequestId") for message in messages)


def test_a_configured_log_group_takes_the_place_of_the_default(localcloud_server: LocalCloudServer) -> None:
    group = f"/mine/{uuid.uuid4().hex[:8]}"
    source = "def handler(e, c):\n    print('seen')\n"
    name = deploy(localcloud_server, source, LoggingConfig={"LogGroup": group})
    invoke(localcloud_server, name, {})
    events = localcloud_server.client("logs").filter_log_events(logGroupName=group)["events"]
    assert "seen" in [event["message"] for event in events]


def test_a_function_logs_to_the_group_it_is_given(localcloud_server: LocalCloudServer) -> None:
    group = f"/given/{uuid.uuid4().hex[:8]}"
    source = "def handler(e, c):\n    print('hello')\n    return c.log_group_name\n"
    name = deploy(localcloud_server, source, LoggingConfig={"LogGroup": group})
    assert invoke(localcloud_server, name, {})[0] == group
    events = localcloud_server.client("logs").filter_log_events(logGroupName=group)["events"]
    assert "hello" in [event["message"] for event in events]
    described = localcloud_server.client("lambda").get_function_configuration(FunctionName=name)
    assert described["LoggingConfig"]["LogGroup"] == group


def test_an_event_that_fails_is_retried_then_reported_and_kept(localcloud_server: LocalCloudServer) -> None:
    sqs, client = localcloud_server.client("sqs"), localcloud_server.client("lambda")
    urls = [sqs.create_queue(QueueName=f"{kind}-{uuid.uuid4().hex[:8]}")["QueueUrl"] for kind in "ab"]
    dead, told = (
        sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        for url in urls
    )
    source = "def handler(e, c):\n    raise RuntimeError('no')\n"
    name = deploy(localcloud_server, source, DeadLetterConfig={"TargetArn": dead})
    client.put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=1, DestinationConfig={"OnFailure": {"Destination": told}}
    )
    answer = client.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"seat": 1}')
    assert answer["StatusCode"] == 202
    assert json.loads(_receive(sqs, urls[0])) == {"seat": 1}
    record = json.loads(_receive(sqs, urls[1]))
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 2
    assert record["responsePayload"]["errorMessage"] == "no"


def test_another_runtime_is_refused_by_name(localcloud_server: LocalCloudServer) -> None:
    name = deploy(localcloud_server, "def handler(e, c):\n    return 1\n")
    client = localcloud_server.client("lambda")
    client.update_function_configuration(FunctionName=name, Runtime="nodejs22.x")
    for kind in ("RequestResponse", "Event"):
        with pytest.raises(ClientError, match=r"runs Python functions, not nodejs22\.x"):
            client.invoke(FunctionName=name, InvocationType=kind)


def test_functions_reach_the_same_cloud(localcloud_server: LocalCloudServer) -> None:
    localcloud_server.client("ssm").put_parameter(Name="/seen", Value="yes", Type="String", Overwrite=True)
    source = """
import boto3
def handler(event, context):
    return boto3.client("ssm").get_parameter(Name="/seen")["Parameter"]["Value"]
"""
    assert invoke(localcloud_server, deploy(localcloud_server, source, Timeout=20), {})[0] == "yes"


def test_reserved_concurrency_throttles(localcloud_server: LocalCloudServer) -> None:
    name = deploy(localcloud_server, "def handler(e, c):\n    return 1\n")
    client = localcloud_server.client("lambda")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError, match="TooManyRequests"):
        client.invoke(FunctionName=name)


def test_a_queue_feeds_its_function_and_failures_end_in_the_dead_letter_queue(
    localcloud_server: LocalCloudServer,
) -> None:
    sqs, unique = localcloud_server.client("sqs"), uuid.uuid4().hex[:8]
    dead = sqs.create_queue(QueueName=f"dead-{unique}")["QueueUrl"]
    dead_arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1})
    url = sqs.create_queue(
        QueueName=f"live-{unique}", Attributes={"RedrivePolicy": redrive, "VisibilityTimeout": "1"}
    )["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    out = sqs.create_queue(QueueName=f"out-{unique}")["QueueUrl"]
    source = """
import boto3, os
sqs = boto3.client("sqs")
def handler(event, context):
    failures = []
    for record in event["Records"]:
        if record["body"] == "bad":
            failures.append({"itemIdentifier": record["messageId"]})
        else:
            sqs.send_message(QueueUrl=os.environ["OUT"], MessageBody=record["body"] + "!")
    return {"batchItemFailures": failures}
"""
    name = deploy(localcloud_server, source, Timeout=20, Environment={"Variables": {"OUT": out}})
    localcloud_server.client("lambda").create_event_source_mapping(
        EventSourceArn=arn, FunctionName=name, BatchSize=10, FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    sqs.send_message(QueueUrl=url, MessageBody="good")
    sqs.send_message(QueueUrl=url, MessageBody="bad")
    assert _receive(sqs, out) == "good!"
    assert _receive(sqs, dead) == "bad"


def _receive(sqs: Any, url: str) -> str:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for message in sqs.receive_message(QueueUrl=url).get("Messages", []):
            return str(message["Body"])
        time.sleep(0.1)
    raise AssertionError("no message arrived in 20 seconds")
