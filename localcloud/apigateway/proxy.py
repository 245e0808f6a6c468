"""Lambda proxy integration: the request as AWS's event, the function's answer as a response.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from localcloud.apigateway.routing import Match
from localcloud.apigateway.usage import RefusedError
from localcloud.context import ACCOUNT_ID


@dataclass(frozen=True)
class Request:
    """An HTTP request to a stage; `path` is undecoded and begins after the stage."""

    api_id: str
    stage: str
    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: bytes
    source_ip: str
    request_id: str

    def header(self, name: str) -> str | None:
        """Return a header's last value, its name in any case."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return values[-1] if values else None


@dataclass(frozen=True)
class Response:
    """What goes back to the client."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


def event(
    request: Request,
    match: Match,
    *,
    stage_variables: dict[str, str],
    api_key: Any,
    authorizer: dict[str, Any],
) -> dict[str, Any]:
    """Return the REST proxy event, version 1.0."""
    pairs = parse_qsl(request.query, keep_blank_values=True)
    text, is_base64 = _text(request.body)
    return {
        "resource": match.route.template,
        "path": f"/{request.path.lstrip('/')}",
        "httpMethod": request.method,
        "headers": dict(request.headers) or None,
        "multiValueHeaders": _multi(request.headers) or None,
        "queryStringParameters": dict(pairs) or None,
        "multiValueQueryStringParameters": _multi(pairs) or None,
        "pathParameters": match.parameters or None,
        "stageVariables": stage_variables or None,
        "requestContext": _context(request, match, api_key, authorizer),
        "body": text,
        "isBase64Encoded": is_base64,
    }


def response(payload: bytes, function_error: str | None) -> Response:
    """Return the function's answer as HTTP. Raises RefusedError for one that is not in the proxy's form."""
    try:
        answer = json.loads(payload)
        status = 0 if function_error else int(answer["statusCode"])
        headers = [(str(name), str(value)) for name, value in (answer.get("headers") or {}).items()]
        for name, values in (answer.get("multiValueHeaders") or {}).items():
            headers = [pair for pair in headers if pair[0].lower() != name.lower()]
            headers += [(str(name), str(value)) for value in values]
        body = answer.get("body") or ""
        content = base64.b64decode(body) if answer.get("isBase64Encoded") else str(body).encode()
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RefusedError("DEFAULT_5XX", 502, "Internal server error") from error
    if not status:
        raise RefusedError("DEFAULT_5XX", 502, "Internal server error")
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))
    return Response(status, headers, content)


def _context(request: Request, match: Match, api_key: Any, authorizer: dict[str, Any]) -> dict[str, Any]:
    now = time.time()
    identity: dict[str, Any] = {"sourceIp": request.source_ip, "userAgent": request.header("user-agent")}
    if api_key is not None:
        identity |= {"apiKey": api_key.value, "apiKeyId": api_key.id}
    context: dict[str, Any] = {
        "accountId": ACCOUNT_ID,
        "apiId": request.api_id,
        "domainName": request.header("host"),
        "extendedRequestId": request.request_id,
        "httpMethod": request.method,
        "identity": identity,
        "path": f"/{request.stage}/{request.path.lstrip('/')}",
        "protocol": "HTTP/1.1",
        "requestId": request.request_id,
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
        "requestTimeEpoch": int(now * 1000),
        "resourceId": match.route.template,
        "resourcePath": match.route.template,
        "stage": request.stage,
    }
    if authorizer:
        context["authorizer"] = authorizer
    return context


def _multi(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    result: dict[str, list[str]] = {}
    for name, value in pairs:
        result.setdefault(name, []).append(value)
    return result


def _text(body: bytes) -> tuple[str | None, bool]:
    if not body:
        return None, False
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True
