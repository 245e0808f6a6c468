"""What is billed: each state entered, each retry, each end, in the executions that were started too."""

from __future__ import annotations

import json
from typing import Any

from ops.transitions import billed, family


def entered(kind: str) -> dict[str, Any]:
    return {"type": f"{kind}StateEntered"}


CHILD = {
    "type": "TaskSubmitted",
    "taskSubmittedEventDetails": {
        "resourceType": "states",
        "output": json.dumps({"ExecutionArn": "child"}),
    },
}
OF_A_FUNCTION = {
    "type": "TaskSubmitted",
    "taskSubmittedEventDetails": {"resourceType": "glue", "output": "{}"},
}
HISTORIES = {
    "parent": [
        {"type": "ExecutionStarted"},
        entered("Choice"),
        entered("Task"),
        {"type": "TaskScheduled"},
        {"type": "TaskFailed"},
        {"type": "TaskScheduled"},
        CHILD,
        OF_A_FUNCTION,
        {"type": "ExecutionSucceeded"},
    ],
    "child": [
        entered("Pass"),
        entered("Task"),
        {"type": "LambdaFunctionScheduled"},
        {"type": "ExecutionFailed"},
    ],
}


class Histories:
    """Step Functions with two executions, one started by the other."""

    def get_paginator(self, _: str) -> Histories:
        return self

    def paginate(self, executionArn: str) -> list[dict[str, Any]]:  # noqa: N803 - boto3's name
        return [{"events": HISTORIES[executionArn]}]


def test_states_retries_and_ends_are_counted_in_the_whole_family() -> None:
    assert family(Histories(), "parent") == ["parent", "child"]
    assert billed(Histories(), "child") == 2 + 1
    assert billed(Histories(), "parent") == (2 + 1 + 1) + 3
