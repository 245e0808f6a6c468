"""Workflow variables: assigned by one state, read by paths, waits, choices and intrinsics of later ones."""

from __future__ import annotations

import json

from tests.local.conftest import LocalCloudServer
from tests.local.test_stepfunctions import execute


def test_a_loop_counts_in_a_variable_that_paths_and_intrinsics_read(
    localcloud_server: LocalCloudServer,
) -> None:
    definition = {
        "StartAt": "Begin",
        "States": {
            "Begin": {
                "Type": "Pass",
                "Assign": {"pause.$": "$.first", "step": {"size": 2}},
                "Next": "Enough?",
            },
            "Enough?": {
                "Type": "Choice",
                "Choices": [{"Variable": "$pause", "NumericGreaterThanEquals": 4, "Next": "Done"}],
                "Default": "Wait",
            },
            "Wait": {
                "Type": "Wait",
                "Seconds": 0,
                "Assign": {"pause.$": "States.MathAdd($pause, $step.size)"},
                "Next": "Enough?",
            },
            "Done": {"Type": "Pass", "Parameters": {"pause.$": "$pause"}, "End": True},
        },
    }
    result = execute(localcloud_server, definition, {"first": 0})
    assert json.loads(result["output"]) == {"pause": 4}


def test_a_wait_takes_its_seconds_from_a_variable(localcloud_server: LocalCloudServer) -> None:
    definition = {
        "StartAt": "Call",
        "States": {
            "Call": {
                "Type": "Task",
                "Resource": "arn:aws:states:::aws-sdk:ssm:getParameter",
                "Parameters": {"Name": "/nowhere"},
                "Catch": [{"ErrorEquals": ["States.ALL"], "Assign": {"pause": 0}, "Next": "Wait"}],
                "End": True,
            },
            "Wait": {"Type": "Wait", "SecondsPath": "$pause", "End": True},
        },
    }
    assert execute(localcloud_server, definition)["status"] == "SUCCEEDED"


def test_a_branch_reads_the_variables_of_what_is_around_it(localcloud_server: LocalCloudServer) -> None:
    inner = {
        "StartAt": "Read",
        "States": {"Read": {"Type": "Pass", "Parameters": {"seen.$": "$outer.word"}, "End": True}},
    }
    definition = {
        "StartAt": "Begin",
        "States": {
            "Begin": {"Type": "Pass", "Assign": {"outer": {"word": "here"}}, "Next": "Side by side"},
            "Side by side": {"Type": "Parallel", "Branches": [inner], "End": True},
        },
    }
    assert json.loads(execute(localcloud_server, definition)["output"]) == [{"seen": "here"}]
