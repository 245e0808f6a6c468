"""What is tried again: AWS says it is busy, or that a limit is reached for now."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn

# Throttling is not a modelled exception of Personalize: it arrives under the service's general name.
PERSONALIZE_BUSY = [
    "Personalize.LimitExceededException",
    "Personalize.PersonalizeException",
    "Personalize.ThrottlingException",
]
IN_USE = "Personalize.ResourceInUseException"
LAMBDA_BUSY = ["Lambda.TooManyRequestsException"]
CHILD_BUSY = ["StepFunctions.ExecutionLimitExceededException", "StepFunctions.ThrottlingException"]
ANY_FAILURE = ["States.TaskFailed"]
LONGEST_SECONDS = 900


def retry(task: sfn.TaskStateBase, errors: list[str], *, seconds: int, attempts: int = 8) -> None:
    """Try a task again, each time after twice as long, at a random moment of it, at most 15 minutes."""
    task.add_retry(
        errors=errors,
        interval=cdk.Duration.seconds(seconds),
        backoff_rate=2,
        max_attempts=attempts,
        max_delay=cdk.Duration.seconds(max(LONGEST_SECONDS, seconds + 1)),
        jitter_strategy=sfn.JitterType.FULL,
    )


def retry_small_call(task: sfn.TaskStateBase, *, never: str | None = None) -> None:
    """Try a call that may safely be repeated (a record, a parameter, a message) again, whatever it failed of.

    `never` is the error that is an answer and no failure.
    """
    if never is not None:
        task.add_retry(errors=[never], max_attempts=0)
    retry(task, ANY_FAILURE, seconds=2, attempts=5)
