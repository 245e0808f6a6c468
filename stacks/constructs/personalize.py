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

from config.training import Waiting
from stacks.constructs.retries import IN_USE, PERSONALIZE_BUSY, retry

NOT_FOUND = "Personalize.ResourceNotFoundException"
EXISTS = "Personalize.ResourceAlreadyExistsException"


def at(path: str) -> str:
    """Return a reference to a string of the state's input."""
    return sfn.JsonPath.string_at(path)


def personalize_arns(scope: Construct, name: str, *kinds: str) -> list[str]:
    """Return the ARNs of all of a deployment's resources of some kinds: their names begin with its own."""
    stack = cdk.Stack.of(scope)
    return [
        stack.format_arn(service="personalize", resource=kind, resource_name=f"{name}*") for kind in kinds
    ]


class PersonalizeCall(tasks.CallAwsService):
    """One call of Personalize's API, tried again when Personalize is throttled or at a limit.

    With `until_free`, also while a resource is in use: being updated, or needed by one that is being deleted.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        action: str,
        parameters: Mapping[str, Any],
        resources: Sequence[str],
        waiting: Waiting,
        until_free: bool = False,
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
        attempts = waiting.attempts_when_busy
        retry(self, PERSONALIZE_BUSY, seconds=waiting.first_seconds, attempts=attempts)
        if until_free:
            retry(self, [IN_USE], seconds=waiting.first_seconds, attempts=12)


class EnsureActive(sfn.StateMachineFragment):
    """Look for a resource, create it if it is not there, and wait until it is ACTIVE; then `then`.

    `describe` and `create` are the API's parameters in PascalCase; `answer` is the member of its answer that
    has the status. Waits are short at first and then longer; with `pace`, the path of a pace that was learnt
    from earlier runs (`pace.pace` of the training's functions), the first lasts nearly as long as the work
    did then.
    `variables` ends the names of the variables, in a branch after states that have variables of these names.
    A campaign is ready when it `serves` the version at that path: it is ACTIVE while it is being updated too.
    Fails with PersonalizeResourceFailed, the resource's ARN and its own reason when it ends so.
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
        waiting: Waiting,
        answer: str | None = None,
        pass_role: str | None = None,
        pace: str | None = None,
        serves: str | None = None,
        variables: str = "",
        then: sfn.IChainable | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._arn = next(iter(describe.values()))
        self._serves = serves
        self._suffix = variables
        self._resources = list(resources)
        self._waiting = waiting
        self._name = construct_id
        self._pass_role = pass_role
        self._found = f"$.found.{answer or kind[:1].upper() + kind[1:]}"
        self._then = then or sfn.Pass(self, f"{construct_id} is ready")
        capital = kind[:1].upper() + kind[1:]
        # For a state elsewhere that begins the work: it assigns `pauses` and goes on with `wait`.
        self.pauses = pauses = self._pauses(pace)
        look = self._call(f"Look for {construct_id}", f"describe{capital}", describe, "$.found", pauses)
        again = self._call(f"See how {construct_id} is", f"describe{capital}", describe, "$.found")
        self.wait, check = self._check(again)
        look.next(check)
        if create is not None:
            made = self._call(f"Create {construct_id}", f"create{capital}", create, "$.created")
            made.add_catch(again, errors=[EXISTS], result_path="$.existed")
            made.next(self.wait)
            look.add_catch(made, errors=[NOT_FOUND], result_path="$.missing", assign=pauses)
            # For a state elsewhere that made room for it.
            self.create = made
        self._start = look

    @property
    def start_state(self) -> sfn.State:
        """The first state."""
        return self._start.start_state

    @property
    def end_states(self) -> list[sfn.INextable]:
        """Where the chain goes on."""
        return self._then.end_states

    def _pauses(self, pace: str | None) -> dict[str, Any]:
        """Return the variables of the waits: this one, the next, by what they grow, if they are learnt."""
        if pace is None:
            first = self._waiting.first_seconds
            values: dict[str, Any] = {
                "pause": first,
                "nextPause": 2 * first,
                "longer": first,
                "learnt": False,
            }
        else:
            values = {
                "pause": sfn.JsonPath.number_at(f"{pace}.firstSeconds"),
                "nextPause": sfn.JsonPath.number_at(f"{pace}.nextSeconds"),
                "longer": sfn.JsonPath.number_at(f"{pace}.longerSeconds"),
                "learnt": sfn.JsonPath.object_at(f"{pace}.learnt"),
            }
        return {self._variable(name): value for name, value in values.items()}

    def _variable(self, name: str) -> str:
        return name + self._suffix

    def _call(
        self,
        name: str,
        action: str,
        parameters: Mapping[str, Any],
        result_path: str,
        variables: dict[str, Any] | None = None,
    ) -> PersonalizeCall:
        creates = action.startswith("create")
        statements = (
            [pass_personalize_role(self._pass_role)] if self._pass_role is not None and creates else []
        )
        return PersonalizeCall(
            self,
            name,
            action=action,
            parameters=parameters,
            resources=self._resources,
            waiting=self._waiting,
            result_path=result_path,
            additional_iam_statements=statements,
            assign=variables,
        )

    def _check(self, again: PersonalizeCall) -> tuple[sfn.Wait, sfn.Choice]:
        """Return the wait before looking again, and the choice after having looked."""
        status, reason = f"{self._found}.Status", f"{self._found}.FailureReason"
        pause, following = self._variable("pause"), self._variable("nextPause")
        next_pause = sfn.JsonPath.number_at(f"${following}")
        longer = sfn.JsonPath.number_at(f"${self._variable('longer')}")
        wait = sfn.Wait(
            self,
            f"Wait for {self._name}",
            time=sfn.WaitTime.seconds_path(f"${pause}"),
            assign={pause: next_pause, following: sfn.JsonPath.math_add(next_pause, longer)},
        )
        longest = sfn.Wait(
            self,
            f"Wait the longest for {self._name}",
            time=sfn.WaitTime.duration(cdk.Duration.seconds(self._waiting.longest_seconds)),
        )
        wait.next(again)
        longest.next(again)
        is_failed = sfn.Condition.string_matches(status, "*FAILED")
        is_ready = sfn.Condition.string_equals(status, "ACTIVE")
        choice = sfn.Choice(self, f"Is {self._name} ready?")
        if self._serves is not None:
            is_ready = sfn.Condition.and_(is_ready, self._is_of(f"{self._found}.SolutionVersionArn"))
            choice.when(self._update_failed(), self._fail(" to be updated", f"{self._update}.FailureReason"))
        choice = (
            choice.when(is_ready, self._then)
            .when(sfn.Condition.and_(is_failed, sfn.Condition.is_present(reason)), self._fail("", reason))
            .when(
                sfn.Condition.or_(is_failed, sfn.Condition.string_matches(status, "*STOPPED")),
                self._fail(" without a reason", status),
            )
            .when(self._is_too_long(), longest)
            .otherwise(wait)
        )
        again.next(choice)
        return wait, choice

    def _is_too_long(self) -> sfn.Condition:
        """A wait that was learnt may be as long as the work was."""
        return sfn.Condition.and_(
            sfn.Condition.boolean_equals(f"${self._variable('learnt')}", False),
            sfn.Condition.number_greater_than(f"${self._variable('pause')}", self._waiting.longest_seconds),
        )

    @property
    def _update(self) -> str:
        return f"{self._found}.LatestCampaignUpdate"

    def _is_of(self, version: str) -> sfn.Condition:
        return sfn.Condition.string_equals_json_path(version, str(self._serves))

    def _update_failed(self) -> sfn.Condition:
        return sfn.Condition.and_(
            sfn.Condition.is_present(f"{self._update}.FailureReason"),
            self._is_of(f"{self._update}.SolutionVersionArn"),
            sfn.Condition.string_matches(f"{self._update}.Status", "*FAILED"),
        )

    def _fail(self, how: str, cause: str) -> sfn.Fail:
        return sfn.Fail(
            self,
            f"{self._name} failed{how}",
            error="PersonalizeResourceFailed",
            cause_path=sfn.JsonPath.format("{} {}: {}", self._name, self._arn, at(cause)),
        )


def pass_personalize_role(role_arn: str) -> iam.PolicyStatement:
    """Return the permission to hand a role to Personalize and to nobody else."""
    return iam.PolicyStatement(
        actions=["iam:PassRole"],
        resources=[role_arn],
        conditions={"StringEquals": {"iam:PassedToService": "personalize.amazonaws.com"}},
    )
