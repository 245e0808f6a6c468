"""The API of executions as on AWS: names, stopping, descriptions and histories in pages.

What moto's interpreter has but its API leaves out is added here: an execution started without a name gets
one of its own, StopExecution keeps the error and the cause and takes effect at once, histories have pages.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from moto.core.exceptions import AWSError, ServiceException
from moto.core.responses import ActionResult
from moto.stepfunctions.parser import api
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.asl.component.state import state
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped
from moto.stepfunctions.parser.backend.execution import Execution
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.responses import StepFunctionResponse

DEFAULT_PAGE = 100
LARGEST_PAGE = 1000
WORKER_START_SECONDS = 10
DATA_FIELDS = {"input", "output"}

_start_lock = threading.Lock()


class InvalidTokenError(ServiceException):
    """The token of a page is none that this API gave."""

    code = "InvalidToken"


def install() -> None:
    """Put the API in the place of moto's."""
    response: Any = StepFunctionResponse
    response.describe_execution = _describe_execution
    response.list_executions = _list_executions
    response.stop_execution = _stop_execution
    response.get_execution_history = _get_execution_history
    response.send_task_failure = _send_task_failure
    response.validate_state_machine_definition = _validate_definition
    _name_executions()
    _let_stopped_executions_be()
    _tell_time_as_aws()
    _name_errors()


def _name_errors() -> None:
    """Let the interpreter's errors reach clients with their names, which moto leaves out."""
    error_classes: list[Any] = [value for value in vars(api).values() if isinstance(value, type)]
    for error_class in error_classes:
        if issubclass(error_class, AWSError) and error_class is not AWSError:
            error_class.TYPE = error_class.code


def _tell_time_as_aws() -> None:
    """Write the times of the context object as AWS does: 2026-11-23T10:15:30.123Z."""
    execution: Any = Execution
    details_by_moto = execution.get_start_execution_details

    def get_start_execution_details(self: Any) -> Any:
        details = details_by_moto(self)
        details.start_time = _iso(details.start_time)
        return details

    def state_data(EnteredTime: str, Name: str) -> dict[str, str]:  # noqa: N803 - the names are moto's
        return {"EnteredTime": _iso(datetime.fromisoformat(EnteredTime)), "Name": Name}

    execution.get_start_execution_details = get_start_execution_details
    module: Any = state
    module.StateData = state_data


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _let_stopped_executions_be() -> None:
    """Keep an execution that was stopped as aborted: what its unfinished tasks raise is no failure of it."""
    environment: Any = Environment
    by_moto = environment.set_error

    def set_error(self: Any, error: Any) -> None:
        if not isinstance(self.program_state(), ProgramStopped):
            by_moto(self, error)

    environment.set_error = set_error


def _name_executions() -> None:
    backend: Any = StepFunctionsParserBackend
    by_moto = backend.start_execution

    def start_execution(
        self: Any,
        state_machine_arn: str,
        name: str | None = None,
        execution_input: str | None = None,
        **rest: Any,
    ) -> Any:
        if name is not None:
            self._validate_name(name)
        with _start_lock:  # two clients that start the same name at the same time get one execution
            return by_moto(self, state_machine_arn, name or str(uuid.uuid4()), execution_input, **rest)

    backend.start_execution = start_execution


def stop(execution: Any, error: str | None, cause: str | None) -> None:
    """End a running execution as aborted; what it is waiting for is let go."""
    deadline = time.monotonic() + WORKER_START_SECONDS
    while execution.exec_worker.env is None and time.monotonic() < deadline:
        time.sleep(0.01)  # the interpreter is still reading the definition
    stop_date = datetime.now(tz=UTC)
    execution.stop(stop_date=stop_date, error=error, cause=cause)
    execution.stop_date, execution.exec_status = stop_date, ExecutionStatus.ABORTED
    execution.error, execution.cause = error, cause


def _describe_execution(response: Any) -> ActionResult:
    execution = response.stepfunction_backend.describe_execution(response._get_param("executionArn"))
    description = {
        **_summary(execution),
        "input": execution.execution_input,
        "inputDetails": {"included": True},
        "redriveCount": 0,
        "redriveStatus": "NOT_REDRIVABLE",
        "redriveStatusReason": "localcloud does not redrive executions",
        "error": execution.error,
        "cause": execution.cause,
    }
    if execution.status == ExecutionStatus.SUCCEEDED:
        description["output"] = json.dumps(execution.output, separators=(",", ":"))
        description["outputDetails"] = {"included": True}
    return ActionResult({name: value for name, value in description.items() if value is not None})


def _list_executions(response: Any) -> ActionResult:
    executions, next_token = response.stepfunction_backend.list_executions(
        response._get_param("stateMachineArn"),
        status_filter=response._get_param("statusFilter"),
        max_results=response._get_int_param("maxResults"),
        next_token=response._get_param("nextToken"),
    )
    return ActionResult({"executions": [_summary(item) for item in executions], "nextToken": next_token})


def _summary(execution: Any) -> dict[str, Any]:
    summary = {
        "executionArn": execution.execution_arn,
        "stateMachineArn": execution.state_machine_arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": execution.start_date,
    }
    return {**summary, "stopDate": execution.stop_date} if execution.stop_date else summary


def _stop_execution(response: Any) -> ActionResult:
    execution = response.stepfunction_backend.describe_execution(response._get_param("executionArn"))
    if execution.status == ExecutionStatus.RUNNING:
        stop(execution, response._get_param("error"), response._get_param("cause"))
    return ActionResult({"stopDate": execution.stop_date})


def _get_execution_history(response: Any) -> ActionResult:
    history = response.stepfunction_backend.get_execution_history(response._get_param("executionArn"))
    events = list(history["events"])
    if response._get_bool_param("reverseOrder"):
        events.reverse()
    token = response._get_param("nextToken") or "0"
    if not token.isdecimal():
        raise InvalidTokenError(f"Invalid Token: {token!r}")
    start = int(token)
    end = start + min(response._get_int_param("maxResults") or DEFAULT_PAGE, LARGEST_PAGE)
    page = events[start:end]
    if response._get_bool_param("includeExecutionData") is False:
        page = [_without_data(event) for event in page]
    return ActionResult({"events": page, **({"nextToken": str(end)} if end < len(events) else {})})


def _without_data(event: Any) -> Any:
    return {
        name: {key: inner for key, inner in value.items() if key not in DATA_FIELDS}
        if isinstance(value, dict)
        else value
        for name, value in event.items()
    }


def _send_task_failure(response: Any) -> ActionResult:
    response.stepfunction_backend.send_task_failure(
        response._get_param("taskToken"),
        error=response._get_param("error"),
        cause=response._get_param("cause"),
    )
    return ActionResult({})


def _validate_definition(response: Any) -> ActionResult:
    """Answer ValidateStateMachineDefinition by reading the definition as CreateStateMachine does."""
    try:
        StepFunctionsParserBackend._validate_definition(response._get_param("definition"))
    except Exception as error:  # noqa: BLE001 - whatever the parser raises is the diagnosis
        message = str(getattr(error, "message", "") or error)
        diagnostic = {"severity": "ERROR", "code": "SCHEMA_VALIDATION_FAILED", "message": message}
        return ActionResult({"result": "FAIL", "diagnostics": [diagnostic], "truncated": False})
    return ActionResult({"result": "OK", "diagnostics": [], "truncated": False})
