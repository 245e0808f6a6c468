"""The wire formats of the three Personalize services, read from botocore's service models."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.utils import parse_timestamp

from localcloud.personalize.errors import PersonalizeError, SerializationError, UnknownOperationError

SERVICES = ("personalize", "personalize-events", "personalize-runtime")


@dataclass(frozen=True)
class Call:
    """One request: which operation of which service, and its decoded JSON body."""

    service: str
    operation: OperationModel
    body: dict[str, Any]


@cache
def service_model(service: str) -> ServiceModel:
    """Return botocore's model of one of the three services."""
    return botocore.session.get_session().get_service_model(service)


@cache
def _operations_by_path() -> dict[tuple[str, str], tuple[str, OperationModel]]:
    """Return (HTTP method, path) to the operation, for the two REST services."""
    routes = {}
    for service in SERVICES[1:]:
        model = service_model(service)
        for name in model.operation_names:
            operation = model.operation_model(name)
            routes[operation.http["method"], operation.http["requestUri"]] = (service, operation)
    return routes


def rest_paths() -> list[str]:
    """Return the paths of the two REST services."""
    return sorted({path for _, path in _operations_by_path()})


def decode(method: str, path: str, target: str, body: bytes) -> Call:
    """Find the operation that a request names and decode its body.

    Raises UnknownOperationError and SerializationError.
    """
    if target:
        service, (prefix, _, name) = SERVICES[0], target.partition(".")
        model = service_model(service)
        if prefix != model.metadata["targetPrefix"] or name not in model.operation_names:
            raise UnknownOperationError(f"Personalize has no operation {target}.")
        operation = model.operation_model(name)
    else:
        found = _operations_by_path().get((method, path))
        if found is None:
            raise UnknownOperationError(f"Personalize has no operation at {method} {path}.")
        service, operation = found
    return Call(service, operation, _json_object(body))


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        decoded = json.loads(body or b"{}")
    except ValueError as error:
        raise SerializationError(f"The request body is not JSON: {error}") from error
    if not isinstance(decoded, dict):
        raise SerializationError("The request body is not a JSON object.")
    return decoded


def encode_answer(answer: dict[str, Any]) -> bytes:
    """Return the JSON body of an answer."""
    return json.dumps(answer).encode()


def encode_error(error: PersonalizeError, service: str = SERVICES[0]) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of an error, readable for both JSON protocols.

    The two REST services have a status of its own for each error: not found is 404, in use 409.
    """
    body = json.dumps({"__type": error.code, "message": error.message}).encode()
    status = _statuses(service).get(error.code, error.status)
    return status, {"x-amzn-errortype": error.code}, body


@cache
def _statuses(service: str) -> dict[str, int]:
    model = service_model(service)
    shapes = [model.shape_for(name) for name in model.shape_names if name.endswith("Exception")]
    return {
        shape.name: shape.metadata["error"]["httpStatusCode"]
        for shape in shapes
        if "httpStatusCode" in shape.metadata.get("error", {})
    }


def render(source: object, shape: Shape) -> Any:
    """Return `source` in the form of `shape`; members that are None are left out.

    Structures take a member `fooBar` from the attribute `foo_bar` of an object or the key `fooBar` of a dict.
    """
    if isinstance(shape, StructureShape):
        members = {name: _member(source, name) for name in shape.members}
        return {
            name: render(value, shape.members[name]) for name, value in members.items() if value is not None
        }
    if isinstance(shape, ListShape):
        assert isinstance(source, list | tuple)  # noqa: S101 - the type checker's hint
        return [render(item, shape.member) for item in source]
    if isinstance(shape, MapShape):
        assert isinstance(source, dict)  # noqa: S101 - the type checker's hint
        return {key: render(value, shape.value) for key, value in source.items()}
    return source


def timestamp(value: float | str) -> float:
    """Return a timestamp member (epoch seconds or ISO 8601) as epoch seconds."""
    return float(parse_timestamp(value).timestamp())


@cache
def attribute_name(member: str) -> str:
    """Return the Python name of a model member: `tunedHPOParams` is `tuned_hpo_params`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", member).lower()


def _member(source: object, name: str) -> Any:
    if isinstance(source, dict):
        return source.get(name)
    return getattr(source, attribute_name(name), None)
