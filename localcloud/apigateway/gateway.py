"""Serves the stages of deployed REST APIs."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from wsgiref.types import StartResponse, WSGIEnvironment

from moto.apigateway.models import APIGatewayBackend, RestAPI, apigateway_backends
from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import lambda_backends
from moto.logs.models import logs_backends

from localcloud.apigateway import authorizers, proxy, usage, validators
from localcloud.apigateway.proxy import Request, Response
from localcloud.apigateway.routing import Match, match
from localcloud.apigateway.usage import RefusedError
from localcloud.context import ACCOUNT_ID

PATH_PREFIX = "/_localcloud/execute-api"
LARGEST_BODY = 10 * 1024 * 1024
LONGEST_SECONDS = 29
FUNCTION = re.compile(r"functions/(arn:aws:lambda:([^:]+):[^/]+)/invocations")
HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


class Gateway:
    """A WSGI application for every stage of every API, by host name or by path."""

    def __init__(self) -> None:
        self._limiter = usage.Limiter()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        request = _request(environ)
        region, api = _find_api(request.api_id)
        began = time.monotonic()
        if api is None:
            response = _refusal(None, RefusedError("DEFAULT_4XX", 403, "Forbidden"))
        else:
            response = self._answer(region, api, request)
            _log_access(region, api, request, response, time.monotonic() - began)
        headers = [pair for pair in response.headers if pair[0].lower() not in HOP_BY_HOP]
        headers += [("x-amzn-RequestId", request.request_id), ("Content-Length", str(len(response.body)))]
        start_response(f"{response.status} {_phrase(response.status)}", headers)
        return [response.body]

    def _answer(self, region: str, api: RestAPI, request: Request) -> Response:
        try:
            return self._serve(region, api, request)
        except RefusedError as refusal:
            return _refusal(api, refusal)

    def _serve(self, region: str, api: RestAPI, request: Request) -> Response:
        backend: APIGatewayBackend = apigateway_backends[ACCOUNT_ID][region]
        stage: Any = api.stages.get(request.stage)
        deployment: Any = api.deployments.get(stage.deployment_id) if stage else None
        found = match(getattr(deployment, "routes", []), request.path, request.method)
        if found is None or found.method is None:
            raise RefusedError("MISSING_AUTHENTICATION_TOKEN", 403, "Missing Authentication Token")
        if len(request.body) > LARGEST_BODY:
            raise RefusedError("REQUEST_TOO_LARGE", 413, "Request Too Long")
        invoke = _authorizer_call(region)
        event = proxy.event(
            request, found, stage_variables=stage.variables or {}, api_key=None, authorizer={}
        )
        context = authorizers.authorize(api, region, found.method, request, event=event, invoke=invoke)
        api_key = None
        if str(found.method.api_key_required).lower() == "true":
            api_key = usage.check_key(
                backend, self._limiter, api.id, request.stage, request.header("x-api-key")
            )
        for name, settings in _throttles(stage, found.route.template, request.method).items():
            usage.check_stage(self._limiter, f"{api.id}/{request.stage}/{name}", settings)
        validators.validate(api, found.method, request, found.parameters)
        event = proxy.event(
            request, found, stage_variables=stage.variables or {}, api_key=api_key, authorizer=context
        )
        return _integrate(found, event)


def _integrate(found: Match, event: dict[str, Any]) -> Response:
    method: Any = found.method
    integration = method.method_integration
    if integration is None:
        raise RefusedError("DEFAULT_5XX", 500, "No integration defined for method")
    if integration.integration_type == "MOCK":
        return _mock(integration)
    function = FUNCTION.search(str(integration.uri))
    if integration.integration_type != "AWS_PROXY" or function is None:
        kind = integration.integration_type
        raise RefusedError(
            "DEFAULT_5XX", 501, f"localcloud does not provide {kind} integrations of {integration.uri}"
        )
    headers: dict[str, str] = {}
    began = time.monotonic()
    try:
        fn = lambda_backends[ACCOUNT_ID][function[2]].get_function(function[1])
        payload: Any = fn.invoke(json.dumps(event), {}, headers)
    except LambdaClientError as error:
        # A function that is missing or throttled is the API's fault, not its client's.
        raise RefusedError("API_CONFIGURATION_ERROR", 500, "Internal server error") from error
    if time.monotonic() - began > LONGEST_SECONDS:
        raise RefusedError("INTEGRATION_TIMEOUT", 504, "Endpoint request timed out")
    return proxy.response(payload, headers.get("x-amz-function-error"))


def _mock(integration: Any) -> Response:
    """Answer a mock integration by its first response: enough for CORS preflights and fixed answers."""
    responses = list((integration.integration_responses or {}).values())
    if not responses:
        raise RefusedError("DEFAULT_5XX", 500, "Internal server error")
    chosen = responses[0]
    headers = [
        (name.rsplit(".", 1)[1], str(value).strip("'"))
        for name, value in (chosen.response_parameters or {}).items()
    ]
    body = next(iter((chosen.response_templates or {}).values()), "") or ""
    return Response(int(chosen.status_code), headers, body.encode())


def _refusal(api: RestAPI | None, refusal: RefusedError) -> Response:
    """Return the gateway's own answer, in the form the API's gateway responses give it."""
    family = "DEFAULT_4XX" if refusal.status < HTTPStatus.INTERNAL_SERVER_ERROR else "DEFAULT_5XX"
    customs: dict[str, Any] = api.gateway_responses if api else {}
    custom = customs.get(refusal.kind) or customs.get(family)
    status, headers, template = refusal.status, [("Content-Type", "application/json")], None
    if custom is not None:
        status = int(custom.status_code or status)
        headers += [
            (name.rsplit(".", 1)[1], str(value).strip("'"))
            for name, value in (custom.response_parameters or {}).items()
        ]
        for media_type, text in (custom.response_templates or {}).items():
            headers[0], template = ("Content-Type", media_type), text
    message = json.dumps(str(refusal))
    if template is None:
        return Response(status, headers, f'{{"message":{message}}}'.encode())
    filled = template.replace("$context.error.messageString", message)
    filled = filled.replace("$context.error.message", str(refusal))
    filled = filled.replace("$context.error.responseType", refusal.kind)
    return Response(status, headers, filled.encode())


def _authorizer_call(region: str) -> authorizers.Invoke:
    def invoke(function_arn: str, event: dict[str, Any]) -> dict[str, Any]:
        headers: dict[str, str] = {}
        try:
            fn = lambda_backends[ACCOUNT_ID][region].get_function(function_arn)
            answer = json.loads(fn.invoke(json.dumps(event), {}, headers))
        except LambdaClientError as error:
            raise RefusedError("AUTHORIZER_FAILURE", 500, "Internal server error") from error
        if "x-amz-function-error" in headers:
            if answer.get("errorMessage") == "Unauthorized":
                raise RefusedError("UNAUTHORIZED", 401, "Unauthorized")
            raise RefusedError("AUTHORIZER_FAILURE", 500, "Internal server error")
        return answer if isinstance(answer, dict) else {}

    return invoke


def _throttles(stage: Any, template: str, http_method: str) -> dict[str, dict[str, Any]]:
    """Return the method's own settings where it has some, else the stage's, under the name they count by."""
    settings = stage.method_settings or {}
    # A path's slashes are escaped as in JSON pointers.
    method = f"{template.replace('/', '~1')}/{http_method}"
    name = next((key for key in (method, method.removeprefix("~1"), "*/*") if key in settings), None)
    return {name: dict(settings[name])} if name else {}


def _log_access(region: str, api: RestAPI, request: Request, response: Response, seconds: float) -> None:
    """Write the stage's access log in its own format, where it has one."""
    stage: Any = api.stages.get(request.stage)
    settings = getattr(stage, "access_log_settings", None) or {}
    if not settings.get("destinationArn") or not settings.get("format"):
        return
    values = {
        "requestId": request.request_id,
        "identity.sourceIp": request.source_ip,
        "httpMethod": request.method,
        "path": f"/{request.stage}{request.path}",
        "status": str(response.status),
        "responseLength": str(len(response.body)),
        "responseLatency": str(int(seconds * 1000)),
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
        "protocol": "HTTP/1.1",
    }
    line = re.sub(r"\$context\.([\w.]+)", lambda found: values.get(found[1], "-"), settings["format"])
    logs, group = (
        logs_backends[ACCOUNT_ID][region],
        settings["destinationArn"].split(":log-group:")[1].split(":")[0],
    )
    if group in logs.groups:
        logs.ensure_log_stream(group, request.stage)
        logs.put_log_events(group, request.stage, [{"timestamp": int(time.time() * 1000), "message": line}])


def _find_api(api_id: str) -> tuple[str, RestAPI | None]:
    for region, backend in list(apigateway_backends[ACCOUNT_ID].items()):
        if api_id in backend.apis:
            return region, backend.apis[api_id]
    return "", None


def _request(environ: WSGIEnvironment) -> Request:
    # REQUEST_URI keeps %2F apart from a slash, which PATH_INFO does not.
    raw = str(environ.get("REQUEST_URI") or environ.get("RAW_URI") or quote(environ["PATH_INFO"]))
    path = raw.split("?", 1)[0]
    if "://" in path:
        path = "/" + path.split("://", 1)[1].partition("/")[2]
    if path.startswith(PATH_PREFIX):
        _, _, _, api_id, stage, *rest = [*path.split("/", 5), "", ""]
    else:
        api_id = str(environ.get("HTTP_HOST", "")).split(".", 1)[0]
        _, stage, *rest = [*path.split("/", 2), "", ""]
    # A body sent in chunks has no length; the server then ends the stream itself.
    unmeasured = LARGEST_BODY + 1 if environ.get("wsgi.input_terminated") else 0
    size = int(environ.get("CONTENT_LENGTH") or unmeasured)
    return Request(
        api_id=api_id,
        stage=stage,
        method=str(environ["REQUEST_METHOD"]),
        path="/" + rest[0],
        query=str(environ.get("QUERY_STRING", "")),
        headers=_headers(environ),
        body=environ["wsgi.input"].read(min(size, LARGEST_BODY + 1)) if size else b"",
        source_ip=str(environ.get("REMOTE_ADDR", "127.0.0.1")),
        request_id=str(uuid.uuid4()),
    )


def _headers(environ: WSGIEnvironment) -> list[tuple[str, str]]:
    headers = [
        (name[5:].replace("_", "-").title(), str(value))
        for name, value in environ.items()
        if name.startswith("HTTP_")
    ]
    if environ.get("CONTENT_TYPE"):
        headers.append(("Content-Type", str(environ["CONTENT_TYPE"])))
    return headers


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
