"""Faults on purpose: operations throttle, fail or stall as often as asked; executions end at a state."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.local.conftest import REGION, LocalCloudServer
from tests.local.test_lambda import deploy, invoke
from tests.local.test_stepfunctions import execute


class Faults:
    """A client of /_localcloud/faults."""

    def __init__(self, endpoint_url: str) -> None:
        self._url = f"{endpoint_url}/_localcloud/faults"

    def call(self, method: str, path: str = "", body: Any = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self._url}{path}", data, method=method)
        with urllib.request.urlopen(request) as response:
            text = response.read()
        return json.loads(text) if text else None

    def add(self, **fault: Any) -> str:
        return str(self.call("POST", body=fault)["id"])


@pytest.fixture
def faults(localcloud_server: LocalCloudServer) -> Iterator[Faults]:
    client = Faults(localcloud_server.endpoint_url)
    yield client
    client.call("DELETE")


def impatient(server: LocalCloudServer, service: str) -> Any:
    """A client that does not retry."""
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=server.endpoint_url,
        aws_access_key_id="localcloud",
        aws_secret_access_key="localcloud",
        config=Config(retries={"total_max_attempts": 1}),
    )


def test_an_operation_throttles_as_often_as_asked(
    localcloud_server: LocalCloudServer, faults: Faults
) -> None:
    faults.add(service="personalize", operation="ListSolutions", throttle=True, times=2)
    personalize = impatient(localcloud_server, "personalize")
    for _ in range(2):
        with pytest.raises(ClientError, match="ThrottlingException"):
            personalize.list_solutions()
    personalize.list_solutions()
    assert faults.call("GET")["faults"][0]["happened"] == 2


METRIC = {"Namespace": "n", "MetricData": [{"MetricName": "m", "Value": 1}]}
MESSAGE = {"QueueUrl": "http://q/1/q", "MessageBody": "m"}
ITEM = {"TableName": "t", "Key": {"k": {"S": "1"}}}


@pytest.mark.parametrize(
    ("operation", "call", "parameters", "error"),
    [
        (
            "personalize-runtime.GetRecommendations",
            "get_recommendations",
            {"campaignArn": "arn:aws:x"},
            "Odd",
        ),
        ("s3.ListObjectsV2", "list_objects_v2", {"Bucket": "b"}, "SlowDown"),
        ("s3.PutObject", "put_object", {"Bucket": "b", "Key": "k/e/y", "Body": b"1"}, "InternalError"),
        ("sns.Publish", "publish", {"TopicArn": "arn:aws:sns:x", "Message": "m"}, "Throttling"),
        ("sqs.SendMessage", "send_message", MESSAGE, "RequestThrottled"),
        ("lambda.Invoke", "invoke", {"FunctionName": "f"}, "TooManyRequestsException"),
        ("dynamodb.GetItem", "get_item", ITEM, "ProvisionedThroughputExceededException"),
        ("cloudwatch.PutMetricData", "put_metric_data", METRIC, "InternalServiceFault"),
    ],
)
def test_every_protocol_gets_its_own_form_of_error(
    request: pytest.FixtureRequest, operation: str, call: str, parameters: dict[str, Any], error: str
) -> None:
    service, name = operation.split(".")
    request.getfixturevalue("faults").add(service=service, operation=name, error=error, message="on purpose")
    client = impatient(request.getfixturevalue("localcloud_server"), service)
    with pytest.raises(ClientError) as caught:
        getattr(client, call)(**parameters)
    found = caught.value.response["Error"]
    assert (found["Code"], found["Message"]) == (error, "on purpose")


def test_only_a_matching_request_meets_the_fault(localcloud_server: LocalCloudServer, faults: Faults) -> None:
    faults.add(
        service="ssm", operation="PutParameter", error="InternalServerError", match={"Name": "/unlucky"}
    )
    ssm = impatient(localcloud_server, "ssm")
    ssm.put_parameter(Name="/lucky", Value="1", Type="String", Overwrite=True)
    with pytest.raises(ssm.exceptions.InternalServerError):
        ssm.put_parameter(Name="/unlucky", Value="1", Type="String", Overwrite=True)
    ssm.put_parameter(Name="/unlucky", Value="1", Type="String", Overwrite=True)


def test_a_stalled_operation_answers_late(localcloud_server: LocalCloudServer, faults: Faults) -> None:
    ssm = impatient(localcloud_server, "ssm")
    ssm.put_parameter(Name="/slow", Value="kept", Type="String", Overwrite=True)
    faults.add(service="ssm", operation="GetParameter", seconds=0.5)
    started = time.monotonic()
    assert ssm.get_parameter(Name="/slow")["Parameter"]["Value"] == "kept"
    assert time.monotonic() - started >= 0.5


def test_a_machine_retries_what_throttles(localcloud_server: LocalCloudServer, faults: Faults) -> None:
    faults.add(service="ssm", operation="GetParameter", error="InternalServerError", times=1)
    localcloud_server.client("ssm").put_parameter(Name="/again", Value="v", Type="String", Overwrite=True)
    definition = {
        "StartAt": "Get",
        "States": {
            "Get": {
                "Type": "Task",
                "Resource": "arn:aws:states:::aws-sdk:ssm:getParameter",
                "Parameters": {"Name": "/again"},
                "Retry": [{"ErrorEquals": ["Ssm.InternalServerErrorException"], "IntervalSeconds": 1}],
                "OutputPath": "$.Parameter.Value",
                "End": True,
            }
        },
    }
    assert json.loads(execute(localcloud_server, definition)["output"]) == "v"
    assert faults.call("GET")["faults"][0]["happened"] == 1


@pytest.mark.parametrize("state", ["Outer", "Inner"])
def test_an_execution_ends_at_the_named_state_and_the_next_does_not(
    localcloud_server: LocalCloudServer, faults: Faults, state: str
) -> None:
    states = localcloud_server.client("stepfunctions")
    definition = {
        "StartAt": "Outer",
        "States": {
            "Outer": {
                "Type": "Parallel",
                "End": True,
                "Branches": [
                    {"StartAt": "Inner", "States": {"Inner": {"Type": "Pass", "End": True}}},
                    {"StartAt": "Other", "States": {"Other": {"Type": "Wait", "Seconds": 1, "End": True}}},
                ],
            }
        },
    }
    name = f"killed-at-{state}"
    arn = states.create_state_machine(
        name=name, definition=json.dumps(definition), roleArn="arn:aws:iam::123456789012:role/states"
    )["stateMachineArn"]
    faults.add(stateMachine=name, state=state)
    for wanted in ("ABORTED", "SUCCEEDED"):
        execution = states.start_execution(stateMachineArn=arn)["executionArn"]
        while (found := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
            time.sleep(0.05)
        assert found["status"] == wanted
        if wanted == "ABORTED":
            assert found["cause"] == f"A fault ended the execution at {state}"


@pytest.mark.parametrize(
    ("wish", "complaint"),
    [
        ({"service": "personalise", "operation": "X", "throttle": True}, "no such client"),
        ({"service": "personalize", "operation": "MakeSolution", "throttle": True}, "CreateSolution"),
        ({"service": "personalize", "operation": "CreateSolution"}, "error, throttle or seconds"),
        ({"stateMachine": "m", "state": "s", "times": 0}, "times"),
        ({"service": "s3", "operation": "PutObject", "throttle": True, "share": 2}, "share is 2"),
        ({"function": "f", "seconds": -1}, "seconds is -1"),
        ({"function": ""}, "function is missing"),
        ({"stateMachine": "m"}, "state is missing"),
        ({"stateMachine": "m", "state": "s", "tiems": 1}, "tiems"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(faults: Faults, wish: dict[str, Any], complaint: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        faults.add(**wish)
    assert caught.value.code == 400
    assert complaint in json.loads(caught.value.read())["message"]


def test_faults_are_listed_and_removed(faults: Faults) -> None:
    kept = faults.add(stateMachine="m", state="s", times=3)
    removed = faults.add(service="athena", operation="StartQueryExecution", throttle=True)
    faults.call("DELETE", f"/{removed}")
    assert faults.call("GET")["faults"] == [
        {"id": kept, "stateMachine": "m", "state": "s", "times": 3, "happened": 0}
    ]


def test_a_share_of_the_requests_fails(localcloud_server: LocalCloudServer, faults: Faults) -> None:
    faults.add(service="personalize", operation="ListSolutions", throttle=True, share=0.3, times=1000)
    personalize = impatient(localcloud_server, "personalize")
    failed = 0
    for _ in range(200):
        try:
            personalize.list_solutions()
        except ClientError:
            failed += 1
    assert 40 <= failed <= 80
    assert faults.call("GET")["faults"][0]["happened"] == failed


def test_an_invocation_is_killed_if_it_still_runs(
    localcloud_server: LocalCloudServer, faults: Faults
) -> None:
    source = "import time\ndef handler(event, _):\n    time.sleep(event)\n    return 'done'\n"
    name = deploy(localcloud_server, source)
    assert invoke(localcloud_server, name, 0) == ("done", None)
    faults.add(function=name, seconds=0.3)
    assert invoke(localcloud_server, name, 0) == ("done", None)
    killed, error = invoke(localcloud_server, name, 5)
    assert (killed["errorType"], error) == ("Runtime.ExitError", "Unhandled")
    assert invoke(localcloud_server, name, 0.4) == ("done", None)
