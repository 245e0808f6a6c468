"""Parameters and results of service integrations, cased as Step Functions does: PascalCase on its side.

https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.response import StreamingBody

# Names that Step Functions and botocore spell differently.
BOTO_NAMES = {
    "sfn": "stepfunctions",
    "states": "stepfunctions",
    "personalizeevents": "personalize-events",
    "personalizeruntime": "personalize-runtime",
    "eventbridge": "events",
    "cloudwatchlogs": "logs",
}
# Members whose names are data types, not words.
UNCASED_SHAPES = {"AttributeValue"}


class UnknownFieldError(ValueError):
    """A task's parameters hold a field that the API does not have."""


@cache
def operation(service: str, action: str) -> OperationModel:
    """Return the API's own description of an operation; `action` in any of its spellings."""
    model = _session().get_service_model(BOTO_NAMES.get(service, service))
    wanted = action.replace("_", "").lower()
    for name in model.operation_names:
        if name.lower() == wanted:
            return model.operation_model(name)
    raise UnknownFieldError(f"{service} has no action {action}")


@cache
def _session() -> botocore.session.Session:
    return botocore.session.Session()


def to_request(value: Any, shape: Shape | None) -> Any:
    """Return a state's parameters as the API spells them; raises UnknownFieldError for one it lacks."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        if shape.name in UNCASED_SHAPES:
            return value
        members = {_pascal(name): name for name in shape.members}
        for name in value:
            if _pascal(name) not in members:
                raise UnknownFieldError(f"The field {name!r} is not supported; there are: {sorted(members)}")
        return {
            members[_pascal(name)]: to_request(inner, shape.members[members[_pascal(name)]])
            for name, inner in value.items()
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [to_request(inner, shape.member) for inner in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {name: to_request(inner, shape.value) for name, inner in value.items()}
    return _scalar_request(value, shape)


def _scalar_request(value: Any, shape: Shape | None) -> Any:
    if shape is None or value is None:
        return value
    if shape.type_name == "string" and not isinstance(value, str):
        return json.dumps(value)
    if shape.type_name == "blob" and not isinstance(value, bytes):
        return (value if isinstance(value, str) else json.dumps(value)).encode()
    return value


def from_response(value: Any, shape: Shape | None) -> Any:
    """Return an API's answer as a state sees it: PascalCase members, times as ISO 8601 text."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        if shape.name in UNCASED_SHAPES:
            return _plain(value)
        return {
            (_pascal(name) if name in shape.members else name): from_response(inner, shape.members.get(name))
            for name, inner in value.items()
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [from_response(inner, shape.member) for inner in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {name: from_response(inner, shape.value) for name, inner in value.items()}
    return _plain(value)


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, StreamingBody):
        return value.read().decode()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value


def _pascal(name: str) -> str:
    return name[:1].upper() + name[1:]
