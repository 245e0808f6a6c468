"""What a schedule calls: the targets that have a form of their own, and any API by `aws-sdk`.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import boto3
import botocore.session
from botocore import xform_name
from botocore.exceptions import UnknownServiceError
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

UNIVERSAL = "arn:aws:scheduler:::aws-sdk:"
# Services that the Scheduler and botocore spell differently.
BOTO_NAMES = {"sfn": "stepfunctions", "eventbridge": "events", "cloudwatchlogs": "logs"}
Client = Callable[[str], Any]


class TargetError(Exception):
    """The target, or what is to be sent to it, is not something that a schedule can call."""


def clients(endpoint_url: str, region: str) -> Client:
    """Return a maker of clients of this cloud."""

    def client(service: str) -> Any:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=endpoint_url,
            aws_access_key_id="localcloud",
            aws_secret_access_key="localcloud",  # noqa: S106 - any value is accepted here
        )

    return client


def call(target: dict[str, Any], text: str, client: Client) -> dict[str, Any]:
    """Call a target with its finished input; return the answer.

    Raises TargetError for a target that cannot be called, ClientError for one that refuses.
    """
    arn: str = target["Arn"]
    if arn.startswith(UNIVERSAL):
        return _call_api(arn.removeprefix(UNIVERSAL), text, client)
    service = arn.split(":")[2]
    if service == "states":
        return _answer(client("stepfunctions").start_execution(stateMachineArn=arn, input=text or "{}"))
    if service == "lambda":
        sent = client("lambda").invoke(FunctionName=arn, InvocationType="Event", Payload=text or "{}")
        return {"StatusCode": sent["StatusCode"]}
    if service == "sqs":
        return _send_message(target, text, client("sqs"))
    if service == "sns":
        return _answer(client("sns").publish(TopicArn=arn, Message=text))
    if service == "events":
        return _put_event(target, text, client("events"))
    raise TargetError(f"localcloud's schedules cannot call {arn}")


def _send_message(target: dict[str, Any], text: str, sqs: Any) -> dict[str, Any]:
    name = target["Arn"].rsplit(":", 1)[1]
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    group = target.get("SqsParameters") or {}
    return _answer(sqs.send_message(QueueUrl=url, MessageBody=text, **group))


def _put_event(target: dict[str, Any], text: str, events: Any) -> dict[str, Any]:
    settings = target.get("EventBridgeParameters") or {}
    entry = {
        "EventBusName": target["Arn"],
        "Source": settings.get("Source", ""),
        "DetailType": settings.get("DetailType", ""),
        "Detail": text or "{}",
    }
    return _answer(events.put_events(Entries=[entry]))


def _call_api(action: str, text: str, client: Client) -> dict[str, Any]:
    service, _, operation_name = action.partition(":")
    model = _operation(BOTO_NAMES.get(service, service), operation_name)
    try:
        parameters = json.loads(text or "{}")
    except ValueError as error:
        raise TargetError(f"The input of {action} is not JSON: {error}") from error
    method = getattr(client(model.service_model.service_name), xform_name(model.name))
    return _answer(method(**_as_declared(parameters, model.input_shape)))


@cache
def _operation(service: str, name: str) -> OperationModel:
    try:
        model = botocore.session.Session().get_service_model(service)
    except UnknownServiceError as error:
        raise TargetError(f"There is no service {service}") from error
    for candidate in model.operation_names:
        if candidate.lower() == name.lower():
            return model.operation_model(candidate)
    raise TargetError(f"{service} has no action {name}")


def _as_declared(value: Any, shape: Shape | None) -> Any:
    """Return parameters spelled as the API declares them: a schedule's input is always in PascalCase."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        names = {name.lower(): name for name in shape.members}
        unknown = [name for name in value if name.lower() not in names]
        if unknown:
            raise TargetError(
                f"The input has the fields {unknown}, which are none of {sorted(shape.members)}"
            )
        declared = {names[name.lower()]: content for name, content in value.items()}
        return {name: _as_declared(content, shape.members[name]) for name, content in declared.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_as_declared(content, shape.member) for content in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: _as_declared(content, shape.value) for key, content in value.items()}
    return value


def _answer(response: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in response.items() if name != "ResponseMetadata"}
