"""Who may call, and whether the request is well-formed: authorizers and request validators."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import jsonschema
from moto.apigateway.models import Method, RestAPI

from localcloud.apigateway.proxy import Request
from localcloud.apigateway.usage import RefusedError

SIGV4 = re.compile(
    r"AWS4-HMAC-SHA256 Credential=[^/]+/\d{8}/[^/]+/execute-api/aws4_request, ?"
    r"SignedHeaders=[^,]+, ?Signature=[0-9a-f]{64}"
)
FUNCTION = re.compile(r"functions/(arn:[^/]+)/invocations")
Invoke = Callable[[str, dict[str, Any]], dict[str, Any]]


def authorize(api: RestAPI, method: Method, request: Request, invoke: Invoke) -> dict[str, Any]:
    """Return the authorizer's context for the event. Raises RefusedError when the caller may not call."""
    kind = method.authorization_type or "NONE"
    if kind == "NONE":
        return {}
    if kind == "AWS_IAM":
        if not SIGV4.match(request.header("authorization") or ""):
            raise RefusedError("MISSING_AUTHENTICATION_TOKEN", 403, "Missing Authentication Token")
        return {}
    authorizer: Any = api.authorizers.get(str(method.authorizer_id))
    if kind == "CUSTOM" and authorizer is not None:
        return _by_function(authorizer, request, invoke)
    raise RefusedError(
        "AUTHORIZER_CONFIGURATION_ERROR", 500, f"localcloud does not provide {kind} authorization"
    )


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


def _by_function(authorizer: Any, request: Request, invoke: Invoke) -> dict[str, Any]:
    settings = authorizer.to_json()
    function = FUNCTION.search(settings.get("authorizerUri") or "")
    if function is None:
        raise RefusedError("AUTHORIZER_CONFIGURATION_ERROR", 500, "The authorizer names no function")
    arn = (
        f"arn:aws:execute-api:ap:{request.api_id}/{request.stage}/{request.method}/{request.path.lstrip('/')}"
    )
    event: dict[str, Any] = {"type": settings["type"], "methodArn": arn}
    if settings["type"] == "TOKEN":
        header = (settings.get("identitySource") or "method.request.header.Authorization").rsplit(".", 1)[1]
        token = request.header(header)
        if not token:
            raise RefusedError("UNAUTHORIZED", 401, "Unauthorized")
        event["authorizationToken"] = token
    else:
        event |= {
            "headers": dict(request.headers),
            "path": request.path,
            "httpMethod": request.method,
            "queryStringParameters": dict(parse_qsl(request.query)),
        }
    answer = invoke(function[1], event)
    statements = answer.get("policyDocument", {}).get("Statement", [])
    if not statements:
        raise RefusedError("UNAUTHORIZED", 401, "Unauthorized")
    if any(statement.get("Effect") != "Allow" for statement in statements):
        raise RefusedError("ACCESS_DENIED", 403, "User is not authorized to access this resource")
    return {"principalId": answer.get("principalId"), **answer.get("context", {})}


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
