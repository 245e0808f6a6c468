"""Whether a request is well-formed: request validators."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import jsonschema
from moto.apigateway.models import Method, RestAPI

from localcloud.apigateway.proxy import Request
from localcloud.apigateway.usage import RefusedError


def validate(api: RestAPI, method: Method, request: Request, path_parameters: dict[str, str]) -> None:
    """Check what the method's request validator asks for. Raises RefusedError with what is wrong."""
    validator: Any = api.request_validators.get(str(method.request_validator_id))
    if validator is None:
        return
    if validator.validate_request_parameters:
        missing = _missing_parameters(method, request, path_parameters)
        if missing:
            message = f"Missing required request parameters: [{', '.join(missing)}]"
            raise RefusedError("BAD_REQUEST_PARAMETERS", 400, message)
    if validator.validate_request_body:
        _validate_body(api, method, request)


def _missing_parameters(method: Method, request: Request, path_parameters: dict[str, str]) -> list[str]:
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    missing = []
    for parameter, required in (method.request_parameters or {}).items():
        _, _, place, name = parameter.split(".", 3)
        given = {
            "querystring": query.get(name),
            "header": request.header(name),
            "path": path_parameters.get(name),
        }[place]
        if str(required).lower() == "true" and not given:
            missing.append(name)
    return missing


def _validate_body(api: RestAPI, method: Method, request: Request) -> None:
    models = method.request_models or {}
    media_type = (request.header("content-type") or "application/json").split(";")[0].strip()
    name = models.get(media_type) or models.get("$default")
    if name is None:
        return
    model = next(model for model in api.models.values() if model.name == name)
    try:
        jsonschema.validate(json.loads(request.body or b"null"), json.loads(str(model.schema)))
    except (ValueError, jsonschema.ValidationError) as error:
        raise RefusedError("BAD_REQUEST_BODY", 400, "Invalid request body") from error
