"""A state machine that a training runs beside its work: what fails in it is told of and ends no training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from stacks.constructs.retries import CHILD_BUSY, retry


def side_run(
    scope: Construct,
    title: str,
    machine: sfn.IStateMachine,
    execution_input: Mapping[str, Any],
    *,
    unless: tuple[str, sfn.Condition] | None = None,
) -> sfn.Chain:
    """Return the states that run a machine to its end and leave the input as it was.

    `unless` is a question, and the condition on which the machine is not run.
    """
    start = tasks.StepFunctionsStartExecution(
        scope,
        title,
        state_machine=machine,
        integration_pattern=sfn.IntegrationPattern.RUN_JOB,
        input=sfn.TaskInput.from_object(dict(execution_input)),
        associate_with_parent=True,
        result_path=sfn.JsonPath.DISCARD,
    )
    retry(start, CHILD_BUSY, seconds=10)
    after = sfn.Pass(scope, f"{title}: done or told of")
    # The machine has a failure path of its own.
    start.add_catch(after, errors=["States.ALL"], result_path="$.told")
    start.next(after)
    if unless is None:
        return sfn.Chain.custom(start, [after], after)
    question, condition = unless
    choice = sfn.Choice(scope, question).when(condition, after).otherwise(start)
    return sfn.Chain.custom(choice, [after], after)
