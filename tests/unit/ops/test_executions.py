"""An execution that failed says why, also when a part of it did."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ops.errors import OperatorError
from ops.executions import follow
from ops.terminal import Terminal


class Failed:
    """Step Functions with one execution, which failed of a cause."""

    def __init__(self, cause: str | None) -> None:
        self._cause = {"cause": cause} if cause is not None else {}

    def describe_execution(self, **_: Any) -> dict[str, Any]:
        return {"status": "FAILED", "error": "States.TaskFailed", **self._cause}

    def get_paginator(self, _: str) -> Failed:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"events": []}]


@pytest.mark.parametrize(
    ("cause", "says"),
    [
        ("the import failed: no such file", "the import failed: no such file"),
        (json.dumps({"Error": "E", "Cause": "the reason"}), "E: the reason"),
        (json.dumps({"Error": "E", "Cause": json.dumps({"Error": "F", "Cause": "deep"})}), "E: F: deep"),
        ("[1]", r"\[1\]"),
        (None, "no cause given"),
    ],
)
def test_the_message_holds_the_innermost_reason(cause: str | None, says: str) -> None:
    with pytest.raises(OperatorError, match=f"States.TaskFailed: {says}$"):
        follow(Failed(cause), Terminal(), "arn:execution")
