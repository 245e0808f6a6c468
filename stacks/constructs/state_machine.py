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


# What tells the kinds of causes apart that services write as JSON, and where the reason is in each.
CAUSES = {
    "execution": ('*"ExecutionArn"*"StateMachineArn"*', "Error", "Cause"),
    "function": ('*"errorMessage"*', "errorType", "errorMessage"),
    "Glue job": ('*"JobRunState"*', "JobRunState", "ErrorMessage"),
}


def with_failure_path(
    scope: Construct, body: sfn.IChainable, *, what: str, topic: sns.ITopic
) -> sfn.IChainable:
    """Run a body; when anything in it fails, tell the topic which resource and why, and fail so."""
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
    # Who cannot be told must still not hide what failed.
    tell.add_catch(failed, errors=["States.ALL"], result_path="$.untold")
    tell.next(failed)
    # A Parallel of one branch is how Amazon States Language catches errors of many states at once.
    whole = sfn.Parallel(states, what, output_path="$[0]")
    whole.branch(body)
    whole.add_catch(_unwrapped(states, tell), result_path="$.failure")
    return whole


def _unwrapped(states: Construct, then: sfn.State) -> sfn.Choice:
    """Take the reason out of the JSON in which a part of the run, a function or a job reports its failure."""
    kind = sfn.Choice(states, "What failed?")
    for part, (pattern, error, cause) in CAUSES.items():
        read = sfn.Pass(
            states,
            f"Read the report of the {part}",
            parameters={
                "report": sfn.JsonPath.string_to_json(sfn.JsonPath.string_at("$.failure.Cause")),
                "failure": sfn.JsonPath.object_at("$.failure"),
            },
        )
        take = sfn.Pass(
            states,
            f"Take the reason from the {part}",
            parameters={
                "Error": sfn.JsonPath.string_at(f"$.report.{error}"),
                "Cause": _told(part, sfn.JsonPath.string_at(f"$.report.{cause}")),
            },
            result_path="$.failure",
        )
        has_reason = sfn.Condition.and_(
            sfn.Condition.is_present(f"$.report.{error}"), sfn.Condition.is_present(f"$.report.{cause}")
        )
        take.next(then)
        read.next(sfn.Choice(states, f"Does the {part} say why?").when(has_reason, take).otherwise(then))
        kind.when(sfn.Condition.string_matches("$.failure.Cause", pattern), read)
    return kind.otherwise(then)


def _told(part: str, cause: str) -> str:
    """Name the execution, whose name says what it was for, before its cause."""
    if part != "execution":
        return cause
    return sfn.JsonPath.format("{}: {}", sfn.JsonPath.string_at("$.report.ExecutionArn"), cause)
