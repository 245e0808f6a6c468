"""What waiting adds to an execution: the time between the end of a job and its being noticed.

Read from the histories alone: the events on the way from the end of an execution back to its start are its
critical path, in the child executions too that it waited for.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator
from typing import Any

Event = dict[str, Any]
History = Callable[[str], list[Event]]


def waited_in_vain(history: History, execution_arn: str) -> float:
    """Return the seconds waited past the end of jobs on the critical path of an execution.

    `history` returns the events of an execution by its ARN.
    """
    total, woke, slept = 0.0, None, None
    for event in _path(history, execution_arn):
        if event["type"] == "WaitStateEntered":
            slept = event["timestamp"]
        elif event["type"] == "WaitStateExited":
            woke = event["timestamp"]
        elif event["type"] == "TaskSucceeded" and woke is not None and slept is not None:
            ended = _ended(event["taskSucceededEventDetails"])
            if ended is not None:
                total += max(0.0, (woke - max(ended, slept)).total_seconds())
            woke = slept = None
    return total


def looks(history: History, execution_arns: list[str]) -> int:
    """Return how often all the executions waited before they looked at a job again."""
    return sum(event["type"] == "WaitStateEntered" for arn in execution_arns for event in history(arn))


def _path(history: History, execution_arn: str) -> Iterator[Event]:
    """Yield the events of the critical path in order, those of children where they were waited for."""
    events = {event["id"]: event for event in history(execution_arn)}
    path = []
    at = max(events)
    while at in events:
        path.append(events[at])
        at = events[at]["previousEventId"]
    for event in reversed(path):
        submitted = event.get("taskSubmittedEventDetails", {})
        if submitted.get("resourceType") == "states":
            output = json.loads(submitted["output"])
            yield from _path(history, output.get("ExecutionArn") or output["executionArn"])
        yield event


def _ended(details: dict[str, Any]) -> datetime.datetime | None:
    """Return when the job that a Describe call of Personalize answers of ended; None while it goes on."""
    if not details["resourceType"].endswith(":personalize") or not details["resource"].startswith("describe"):
        return None
    described = next(iter(json.loads(details["output"]).values()))
    update = described.get("LatestCampaignUpdate") or {}
    if update.get("Status", described["Status"]) != "ACTIVE":
        return None
    text = update.get("LastUpdatedDateTime") or described["LastUpdatedDateTime"]
    return datetime.datetime.fromisoformat(text)
