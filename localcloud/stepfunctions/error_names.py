"""Errors whose names AWS reserves: moto refuses to build the names its own interpreter raises."""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName


def install() -> None:
    """Let `States.Runtime`, `States.TaskFailed` and the like travel through Parallel and Map states."""

    def init(self: Any, error_name: str | None) -> None:
        ErrorName.__init__(self, error_name=error_name)

    name: Any = CustomErrorName
    name.__init__ = init
