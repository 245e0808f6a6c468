"""A state machine with its log, its tracing and its failure path."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

RETENTION = {
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    90: logs.RetentionDays.THREE_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
}


class LoggedStateMachine(sfn.StateMachine):
    """A standard state machine that logs every state and is traced."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        definition: sfn.IChainable,
        timeout_minutes: int,
        log_retention_days: int,
    ) -> None:
        log_group = logs.LogGroup(
            scope,
            f"{construct_id}Log",
            log_group_name=f"/aws/vendedlogs/states/{name}",
            retention=RETENTION[log_retention_days],
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        super().__init__(
            scope,
            construct_id,
            state_machine_name=name,
            definition_body=sfn.DefinitionBody.from_chainable(definition),
            timeout=cdk.Duration.minutes(timeout_minutes),
            logs=sfn.LogOptions(destination=log_group, level=sfn.LogLevel.ALL, include_execution_data=True),
            tracing_enabled=True,
        )


def with_failure_path(
    scope: Construct, body: sfn.IChainable, *, what: str, topic: sns.ITopic
) -> sfn.IChainable:
    """Run a body; when anything in it fails, tell the topic why, and fail with the same cause."""
    states = Construct(scope, f"{what} and its failure path")
    tell = tasks.SnsPublish(
        states,
        "Tell who is to know",
        topic=topic,
        subject=f"{what} failed",
        message=sfn.TaskInput.from_object(
            {
                "execution": sfn.JsonPath.string_at("$$.Execution.Id"),
                "error": sfn.JsonPath.string_at("$.failure.Error"),
                "cause": sfn.JsonPath.string_at("$.failure.Cause"),
            }
        ),
        result_path=sfn.JsonPath.DISCARD,
    )
    failed = sfn.Fail(
        states,
        f"{what} failed",
        error_path=sfn.JsonPath.string_at("$.failure.Error"),
        cause_path=sfn.JsonPath.string_at("$.failure.Cause"),
    )
    # A Parallel of one branch is how Amazon States Language catches errors of many states at once.
    whole = sfn.Parallel(states, what, output_path="$[0]")
    whole.branch(body)
    whole.add_catch(tell.next(failed), result_path="$.failure")
    return whole
