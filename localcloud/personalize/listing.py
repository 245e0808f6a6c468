"""Describe and list: resources in the form of the service model, page by page."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from botocore.model import ListShape

from localcloud.personalize.errors import InvalidNextTokenError
from localcloud.personalize.operations import Answer, Request
from localcloud.personalize.wire import render, service_model

_DEFAULT_PAGE = 100


def describe(operation: str, member: str, resource: object) -> Answer:
    """Return the answer of a Describe operation: `{member: resource}`."""
    shape = service_model("personalize").operation_model(operation).output_shape
    assert shape is not None  # noqa: S101 - every Describe operation has an output
    return {member: render(resource, shape.members[member])}


def page(operation: str, member: str, request: Request, resources: Sequence[object]) -> Answer:
    """Return one page of the answer of a List operation.

    Raises InvalidNextTokenError when the token is not one that this operation gave.
    """
    shape = service_model("personalize").operation_model(operation).output_shape
    assert shape is not None  # noqa: S101 - every List operation has an output
    listed = shape.members[member]
    assert isinstance(listed, ListShape)  # noqa: S101 - the type checker's hint
    start = _position(operation, request.get("nextToken"))
    end = start + int(request.get("maxResults", _DEFAULT_PAGE))
    answer: dict[str, Any] = {member: [render(resource, listed.member) for resource in resources[start:end]]}
    if end < len(resources):
        answer["nextToken"] = base64.urlsafe_b64encode(f"{operation}:{end}".encode()).decode()
    return answer


def _position(operation: str, token: str | None) -> int:
    if token is None:
        return 0
    try:
        given, _, position = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        if given == operation:
            return int(position)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        pass
    raise InvalidNextTokenError(f"The nextToken was not given by {operation}.")
