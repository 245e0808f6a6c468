"""The register of operations: which function answers which operation of the three services."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from localcloud.personalize.errors import NotBuiltError
from localcloud.personalize.region import Region
from localcloud.personalize.validation import validate
from localcloud.personalize.wire import Call

Request = dict[str, Any]
Answer = dict[str, Any]
Handler = Callable[[Region, Request], Answer]


@dataclass(frozen=True)
class Operation:
    """How an operation is answered; `note` is what a user should know about it."""

    handler: Handler
    note: str = ""


HANDLERS: dict[str, Operation] = {}

_DOMAIN = "domain recommenders belong to domain dataset groups"
NOT_BUILT: dict[str, str] = {
    "CreateRecommender": _DOMAIN,
    "UpdateRecommender": _DOMAIN,
    "DeleteRecommender": _DOMAIN,
    "DescribeRecommender": _DOMAIN,
    "StartRecommender": _DOMAIN,
    "StopRecommender": _DOMAIN,
}


def operation(name: str, note: str = "") -> Callable[[Handler], Handler]:
    """Register the decorated function as the answer to the operation `name`."""

    def register(handler: Handler) -> Handler:
        HANDLERS[name] = Operation(handler, note)
        return handler

    return register


def answer(region: Region, call: Call) -> Answer:
    """Validate a call and answer it.

    Raises PersonalizeError.
    """
    request = validate(call.body, call.operation.input_shape)
    name = call.operation.name
    if name in NOT_BUILT:
        raise NotBuiltError(f"{name} ({NOT_BUILT[name]})")
    return HANDLERS[name].handler(region, request)
