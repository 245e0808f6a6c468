"""Who may call a method: signed requests, users of a Cognito pool, and whom an authorizer function lets in.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-control-access-to-api.html
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from moto.apigateway.models import Method, RestAPI
from moto.cognitoidp.models import cognitoidp_backends

from localcloud.apigateway.proxy import Request
from localcloud.apigateway.usage import RefusedError
from localcloud.context import ACCOUNT_ID

SIGV4 = re.compile(
    r"AWS4-HMAC-SHA256 Credential=[^/]+/\d{8}/[^/]+/execute-api/aws4_request, ?"
    r"SignedHeaders=[^,]+, ?Signature=[0-9a-f]{64}"
)
FUNCTION = re.compile(r"functions/(arn:[^/]+)/invocations")
AUTHORIZATION_HEADER = "method.request.header.Authorization"
INVOKE_ACTION = "execute-api:Invoke"
Invoke = Callable[[str, dict[str, Any]], dict[str, Any]]


def authorize(
    api: RestAPI, region: str, method: Method, request: Request, *, event: dict[str, Any], invoke: Invoke
) -> dict[str, Any]:
    """Return the authorizer's context for the event. Raises RefusedError when the caller may not call.

    Of a signature only the form is checked: localcloud takes any credentials. `event` is what the
    integration would get without a context.
    """
    kind = method.authorization_type or "NONE"
    if kind == "NONE":
        return {}
    if kind == "AWS_IAM":
        if not SIGV4.match(request.header("authorization") or ""):
            raise RefusedError("MISSING_AUTHENTICATION_TOKEN", 403, "Missing Authentication Token")
        return {}
    authorizer: Any = api.authorizers.get(str(method.authorizer_id))
    if authorizer is None:
        raise RefusedError("AUTHORIZER_CONFIGURATION_ERROR", 500, "Internal server error")
    settings = authorizer.to_json()
    if kind == "COGNITO_USER_POOLS":
        return _by_user_pool(settings, method, request)
    return _by_function(settings, region, request, event, invoke)


def _by_user_pool(settings: dict[str, Any], method: Method, request: Request) -> dict[str, Any]:
    """Take an id token of one of the pools; with scopes on the method, an access token that has one."""
    token = _identity(settings, request).removeprefix("Bearer ")
    scopes = set(method.authorization_scopes or [])
    for arn in settings.get("providerARNs") or []:
        region, pool_id = arn.split(":")[3], arn.rsplit("/", 1)[1]
        pool = cognitoidp_backends[ACCOUNT_ID][region].user_pools.get(pool_id)
        claims = _claims(pool, token) if pool is not None else None
        if claims is None:
            continue
        if claims.get("token_use") != ("access" if scopes else "id"):
            continue
        if scopes and not scopes & set(str(claims.get("scope", "")).split()):
            continue
        return {"claims": {name: _text(value) for name, value in claims.items()}}
    raise RefusedError("UNAUTHORIZED", 401, "Unauthorized")


def _claims(pool: Any, token: str) -> dict[str, Any] | None:
    """Return what a token says when the pool signed it and it has not expired."""
    try:
        claims = jwt.decode(token, pool.json_web_key, algorithms=["RS256"]).claims
    except (JoseError, ValueError):
        return None
    issued_here = str(claims.get("iss", "")).endswith(f"/{pool.id}")
    return claims if issued_here and float(claims.get("exp", 0)) > time.time() else None


def _by_function(
    settings: dict[str, Any], region: str, request: Request, event: dict[str, Any], invoke: Invoke
) -> dict[str, Any]:
    function = FUNCTION.search(settings.get("authorizerUri") or "")
    if function is None:
        raise RefusedError("AUTHORIZER_CONFIGURATION_ERROR", 500, "Internal server error")
    path = request.path.lstrip("/")
    arn = (
        f"arn:aws:execute-api:{region}:{ACCOUNT_ID}:{request.api_id}/{request.stage}/{request.method}/{path}"
    )
    if settings["type"] == "TOKEN":
        token = _identity(settings, request)
        asked = {"type": "TOKEN", "methodArn": arn, "authorizationToken": token}
    else:
        _need_sources(settings, request, event)
        asked = {**event, "type": "REQUEST", "methodArn": arn}
        asked = {name: value for name, value in asked.items() if name not in {"body", "isBase64Encoded"}}
    answer = invoke(function[1], asked)
    if "principalId" not in answer or "policyDocument" not in answer:
        raise RefusedError("AUTHORIZER_CONFIGURATION_ERROR", 500, "Internal server error")
    _obey(answer["policyDocument"], arn)
    context = {name: _text(value) for name, value in (answer.get("context") or {}).items()}
    return {"principalId": str(answer["principalId"]), **context}


def _identity(settings: dict[str, Any], request: Request) -> str:
    """Return the token from the authorizer's header. Raises RefusedError without one of the right form."""
    header = (settings.get("identitySource") or AUTHORIZATION_HEADER).rsplit(".", 1)[1]
    token = request.header(header) or ""
    expression = settings.get("identityValidationExpression")
    if not token or (expression and not re.fullmatch(expression, token)):
        raise RefusedError("UNAUTHORIZED", 401, "Unauthorized")
    return token


def _need_sources(settings: dict[str, Any], request: Request, event: dict[str, Any]) -> None:
    """Refuse a request that lacks what the authorizer decides by."""
    query, variables = event["queryStringParameters"] or {}, event["stageVariables"] or {}
    for source in filter(None, (settings.get("identitySource") or "").replace(" ", "").split(",")):
        place, name = source.rsplit(".", 1)
        given = {
            "method.request.header": request.header(name),
            "method.request.querystring": query.get(name),
            "stageVariables": variables.get(name),
            "context": event["requestContext"].get(name),
        }.get(place)
        if not given:
            raise RefusedError("UNAUTHORIZED", 401, "Unauthorized")


def _obey(policy: dict[str, Any], arn: str) -> None:
    """Raise RefusedError unless a statement allows the call and none denies it."""
    statements = policy.get("Statement", [])
    effects = {
        statement.get("Effect")
        for statement in (statements if isinstance(statements, list) else [statements])
        if _covers(statement.get("Action"), INVOKE_ACTION) and _covers(statement.get("Resource"), arn)
    }
    if "Deny" in effects:
        message = "User is not authorized to access this resource with an explicit deny"
        raise RefusedError("ACCESS_DENIED", 403, message)
    if "Allow" not in effects:
        raise RefusedError("ACCESS_DENIED", 403, "User is not authorized to access this resource")


def _covers(patterns: Any, name: str) -> bool:
    listed = patterns if isinstance(patterns, list) else [patterns]
    # A square bracket is no wildcard in a policy.
    return any(fnmatchcase(name.lower(), str(one).lower().replace("[", "[[]")) for one in listed)


def _text(value: Any) -> str:
    """Return a context value as API Gateway hands it on: always a string."""
    return value if isinstance(value, str) else json.dumps(value)
