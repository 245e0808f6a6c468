"""Start a state machine and follow it to its end."""

from __future__ import annotations

import json
import time
from typing import Any

from ops.deployment import Deployment
from ops.errors import OperatorError
from ops.terminal import Terminal

POLL_SECONDS = 0.5


def run(deployment: Deployment, terminal: Terminal, *, output: str, execution_input: dict[str, Any]) -> Any:
    """Start the state machine that a stack output names, show the states it enters, and return its output.

    Raises OperatorError with the execution's error and cause when it does not succeed.
    """
    execution_arn = start(deployment, output, execution_input)
    return follow(deployment.client("stepfunctions"), terminal, execution_arn)


def start(deployment: Deployment, output: str, execution_input: dict[str, Any]) -> str:
    """Start the state machine that a stack output names; return the execution's ARN."""
    execution_arn: str = deployment.client("stepfunctions").start_execution(
        stateMachineArn=deployment.output(output), input=json.dumps(execution_input)
    )["executionArn"]
    return execution_arn


def follow(states: Any, terminal: Terminal, execution_arn: str) -> Any:
    """Show each state once as the execution first enters it, until it ends; return its output."""
    shown: set[str] = set()
    while True:
        execution = states.describe_execution(executionArn=execution_arn)
        _show_new_states(states, terminal, execution_arn, shown)
        if execution["status"] == "SUCCEEDED":
            return json.loads(execution["output"])
        if execution["status"] != "RUNNING":
            raise OperatorError(
                f"{execution_arn} {execution['status']}: "
                f"{execution.get('error', 'no error given')}: {_reason(execution.get('cause'))}"
            )
        time.sleep(POLL_SECONDS)


def _reason(cause: str | None) -> str:
    """Return what a cause says: a child execution's own cause, when it is the report of one."""
    if not cause:
        return "no cause given"
    try:
        report = json.loads(cause)
    except ValueError:
        return cause
    inner = report.get("Cause") if isinstance(report, dict) else None
    return f"{report.get('Error')}: {_reason(inner)}" if inner else cause


def _show_new_states(states: Any, terminal: Terminal, execution_arn: str, shown: set[str]) -> None:
    pages = states.get_paginator("get_execution_history").paginate(executionArn=execution_arn)
    for page in pages:
        for event in page["events"]:
            name = event.get("stateEnteredEventDetails", {}).get("name")
            if name and name not in shown:
                shown.add(name)
                terminal.step(f"    {name}")
