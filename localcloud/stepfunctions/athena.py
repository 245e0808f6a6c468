"""The optimised Athena integration, which moto's interpreter lacks.

https://docs.aws.amazon.com/step-functions/latest/dg/connect-athena.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError
from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ResourceCondition
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (  # noqa: E501
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.utils import boto_client

from localcloud.stepfunctions.casing import from_response, operation

PARAMETERS = {
    "startqueryexecution": {
        "ClientRequestToken", "ExecutionParameters", "QueryExecutionContext", "QueryString",
        "ResultConfiguration", "WorkGroup", "ResultReuseConfiguration",
    },
    "stopqueryexecution": {"QueryExecutionId"},
    "getqueryexecution": {"QueryExecutionId"},
    "getqueryresults": {"MaxResults", "NextToken", "QueryExecutionId", "QueryResultType"},
}  # fmt: skip
RUNNING = {"QUEUED", "RUNNING"}


class StateTaskServiceAthena(StateTaskServiceCallback):
    """Runs an Athena action; with `.sync` it waits for the query and fails with it."""

    def __init__(self) -> None:
        super().__init__(supported_integration_patterns={ResourceCondition(ResourceCondition.Sync)})

    def _get_supported_parameters(self) -> set[str] | None:
        return PARAMETERS.get(self.resource.api_action.lower())

    def _client(self, resource_runtime_part: Any, state_credentials: Any) -> Any:
        return boto_client.boto_client_for(
            service="athena", region=resource_runtime_part.region, state_credentials=state_credentials
        )

    def _eval_service_task(
        self,
        env: Any,
        resource_runtime_part: Any,
        normalised_parameters: dict[str, Any],
        state_credentials: Any,
    ) -> None:
        client = self._client(resource_runtime_part, state_credentials)
        response = getattr(client, self._get_boto_service_action())(**normalised_parameters)
        response.pop("ResponseMetadata", None)
        env.stack.append(response)

    def _build_sync_resolver(
        self,
        env: Any,
        resource_runtime_part: Any,
        normalised_parameters: dict[str, Any],
        state_credentials: Any,
    ) -> Callable[[], Any]:
        del normalised_parameters
        query_id = env.stack.pop()["QueryExecutionId"]
        client = self._client(resource_runtime_part, state_credentials)
        shape = operation("athena", "get_query_execution").output_shape

        def resolve() -> Any:
            response = client.get_query_execution(QueryExecutionId=query_id)
            response.pop("ResponseMetadata", None)
            if response["QueryExecution"]["Status"]["State"] in RUNNING:
                return None
            result = from_response(response, shape)
            if result["QueryExecution"]["Status"]["State"] == "SUCCEEDED":
                return result
            raise FailureEventException(
                self._failure(env, "States.TaskFailed", json.dumps(result["QueryExecution"]))
            )

        return resolve

    def _from_error(self, env: Any, ex: Exception) -> Any:
        if isinstance(ex, ClientError):
            details = ex.response["Error"]
            return self._failure(env, f"Athena.{details['Code']}", details["Message"])
        return super()._from_error(env=env, ex=ex)

    def _failure(self, env: Any, error: str, cause: str) -> Any:
        return FailureEvent(
            env=env,
            error_name=CustomErrorName(error),
            event_type=HistoryEventType.TaskFailed,
            event_details=EventDetails(  # type: ignore[typeddict-item]
                taskFailedEventDetails=TaskFailedEventDetails(
                    error=error,
                    cause=cause,
                    resource=self._get_sfn_resource(),
                    resourceType=self._get_sfn_resource_type(),
                )
            ),
        )
