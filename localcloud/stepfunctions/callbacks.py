"""Integrations that wait with `.sync`: moto crashes at the end of those that cannot also wait for a token."""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_callback,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ResourceCondition


def install() -> None:
    """Give every waiting integration the callback end point that its clean-up expects."""
    service: Any = state_task_service_callback.StateTaskServiceCallback
    by_moto = service.__init__

    def init(self: Any, supported_integration_patterns: set[Any]) -> None:
        by_moto(self, {*supported_integration_patterns, ResourceCondition.WaitForTaskToken})

    service.__init__ = init
