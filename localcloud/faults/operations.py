"""Which request asks for which operation: read from botocore's service models, for every AWS protocol."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote
from wsgiref.types import WSGIEnvironment

import botocore.session
from botocore.exceptions import UnknownServiceError
from botocore.model import OperationModel, ServiceModel

SIGNED_BY = re.compile(r"Credential=[^/]*/\d+/[^/]+/([^/]+)/aws4_request")


class UnknownOperationError(ValueError):
    """There is no such service or operation in AWS."""


@dataclass
class Request:
    """A request to the cloud, its body read."""

    environ: WSGIEnvironment
    body: bytes

    @cached_property
    def signing_name(self) -> str:
        """The service that the request was signed for, or an empty text."""
        found = SIGNED_BY.search(self.environ.get("HTTP_AUTHORIZATION", ""))
        return found[1] if found else ""

    @cached_property
    def query(self) -> dict[str, str]:
        """The query's parameters, those without a value too."""
        return dict(parse_qsl(self.environ.get("QUERY_STRING", ""), keep_blank_values=True))

    def parameters(self) -> dict[str, Any]:
        """Return the request's parameters: its JSON or form body, its query and its path."""
        result: dict[str, Any] = {**self.query, "path": unquote(self.environ.get("PATH_INFO", ""))}
        try:
            body = json.loads(self.body) if self.body else {}
        except ValueError:
            text = self.body.decode(errors="replace")
            body = {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}
        return {**result, **body} if isinstance(body, dict) else result


@dataclass
class Operation:
    """An operation of a service."""

    service: str
    name: str
    model: OperationModel

    @property
    def protocols(self) -> list[str]:
        """The protocols in which clients may ask for it."""
        metadata = self.model.service_model.metadata
        return list(metadata.get("protocols", [metadata["protocol"]]))

    @cached_property
    def _path(self) -> re.Pattern[str]:
        uri = self.model.http["requestUri"].split("?")[0]
        if self.service == "s3":
            uri = "/{Bucket}" + uri.removeprefix("/{Bucket}")
        pieces = re.split(r"(\{[^}]+\})", uri.rstrip("/"))
        pattern = "".join(
            (".+" if piece.endswith("+}") else "[^/]+") if piece.startswith("{") else re.escape(piece)
            for piece in pieces
        )
        return re.compile(f"{pattern}/?")

    @cached_property
    def _flags(self) -> set[str]:
        return _flags(self.model)

    def is_asked_by(self, request: Request) -> bool:
        """Say whether the request asks for this operation."""
        service = self.model.service_model
        if request.signing_name not in {service.signing_name, service.endpoint_prefix}:
            return False
        target = request.environ.get("HTTP_X_AMZ_TARGET")
        if target is not None:
            return bool(target == f"{service.metadata.get('targetPrefix')}.{self.name}")
        path = request.environ.get("PATH_INFO", "")
        if path.endswith(f"/operation/{self.name}"):
            return True
        if any(protocol.startswith("rest") for protocol in self.protocols):
            return self._is_asked_by_path(request, path)
        return f"Action={self.name}".encode() in request.body.split(b"&")

    def _is_asked_by_path(self, request: Request, path: str) -> bool:
        if request.environ["REQUEST_METHOD"] != self.model.http["method"] or not self._path.fullmatch(path):
            return False
        asked = set(request.query) & _all_flags(self.service)
        return asked == self._flags


@cache
def operation_of(service: str, name: str) -> Operation:
    """Return an operation by boto3's name of the service and the API's of the operation.

    Raises UnknownOperationError, with the names there are.
    """
    try:
        model = _model(service)
    except UnknownServiceError as error:
        raise UnknownOperationError(f"service is {service!r}; there is no such client in boto3") from error
    if name not in model.operation_names:
        names = ", ".join(sorted(model.operation_names))
        raise UnknownOperationError(f"operation is {name!r}; {service} has {names}")
    return Operation(service, name, model.operation_model(name))


@cache
def _model(service: str) -> ServiceModel:
    return botocore.session.Session().get_service_model(service)


@cache
def _all_flags(service: str) -> set[str]:
    """Return every query flag that tells two operations of a service apart."""
    model = _model(service)
    return set().union(*(_flags(model.operation_model(name)) for name in model.operation_names))


def _flags(model: OperationModel) -> set[str]:
    query = model.http["requestUri"].partition("?")[2]
    return {name for name, _ in parse_qsl(query, keep_blank_values=True)}
