"""Executions have names, can be stopped, and tell their history, as on AWS."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.conftest import LocalCloudServer
from tests.local.test_stepfunctions import ROLE, execute

WAITING = {
    "StartAt": "Both",
    "States": {
        "Both": {
            "Type": "Parallel",
            "End": True,
            "Branches": [
                {"StartAt": name, "States": {name: {"Type": "Wait", "Seconds": 60, "End": True}}}
                for name in ("Left", "Right")
            ],
        }
    },
}
PASSING = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}


def machine(server: LocalCloudServer, definition: dict[str, Any]) -> str:
    arn: str = server.client("stepfunctions").create_state_machine(
        name=f"m-{uuid.uuid4().hex[:8]}", definition=json.dumps(definition), roleArn=ROLE
    )["stateMachineArn"]
    return arn


def wait_for_state(server: LocalCloudServer, execution: str, name: str) -> None:
    states = server.client("stepfunctions")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        events = states.get_execution_history(executionArn=execution)["events"]
        if any(event.get("stateEnteredEventDetails", {}).get("name") == name for event in events):
            return
        time.sleep(0.02)
    raise AssertionError(f"{name} was not entered")


def test_executions_without_a_name_get_one_each(localcloud_server: LocalCloudServer) -> None:
    states, arn = localcloud_server.client("stepfunctions"), machine(localcloud_server, PASSING)
    first = states.start_execution(stateMachineArn=arn)["executionArn"]
    second = states.start_execution(stateMachineArn=arn)["executionArn"]
    assert first != second
    assert states.describe_execution(executionArn=first)["name"] == first.rsplit(":", 1)[-1]


def test_starting_a_running_name_again_returns_it_and_another_input_is_refused(
    localcloud_server: LocalCloudServer,
) -> None:
    states, arn = localcloud_server.client("stepfunctions"), machine(localcloud_server, WAITING)
    first = states.start_execution(stateMachineArn=arn, name="n", input='{"a": 1}')["executionArn"]
    assert states.start_execution(stateMachineArn=arn, name="n", input='{"a": 1}')["executionArn"] == first
    with pytest.raises(states.exceptions.ExecutionAlreadyExists):
        states.start_execution(stateMachineArn=arn, name="n", input='{"a": 2}')
    states.stop_execution(executionArn=first)
    with pytest.raises(states.exceptions.ExecutionAlreadyExists):
        states.start_execution(stateMachineArn=arn, name="n", input='{"a": 1}')


def test_a_stopped_execution_is_aborted_with_its_reason(localcloud_server: LocalCloudServer) -> None:
    states, arn = localcloud_server.client("stepfunctions"), machine(localcloud_server, WAITING)
    execution = states.start_execution(stateMachineArn=arn)["executionArn"]
    wait_for_state(localcloud_server, execution, "Right")
    started = time.monotonic()
    states.stop_execution(executionArn=execution, error="Operator", cause="not now")
    description = states.describe_execution(executionArn=execution)
    assert time.monotonic() - started < 1
    assert (description["status"], description["error"], description["cause"]) == (
        "ABORTED",
        "Operator",
        "not now",
    )
    time.sleep(0.3)
    assert states.describe_execution(executionArn=execution)["status"] == "ABORTED"
    last = states.get_execution_history(executionArn=execution, reverseOrder=True, maxResults=1)["events"][0]
    assert last["type"] == "ExecutionAborted"


def test_the_history_comes_in_pages_either_way(localcloud_server: LocalCloudServer) -> None:
    chain = {f"S{n}": {"Type": "Pass", "Next": f"S{n + 1}"} for n in range(60)}
    definition = {"StartAt": "S0", "States": {**chain, "S60": {"Type": "Succeed"}}}
    arn = execute(localcloud_server, definition, {"big": "x"})["executionArn"]
    states = localcloud_server.client("stepfunctions")
    assert len(states.get_execution_history(executionArn=arn)["events"]) == 100
    pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
    events = [event for page in pages for event in page["events"]]
    assert [event["id"] for event in events] == list(range(1, 125))
    newest = states.get_execution_history(executionArn=arn, reverseOrder=True, includeExecutionData=False)
    assert newest["events"][0]["type"] == "ExecutionSucceeded"
    assert "output" not in newest["events"][0]["executionSucceededEventDetails"]


def test_output_of_any_type_is_json(localcloud_server: LocalCloudServer) -> None:
    definition = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": "text", "End": True}}}
    assert execute(localcloud_server, definition)["output"] == '"text"'


def test_the_context_object_tells_who_and_when(localcloud_server: LocalCloudServer) -> None:
    names = ("Execution.Name", "Execution.Id", "Execution.StartTime", "Execution.Input", "State.EnteredTime")
    parameters = {f"{name.replace('.', '')}.$": f"$$.{name}" for name in (*names, "StateMachine.Name")}
    definition = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Parameters": parameters, "End": True}}}
    result = execute(localcloud_server, definition, {"a": 1})
    seen = json.loads(result["output"])
    assert seen["ExecutionName"] == result["name"]
    assert seen["ExecutionId"] == result["executionArn"]
    assert seen["ExecutionInput"] == {"a": 1}
    assert seen["ExecutionStartTime"].endswith("Z")
    assert seen["StateEnteredTime"].endswith("Z")


def test_retries_back_off_within_the_largest_delay(localcloud_server: LocalCloudServer) -> None:
    retry = {
        "ErrorEquals": ["Ssm.ParameterNotFoundException"],
        "IntervalSeconds": 1,
        "BackoffRate": 10,
        "MaxDelaySeconds": 2,
        "MaxAttempts": 2,
        "JitterStrategy": "NONE",
    }
    definition = {
        "StartAt": "Get",
        "States": {
            "Get": {
                "Type": "Task",
                "Resource": "arn:aws:states:::aws-sdk:ssm:getParameter",
                "Parameters": {"Name": "/absent"},
                "Retry": [retry],
                "End": True,
            }
        },
    }
    started = time.monotonic()
    result = execute(localcloud_server, definition)
    assert result["error"] == "Ssm.ParameterNotFoundException"
    assert 3 <= time.monotonic() - started < 5
    events = localcloud_server.client("stepfunctions").get_execution_history(
        executionArn=result["executionArn"]
    )["events"]
    assert [event["type"] for event in events].count("TaskFailed") == 3


def test_a_machine_that_runs_too_long_times_out(localcloud_server: LocalCloudServer) -> None:
    result = execute(localcloud_server, {**WAITING, "TimeoutSeconds": 1})
    assert result["status"] == "TIMED_OUT"
    assert "stopDate" in result


def test_an_invalid_definition_is_refused(localcloud_server: LocalCloudServer) -> None:
    states = localcloud_server.client("stepfunctions")
    with pytest.raises(ClientError, match="InvalidDefinition"):
        states.create_state_machine(name="bad", definition='{"StartAt": "X"}', roleArn=ROLE)
    checked = states.validate_state_machine_definition(definition='{"StartAt": "X"}')
    assert checked["result"] == "FAIL"
    assert states.validate_state_machine_definition(definition=json.dumps(PASSING))["result"] == "OK"


def test_executions_write_the_logs_that_their_machine_asks_for(localcloud_server: LocalCloudServer) -> None:
    logs, states = localcloud_server.client("logs"), localcloud_server.client("stepfunctions")
    group = f"/aws/vendedlogs/states/{uuid.uuid4().hex[:8]}"
    logs.create_log_group(logGroupName=group)
    destination = {"logGroupArn": f"arn:aws:logs:ap-south-1:123456789012:log-group:{group}:*"}
    arn = states.create_state_machine(
        name=f"logged-{uuid.uuid4().hex[:8]}",
        definition=json.dumps(PASSING),
        roleArn=ROLE,
        loggingConfiguration={
            "level": "ALL",
            "includeExecutionData": True,
            "destinations": [{"cloudWatchLogsLogGroup": destination}],
        },
    )["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=arn, input='{"a": 1}')["executionArn"]
    while states.describe_execution(executionArn=execution)["status"] == "RUNNING":
        time.sleep(0.05)
    written = [json.loads(event["message"]) for event in logs.filter_log_events(logGroupName=group)["events"]]
    assert [event["type"] for event in written] == [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]
    assert written[0]["execution_arn"] == execution
    assert json.loads(written[0]["details"]["input"]) == {"a": 1}
