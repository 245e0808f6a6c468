"""State machines are interpreted, and their service integrations look as they do on AWS."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from typing import Any

from tests.local.conftest import LocalCloudServer

ROLE = "arn:aws:iam::123456789012:role/states"


def execute(
    server: LocalCloudServer, definition: dict[str, Any], execution_input: dict[str, Any] | None = None
) -> dict[str, Any]:
    states = server.client("stepfunctions")
    machine = states.create_state_machine(
        name=f"m-{uuid.uuid4().hex[:8]}", definition=json.dumps(definition), roleArn=ROLE
    )["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine, input=json.dumps(execution_input or {}))
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        description: dict[str, Any] = states.describe_execution(executionArn=execution["executionArn"])
        if description["status"] != "RUNNING":
            return description
        time.sleep(0.05)
    raise AssertionError("the execution did not end in 30 seconds")


def task(resource: str, parameters: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return {
        "StartAt": "Call",
        "States": {
            "Call": {
                "Type": "Task",
                "Resource": f"arn:aws:states:::{resource}",
                "Parameters": parameters,
                "End": True,
                **rest,
            }
        },
    }


def test_parameters_and_results_are_pascal_case(localcloud_server: LocalCloudServer) -> None:
    localcloud_server.client("ssm").put_parameter(Name="/casing", Value="v", Type="String", Overwrite=True)
    result = execute(localcloud_server, task("aws-sdk:ssm:getParameter", {"Name": "/casing"}))
    parameter = json.loads(result["output"])["Parameter"]
    assert parameter["Value"] == "v"
    assert parameter["LastModifiedDate"].endswith("Z")
    machines = execute(localcloud_server, task("aws-sdk:sfn:listStateMachines", {"MaxResults": 1}))
    assert "StateMachineArn" in json.loads(machines["output"])["StateMachines"][0]


def test_a_missing_resource_raises_the_error_aws_names(localcloud_server: LocalCloudServer) -> None:
    definition = task(
        "aws-sdk:ssm:getParameter",
        {"Name": "/nowhere"},
        Catch=[{"ErrorEquals": ["Ssm.ParameterNotFoundException"], "Next": "Caught"}],
    )
    definition["States"]["Caught"] = {"Type": "Pass", "Result": {"caught": True}, "End": True}
    result = execute(localcloud_server, definition)
    assert json.loads(result["output"]) == {"caught": True}


def test_a_failed_call_says_why(localcloud_server: LocalCloudServer) -> None:
    missing = "arn:aws:personalize:ap-south-1:123456789012:solution/none"
    result = execute(
        localcloud_server, task("aws-sdk:personalize:describeSolution", {"SolutionArn": missing})
    )
    assert result["status"] == "FAILED"
    assert result["error"] == "Personalize.ResourceNotFoundException"
    assert "solution/none" in result["cause"]


def test_an_unknown_parameter_is_refused(localcloud_server: LocalCloudServer) -> None:
    result = execute(localcloud_server, task("aws-sdk:ssm:getParameter", {"Nmae": "/typo"}))
    assert result["status"] == "FAILED"


def test_parallel_branches_maps_and_intrinsic_functions(localcloud_server: LocalCloudServer) -> None:
    definition = {
        "StartAt": "Side by side",
        "States": {
            "Side by side": {
                "Type": "Parallel",
                "Branches": [
                    {
                        "StartAt": "Each",
                        "States": {
                            "Each": {
                                "Type": "Map",
                                "ItemsPath": "$.items",
                                "ItemProcessor": {
                                    "StartAt": "Double",
                                    "States": {
                                        "Double": {
                                            "Type": "Pass",
                                            "Parameters": {"sum.$": "States.MathAdd($, $)"},
                                            "End": True,
                                        }
                                    },
                                },
                                "End": True,
                            }
                        },
                    },
                    {
                        "StartAt": "Hash",
                        "States": {
                            "Hash": {
                                "Type": "Pass",
                                "Parameters": {"hash.$": "States.Hash($.name, 'SHA-256')"},
                                "End": True,
                            }
                        },
                    },
                ],
                "End": True,
            }
        },
    }
    result = execute(localcloud_server, definition, {"items": [1, 2], "name": "x"})
    doubled, hashed = json.loads(result["output"])
    assert doubled == [{"sum": 2}, {"sum": 4}]
    assert len(hashed["hash"]) == 64


def test_a_nested_execution_returns_its_output(localcloud_server: LocalCloudServer) -> None:
    states = localcloud_server.client("stepfunctions")
    child = states.create_state_machine(
        name=f"child-{uuid.uuid4().hex[:8]}",
        definition=json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}),
        roleArn=ROLE,
    )["stateMachineArn"]
    definition = task("states:startExecution.sync:2", {"StateMachineArn": child, "Input": {"a": 1}})
    result = execute(localcloud_server, definition)
    assert json.loads(result["output"])["Output"] == {"a": 1}


def test_sqs_sns_and_dynamodb_integrations_reach_the_services(localcloud_server: LocalCloudServer) -> None:
    url = localcloud_server.client("sqs").create_queue(QueueName=f"q-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    execute(localcloud_server, task("sqs:sendMessage", {"QueueUrl": url, "MessageBody": {"n": 1}}))
    message = localcloud_server.client("sqs").receive_message(QueueUrl=url)["Messages"][0]
    assert json.loads(message["Body"]) == {"n": 1}

    table = f"t-{uuid.uuid4().hex[:8]}"
    localcloud_server.client("dynamodb").create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    item = {"k": {"S": "1"}, "flag": {"BOOL": True}}
    execute(localcloud_server, task("dynamodb:putItem", {"TableName": table, "Item": item}))
    got = execute(localcloud_server, task("dynamodb:getItem", {"TableName": table, "Key": {"k": {"S": "1"}}}))
    assert json.loads(got["output"])["Item"]["flag"] == {"BOOL": True}


def test_escaped_quotes_and_braces_are_themselves(localcloud_server: LocalCloudServer) -> None:
    functions = {
        "quoted.$": r"States.Format('it\'s {} of {}', $.part, $.whole)",
        "braces.$": r"States.Format('\{\"a\": {}\} \\ {}', 1, $.braces)",
        "from input.$": "States.Format($.template, $.part)",
        "hash.$": r"States.Hash('it\'s', 'MD5')",
    }
    definition = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Parameters": functions, "End": True}}}
    given = {"part": 1, "whole": "2", "braces": "{x}", "template": "part {}"}
    assert json.loads(execute(localcloud_server, definition, given)["output"]) == {
        "quoted": "it's 1 of 2",
        "braces": '{"a": 1} \\ {x}',
        "from input": "part 1",
        "hash": hashlib.md5(b"it's", usedforsecurity=False).hexdigest(),
    }
