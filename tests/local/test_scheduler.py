"""Schedules fire: by the clock and when asked to; what fails ends in the dead-letter queue."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import urllib3
from botocore.exceptions import ClientError

from localcloud.scheduler.expressions import next_time
from tests.local.conftest import REGION, LocalCloudServer
from tests.local.test_lambda import _receive

ROLE = "arn:aws:iam::123456789012:role/scheduler"
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)  # a Tuesday


def due(expression: str, zone: str = "UTC", after: datetime = NOON) -> str | None:
    found = next_time(expression, zone, after=after, since=NOON)
    return found.strftime("%Y-%m-%dT%H:%M") if found else None


@pytest.mark.parametrize(
    ("expression", "zone", "expected"),
    [
        ("rate(7 days)", "UTC", "2026-03-17T12:00"),
        ("rate(5 minutes)", "UTC", "2026-03-10T12:05"),
        ("cron(0 8 * * ? *)", "Asia/Kolkata", "2026-03-11T02:30"),
        ("cron(0/15 * ? * TUE *)", "UTC", "2026-03-10T12:15"),
        ("cron(30 9 L * ? *)", "UTC", "2026-03-31T09:30"),
        ("cron(0 6 ? * 2#1 *)", "UTC", "2026-04-06T06:00"),
        ("cron(0 6 ? * FRIL *)", "UTC", "2026-03-27T06:00"),
        ("cron(0 6 15W * ? *)", "UTC", "2026-03-16T06:00"),
        # 02:30 does not exist in Berlin on 29 March 2026.
        ("cron(30 2 29-30 3 ? 2026)", "Europe/Berlin", "2026-03-30T00:30"),
        ("at(2026-03-10T18:00:00)", "Asia/Kolkata", "2026-03-10T12:30"),
        ("at(2026-03-10T11:00:00)", "UTC", None),
        ("cron(0 6 * * ? 2020)", "UTC", None),
    ],
)
def test_expressions_are_due_when_aws_says(expression: str, zone: str, expected: str | None) -> None:
    assert due(expression, zone) == expected


def test_a_rate_keeps_its_beat() -> None:
    assert due("rate(2 hours)", after=NOON + timedelta(hours=5)) == "2026-03-10T18:00"


def test_an_expression_that_is_none_is_refused(localcloud_server: LocalCloudServer) -> None:
    for expression in ("rate(0 days)", "cron(0 8 * * *)", "cron(61 8 * * ? *)", "cron(0 8 * * * *)", "daily"):
        with pytest.raises(ClientError, match="ValidationException"):
            schedule(localcloud_server, {"Arn": "arn:aws:sqs:::x"}, expression)


def test_a_schedule_sends_by_the_clock_and_only_once_when_it_is_for_once(
    localcloud_server: LocalCloudServer,
) -> None:
    url, arn = queue(localcloud_server)
    at = (datetime.now(UTC) + timedelta(seconds=2)).strftime("at(%Y-%m-%dT%H:%M:%S)")
    text = json.dumps({"by": "<aws.scheduler.schedule-arn>"})
    name = schedule(
        localcloud_server, {"Arn": arn, "Input": text}, at, ActionAfterCompletion="DELETE", State="ENABLED"
    )
    off = schedule(localcloud_server, {"Arn": arn, "Input": "off"}, at, State="DISABLED")
    received = json.loads(_receive(localcloud_server.client("sqs"), url))
    assert received["by"].endswith(f":schedule/default/{name}")
    assert "Messages" not in localcloud_server.client("sqs").receive_message(QueueUrl=url)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        localcloud_server.client("scheduler").get_schedule(Name=name)
    assert localcloud_server.client("scheduler").get_schedule(Name=off)["State"] == "DISABLED"


def test_a_state_machine_is_started_on_demand(localcloud_server: LocalCloudServer) -> None:
    states = localcloud_server.client("stepfunctions")
    machine = states.create_state_machine(
        name=f"m-{uuid.uuid4().hex[:8]}",
        definition=json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}}),
        roleArn=ROLE,
    )["stateMachineArn"]
    name = schedule(localcloud_server, {"Arn": machine, "Input": '{"weekly": true}'})
    status, answer = fire(localcloud_server, name)
    assert status == 200
    execution = states.describe_execution(executionArn=answer["result"]["executionArn"])
    assert json.loads(execution["input"]) == {"weekly": True}


def test_any_api_can_be_called(localcloud_server: LocalCloudServer) -> None:
    target = {
        "Arn": "arn:aws:scheduler:::aws-sdk:ssm:putParameter",
        "Input": json.dumps({"Name": "/fired", "Value": "yes", "Type": "String", "Overwrite": True}),
    }
    assert fire(localcloud_server, schedule(localcloud_server, target))[0] == 200
    fired = localcloud_server.client("ssm").get_parameter(Name="/fired")
    assert fired["Parameter"]["Value"] == "yes"


def test_a_failing_target_is_named_and_its_input_kept(localcloud_server: LocalCloudServer) -> None:
    url, arn = queue(localcloud_server)
    target = {
        "Arn": f"arn:aws:states:{REGION}:123456789012:stateMachine:missing",
        "Input": '{"kept": 1}',
        "DeadLetterConfig": {"Arn": arn},
    }
    status, answer = fire(localcloud_server, schedule(localcloud_server, target))
    assert status == 502
    assert "StateMachineDoesNotExist" in answer["message"]
    at = (datetime.now(UTC) + timedelta(seconds=2)).strftime("at(%Y-%m-%dT%H:%M:%S)")
    schedule(localcloud_server, target, at)
    assert _receive(localcloud_server.client("sqs"), url) == '{"kept": 1}'


def schedule(
    server: LocalCloudServer, target: dict[str, Any], expression: str = "rate(7 days)", **settings: Any
) -> str:
    name = f"s-{uuid.uuid4().hex[:8]}"
    server.client("scheduler").create_schedule(
        Name=name,
        ScheduleExpression=expression,
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"RoleArn": ROLE, **target},
        **settings,
    )
    return name


def fire(server: LocalCloudServer, name: str) -> tuple[int, Any]:
    answer = urllib3.request("POST", f"{server.endpoint_url}/_localcloud/scheduler/{name}/fire")
    return answer.status, answer.json()


def queue(server: LocalCloudServer) -> tuple[str, str]:
    sqs = server.client("sqs")
    url = sqs.create_queue(QueueName=f"q-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
