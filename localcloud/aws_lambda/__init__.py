"""Lambda: moto's API with the deployed code really run, in warm processes."""

from __future__ import annotations

import base64
import json
import threading
import time
from typing import Any

from moto.awslambda import models
from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import LambdaFunction, lambda_backends
from moto.logs.models import logs_backends

from localcloud.aws_lambda.asynchronous import invoke_later
from localcloud.aws_lambda.configuration import keep_all_of_it, log_group
from localcloud.aws_lambda.executor import (
    Executor,
    FunctionSpec,
    Invocation,
    TooManyRequestsError,
    log_stream_name,
)
from localcloud.context import ACCOUNT_ID, CloudContext

LOG_TAIL_BYTES = 4096
MILLISECONDS = 1000


def install(context: CloudContext) -> None:
    """Run functions by the executor instead of Docker."""
    executor = Executor(context)
    function: Any = models.LambdaFunction
    keep_all_of_it(function)

    def invoke(fn: LambdaFunction, body: Any, request_headers: Any, response_headers: Any) -> str | bytes:
        headers = {name.lower(): value for name, value in dict(request_headers).items()}
        kind = headers.get("x-amz-invocation-type", "RequestResponse")
        event = json.loads(body) if body else {}
        if kind == "DryRun":
            return ""
        if kind == "Event":
            _spec(fn)  # a function that cannot run here is the caller's error, not a lost event
            arguments = (fn, event, lambda: run(executor, fn, event))
            threading.Thread(target=invoke_later, args=arguments, daemon=True).start()
            return ""
        return _invoke_now(executor, fn, event, response_headers)

    function.invoke = invoke


def _invoke_now(executor: Executor, fn: LambdaFunction, event: Any, response_headers: Any) -> bytes:
    try:
        invocation = run(executor, fn, event)
    except TooManyRequestsError as error:
        raise LambdaClientError("TooManyRequestsException", str(error)) from error
    if invocation.function_error:
        response_headers["x-amz-function-error"] = invocation.function_error
    tail = "\n".join(_report(invocation, fn)).encode()[-LOG_TAIL_BYTES:]
    response_headers["x-amz-log-result"] = base64.b64encode(tail).decode()
    response_headers["x-amz-executed-version"] = str(fn.version)
    return invocation.payload.encode()


def run(executor: Executor, fn: LambdaFunction, event: Any) -> Invocation:
    """Run a function as it is configured now, and write its log."""
    invocation = executor.invoke(_spec(fn), event)
    _write_log(fn, _report(invocation, fn))
    return invocation


def _spec(fn: LambdaFunction) -> FunctionSpec:
    if not str(fn.run_time).startswith("python"):
        raise LambdaClientError(
            "InvalidRuntimeException", f"localcloud runs Python functions, not {fn.run_time}"
        )
    backend = lambda_backends[ACCOUNT_ID][fn.region]
    layers = [backend.layers_versions_by_arn(layer["Arn"]) for layer in fn.layers]
    concurrency = fn.reserved_concurrency
    return FunctionSpec(
        arn=fn.function_arn,
        name=fn.function_name,
        version=str(fn.version),
        region=fn.region,
        log_group=log_group(fn),
        handler=str(fn.handler),
        code=fn.code_bytes,
        layers=tuple(layer.code_bytes for layer in layers if layer is not None),
        environment=tuple(sorted((name, str(value)) for name, value in fn.environment_vars.items())),
        timeout_seconds=int(fn.timeout),
        memory_mb=int(fn.memory_size),
        reserved_concurrency=None if concurrency is None else int(concurrency),
    )


def _report(invocation: Invocation, fn: LambdaFunction) -> list[str]:
    milliseconds = invocation.seconds * MILLISECONDS
    return [
        f"START RequestId: {invocation.request_id} Version: {fn.version}",
        *invocation.log_lines,
        f"END RequestId: {invocation.request_id}",
        (
            f"REPORT RequestId: {invocation.request_id}\tDuration: {milliseconds:.2f} ms\t"
            f"Billed Duration: {int(milliseconds) + 1} ms\tMemory Size: {fn.memory_size} MB"
        ),
    ]


def _write_log(fn: LambdaFunction, lines: list[str]) -> None:
    logs = logs_backends[ACCOUNT_ID][fn.region]
    group = log_group(fn)
    stream = log_stream_name()
    if group not in logs.groups:
        logs.create_log_group(group, {})
    logs.create_log_stream(group, stream)
    now = int(time.time() * MILLISECONDS)
    logs.put_log_events(group, stream, [{"timestamp": now, "message": line} for line in lines])
