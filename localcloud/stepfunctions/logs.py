"""Executions write their history to CloudWatch Logs, as their machine's logging configuration says."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from typing import Any

from moto.logs.exceptions import ResourceAlreadyExistsException
from moto.logs.models import logs_backends
from moto.stepfunctions.parser.asl.eval.event.logging import (
    CloudWatchLoggingConfiguration,
    CloudWatchLoggingSession,
)
from moto.stepfunctions.parser.backend.execution import Execution

MILLISECONDS = 1000


class LoggingSession(CloudWatchLoggingSession):
    """Puts events into the log group; moto's own session makes no log stream and passes no text."""

    def __init__(self, execution_arn: str, configuration: CloudWatchLoggingConfiguration) -> None:
        super().__init__(execution_arn, configuration)
        machine, execution = execution_arn.split(":")[-2:]
        self._stream = f"states/{machine}/{execution}"
        self._backend: Any = logs_backends[configuration.log_account_id][configuration.log_region]
        with suppress(ResourceAlreadyExistsException):
            self._backend.create_log_stream(configuration.log_group_name, self._stream)

    def publish_history_log(self, history_log: Any) -> None:
        """Write one event of the execution's history."""
        moment = int(datetime.fromisoformat(history_log["event_timestamp"]).timestamp() * MILLISECONDS)
        message = json.dumps({**history_log, "event_timestamp": str(moment)}, default=str)
        self._backend.put_log_events(
            self.configuration.log_group_name, self._stream, [{"timestamp": moment, "message": message}]
        )


def install() -> None:
    """Give every execution the logging session that its machine asks for."""
    execution_class: Any = Execution
    by_moto = execution_class.__init__

    def init(self: Any, **arguments: Any) -> None:
        arguments["cloud_watch_logging_session"] = _session(arguments["state_machine"], arguments["exec_arn"])
        by_moto(self, **arguments)

    execution_class.__init__ = init


def _session(state_machine: Any, execution_arn: str) -> LoggingSession | None:
    settings: Any = {"includeExecutionData": False, **(state_machine.loggingConfiguration or {})}
    configuration = CloudWatchLoggingConfiguration.from_logging_configuration(state_machine.arn, settings)
    if configuration is None or not _exists(configuration):
        return None
    return LoggingSession(execution_arn, configuration)


def _exists(configuration: CloudWatchLoggingConfiguration) -> bool:
    """Say whether the log group is there: one that was deleted stops no execution."""
    backend = logs_backends[configuration.log_account_id][configuration.log_region]
    return configuration.log_group_name in backend.groups
