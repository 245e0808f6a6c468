"""The state transitions that Step Functions bills for an execution and those it started."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


def billed(states: Any, execution_arn: str) -> int:
    """Return the transitions of an execution and of its children: each state entered, each retry, each end.

    Source: the Step Functions pricing page, which counts retries and the step to the end as transitions.
    """
    return sum(_own(events(states, arn)) for arn in family(states, execution_arn))


def family(states: Any, execution_arn: str) -> list[str]:
    """Return an execution and all that it started, and so on, in the order of their start."""
    found = [execution_arn]
    for arn in children(events(states, execution_arn)):
        found += family(states, arn)
    return found


def children(history: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the executions that the tasks of a history started."""
    for event in history:
        details = event.get("taskSubmittedEventDetails", {})
        if details.get("resourceType") == "states":
            output = json.loads(details["output"])
            yield output.get("ExecutionArn") or output["executionArn"]


def events(states: Any, execution_arn: str) -> list[dict[str, Any]]:
    """Return an execution's history, oldest event first."""
    pages = states.get_paginator("get_execution_history").paginate(executionArn=execution_arn)
    return [event for page in pages for event in page["events"]]


def _own(history: list[dict[str, Any]]) -> int:
    kinds = [str(event["type"]) for event in history]
    entered = sum(kind.endswith("StateEntered") for kind in kinds)
    tries = sum(kind in {"TaskScheduled", "LambdaFunctionScheduled"} for kind in kinds)
    retries = max(0, tries - kinds.count("TaskStateEntered"))
    return entered + retries + 1
