"""Step Functions: moto's interpreter, with integrations that case, name errors and wait as AWS does."""

from __future__ import annotations

import logging
import sys
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from moto.core.config import default_user_config
from moto.stepfunctions.parser.asl.component.state.exec.state_task import state_task_factory
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service,
    state_task_service_aws_sdk,
    state_task_service_callback,
    state_task_service_factory,
)
from moto.stepfunctions.parser.asl.utils import boto_client

from localcloud.context import CloudContext
from localcloud.stepfunctions import (
    aborts,
    callbacks,
    error_names,
    executions,
    intrinsics,
    json_paths,
    logs,
    variables,
)
from localcloud.stepfunctions.athena import StateTaskServiceAthena
from localcloud.stepfunctions.casing import BOTO_NAMES, from_response, operation, to_request

# How Step Functions writes the services in error names.
ERROR_NAMES = {
    "dynamodb": "DynamoDb",
    "cloudwatch": "CloudWatch",
    "cloudwatchlogs": "CloudWatchLogs",
    "eventbridge": "EventBridge",
    "personalizeevents": "PersonalizeEvents",
    "personalizeruntime": "PersonalizeRuntime",
    "secretsmanager": "SecretsManager",
}
READ_TIMEOUT_SECONDS = 900
# How often a `.sync` task looks whether its job is done.
SYNC_POLL_SECONDS = 0.1


def install(context: CloudContext) -> None:
    """Execute state machines for real, against this cloud."""
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    _call_this_cloud(context)
    _case_as_aws()
    _name_errors_as_aws()
    _provide_athena()
    callbacks.install()
    json_paths.install()
    variables.install()
    error_names.install()
    executions.install()
    aborts.install()
    intrinsics.install()
    logs.install()
    state_task_service_callback._DELAY_SECONDS_SYNC_CONDITION_CHECK = SYNC_POLL_SECONDS  # type: ignore[misc]
    # What goes wrong in an execution is in its history; moto also logs it as an error of the server.
    logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)


def _call_this_cloud(context: CloudContext) -> None:
    """Keep one client a service: making one takes far longer than calling it."""

    @cache
    def client(service: str, region: str) -> Any:
        return boto3.client(
            BOTO_NAMES.get(service, service),
            region_name=region,
            endpoint_url=context.endpoint_url,
            aws_access_key_id="localcloud",
            aws_secret_access_key="localcloud",  # noqa: S106 - localcloud checks no credentials
            config=Config(
                parameter_validation=True,
                retries={"total_max_attempts": 1},
                read_timeout=READ_TIMEOUT_SECONDS,
                max_pool_connections=50,
            ),
        )

    def client_for(region: str, service: str, state_credentials: Any = None) -> Any:
        del state_credentials
        return client(service, region)

    by_moto = boto_client.boto_client_for
    for module in list(sys.modules.values()):
        if (
            module.__name__.startswith("moto.stepfunctions")
            and getattr(module, "boto_client_for", None) is by_moto
        ):
            module.boto_client_for = client_for  # type: ignore[attr-defined]


def _case_as_aws() -> None:
    service: Any = state_task_service.StateTaskService

    def shapes(task: Any, boto_service_name: str | None, service_action_name: str | None) -> Any:
        names = (
            task._get_boto_service_name(boto_service_name),
            task._get_boto_service_action(service_action_name),
        )
        return operation(*names)

    def normalise_parameters(
        task: Any,
        parameters: Any,
        boto_service_name: str | None = None,
        service_action_name: str | None = None,
    ) -> None:
        model = shapes(task, boto_service_name, service_action_name)
        cased = to_request(parameters, model.input_shape)
        parameters.clear()
        parameters.update(cased)

    def normalise_response(
        task: Any, response: Any, boto_service_name: str | None = None, service_action_name: str | None = None
    ) -> None:
        if not isinstance(response, dict):
            return
        model = shapes(task, boto_service_name, service_action_name)
        cased = from_response(response, model.output_shape)
        response.clear()
        response.update(cased)

    service._normalise_parameters = normalise_parameters
    service._normalise_response = normalise_response


def _name_errors_as_aws() -> None:
    sdk: Any = state_task_service_aws_sdk.StateTaskServiceAwsSdk

    def service_error_name(service_name: str) -> str:
        name = service_name.lower()
        return ERROR_NAMES.get(name, name[:1].upper() + name[1:])

    sdk._normalise_service_error_name = staticmethod(service_error_name)


def _provide_athena() -> None:
    by_moto = state_task_service_factory.state_task_service_for

    def service_for(service_name: str) -> Any:
        return StateTaskServiceAthena() if service_name == "athena" else by_moto(service_name)

    modules: tuple[Any, ...] = (state_task_service_factory, state_task_factory)
    for module in modules:
        if hasattr(module, "state_task_service_for"):
            module.state_task_service_for = service_for
