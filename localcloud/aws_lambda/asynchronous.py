"""Asynchronous invocations: retried, then told to their destinations and their dead-letter queue.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.awslambda.models import LambdaFunction, lambda_backends
from moto.events.models import events_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from localcloud.aws_lambda.configuration import dead_letter_arn, invoke_config
from localcloud.aws_lambda.executor import Invocation, TooManyRequestsError
from localcloud.context import ACCOUNT_ID

RETRIES = 2
LONGEST_AGE_SECONDS = 21_600
# AWS waits one minute, then two; a second stands for a minute here.
PAUSE_SECONDS = 1


def invoke_later(fn: LambdaFunction, event: Any, run: Callable[[], Invocation]) -> None:
    """Invoke until it succeeds or its retries are used up; then tell whoever is to know."""
    retries = int(invoke_config(fn).get("MaximumRetryAttempts", RETRIES))
    longest = int(invoke_config(fn).get("MaximumEventAgeInSeconds", LONGEST_AGE_SECONDS))
    attempts, last, began = 0, None, time.monotonic()
    while attempts <= retries and time.monotonic() - began <= longest:
        time.sleep(attempts * PAUSE_SECONDS)
        try:
            last = run()
        except TooManyRequestsError:
            # Throttled events wait in Lambda's own queue and use up no retry.
            time.sleep(PAUSE_SECONDS)
            continue
        attempts += 1
        if not last.function_error:
            break
    if last is None:
        return
    if last.function_error and (queue := dead_letter_arn(fn)):
        send(queue, event, {"RequestID": last.request_id, "ErrorMessage": last.payload[:1024]})
    outcome = "OnFailure" if last.function_error else "OnSuccess"
    destination = invoke_config(fn).get("DestinationConfig", {}).get(outcome, {}).get("Destination")
    if destination:
        send(destination, _record(fn, event, last, attempts), {})


def send(arn: str, body: Any, attributes: dict[str, str]) -> None:
    """Send a JSON document to a queue, topic, function or bus. Raises ValueError for anything else."""
    _, _, service, region, _, name = arn.split(":", 5)
    text = json.dumps(body)
    if service == "sqs":
        typed: dict[str, Any] = {
            key: {"data_type": "String", "string_value": value} for key, value in attributes.items()
        }
        sqs_backends[ACCOUNT_ID][region].send_message(name, text, message_attributes=typed)
    elif service == "sns":
        sns_backends[ACCOUNT_ID][region].publish(text, arn=arn)
    elif service == "lambda":
        target = lambda_backends[ACCOUNT_ID][region].get_function(arn)
        target.invoke(text, {"x-amz-invocation-type": "Event"}, {})
    elif service == "events":
        detail_type = "Lambda Function Invocation Result - " + body["requestContext"]["condition"]
        entry = {"Source": "lambda", "DetailType": detail_type, "Detail": text, "EventBusName": arn}
        events_backends[ACCOUNT_ID][region].put_events([entry])
    else:
        raise ValueError(f"an asynchronous invocation cannot be told to {arn}")


def _record(fn: LambdaFunction, event: Any, last: Invocation, attempts: int) -> dict[str, Any]:
    response: dict[str, Any] = {"statusCode": 200, "executedVersion": str(fn.version)}
    if last.function_error:
        response["functionError"] = last.function_error
    return {
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": last.request_id,
            "functionArn": f"{fn.function_arn}:$LATEST",
            "condition": "RetriesExhausted" if last.function_error else "Success",
            "approximateInvokeCount": attempts,
        },
        "requestPayload": event,
        "responseContext": response,
        "responsePayload": json.loads(last.payload),
    }
