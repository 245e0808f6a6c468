"""State machine fragments for Personalize, on direct AWS SDK integrations.

Each looks before it creates and polls by Describe, so that running again, after whatever failure, continues
where the last run stopped and creates nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

NOT_FOUND = "Personalize.ResourceNotFoundException"
EXISTS = "Personalize.ResourceAlreadyExistsException"
# Throttling is not a modelled exception of Personalize: it arrives under the service's general name.
THROTTLED = ["Personalize.LimitExceededException", "Personalize.PersonalizeException"]
RETRIES = 8


class PersonalizeCall(tasks.CallAwsService):
    """One call of Personalize's API, retried when Personalize is throttled or at a limit."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        action: str,
        parameters: Mapping[str, Any],
        resources: Sequence[str],
        retry_seconds: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            service="personalize",
            action=action,
            parameters=parameters,
            iam_action=f"personalize:{action[:1].upper()}{action[1:]}",
            iam_resources=list(resources),
            **kwargs,
        )
        self.add_retry(
            errors=THROTTLED,
            interval=cdk.Duration.seconds(retry_seconds),
            backoff_rate=2,
            max_attempts=RETRIES,
            jitter_strategy=sfn.JitterType.FULL,
        )


class EnsureActive(sfn.StateMachineFragment):
    """Look for a resource, create it if it is not there, and wait until it is ACTIVE.

    `describe` and `create` are the API's parameters in PascalCase; `answer` is the member of its answer
    that has the status. Fails with PersonalizeResourceFailed and the resource's own reason when it ends so.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        kind: str,
        describe: Mapping[str, Any],
        create: Mapping[str, Any] | None,
        resources: Sequence[str],
        poll_seconds: int,
        answer: str | None = None,
        pass_role: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._kind = kind
        self._resources = list(resources)
        self._poll_seconds = poll_seconds
        self._answer = answer or kind[:1].upper() + kind[1:]
        self._name = construct_id
        look = self._call(
            f"Look for {construct_id}", f"describe{kind[:1].upper()}{kind[1:]}", describe, "$.found"
        )
        self._done = sfn.Pass(self, f"{construct_id} is ready")
        check = self._check(look)
        look.next(check)
        if create is not None:
            made = self._call(
                f"Create {construct_id}",
                f"create{kind[:1].upper()}{kind[1:]}",
                create,
                "$.created",
                pass_role,
            )
            made.add_catch(look, errors=[EXISTS], result_path="$.existed")
            made.next(look)
            look.add_catch(made, errors=[NOT_FOUND], result_path="$.missing")
        self._start = look

    @property
    def start_state(self) -> sfn.State:
        """The first state."""
        return self._start.start_state

    @property
    def end_states(self) -> list[sfn.INextable]:
        """Where the chain goes on."""
        return self._done.end_states

    def _call(
        self,
        name: str,
        action: str,
        parameters: Mapping[str, Any],
        result_path: str,
        pass_role: str | None = None,
    ) -> PersonalizeCall:
        statements = []
        if pass_role is not None:
            statements.append(pass_personalize_role(pass_role))
        return PersonalizeCall(
            self,
            name,
            action=action,
            parameters=parameters,
            resources=self._resources,
            retry_seconds=self._poll_seconds,
            result_path=result_path,
            additional_iam_statements=statements,
        )

    def _check(self, look: sfn.State) -> sfn.Choice:
        status = f"$.found.{self._answer}.Status"
        reason = f"$.found.{self._answer}.FailureReason"
        short = sfn.Wait(
            self,
            f"Wait briefly for {self._name}",
            time=sfn.WaitTime.duration(cdk.Duration.seconds(max(1, self._poll_seconds // 4))),
        )
        wait = sfn.Wait(
            self,
            f"Wait for {self._name}",
            time=sfn.WaitTime.duration(cdk.Duration.seconds(self._poll_seconds)),
        )
        failed = sfn.Fail(
            self,
            f"{self._name} failed",
            error="PersonalizeResourceFailed",
            cause_path=sfn.JsonPath.format("{}: {}", f"{self._name}", sfn.JsonPath.string_at(reason)),
        )
        failed_without_reason = sfn.Fail(
            self,
            f"{self._name} failed without a reason",
            error="PersonalizeResourceFailed",
            cause_path=sfn.JsonPath.format("{}: {}", f"{self._name}", sfn.JsonPath.string_at(status)),
        )
        is_failed = sfn.Condition.string_matches(status, "*FAILED")
        return (
            sfn.Choice(self, f"Is {self._name} ready?")
            .when(sfn.Condition.string_equals(status, "ACTIVE"), self._done)
            .when(sfn.Condition.and_(is_failed, sfn.Condition.is_present(reason)), failed)
            .when(is_failed, failed_without_reason)
            .when(sfn.Condition.string_matches(status, "*PENDING"), short.next(look))
            .otherwise(wait.next(look))
        )


def pass_personalize_role(role_arn: str) -> iam.PolicyStatement:
    """Return the permission to hand a role to Personalize and to nobody else."""
    return iam.PolicyStatement(
        actions=["iam:PassRole"],
        resources=[role_arn],
        conditions={"StringEquals": {"iam:PassedToService": "personalize.amazonaws.com"}},
    )
