"""The states that put a solution version behind its campaign."""

from __future__ import annotations

from typing import Any

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from config.training import Waiting
from stacks.constructs.personalize import EnsureActive, PersonalizeCall, at, personalize_arns
from stacks.constructs.retries import retry_small_call


class Deploy(Construct):
    """`create` or `update` the campaign and wait until it serves the version at `version`; then `then`.

    Expects the campaign's name, ARN, minimum TPS and configuration at `campaign`, and the pace of waiting in
    the variable `campaignPace`. `wait` is where to go on when the campaign serves the version already, or
    soon will.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        campaign: str,
        version: str,
        waiting: Waiting,
        then: sfn.IChainable,
        creates: bool = True,
    ) -> None:
        super().__init__(scope, construct_id)
        self.wait = EnsureActive(
            self,
            "the campaign",
            kind="campaign",
            describe={"CampaignArn": at(f"{campaign}.arn")},
            create=None,
            resources=personalize_arns(self, name, "campaign"),
            waiting=waiting,
            serves=version,
            pace="$campaignPace",
            then=then,
        )
        settings = {
            "SolutionVersionArn": at(version),
            "MinProvisionedTPS": sfn.JsonPath.number_at(f"{campaign}.minProvisionedTPS"),
            "CampaignConfig": sfn.JsonPath.object_at(f"{campaign}.config"),
        }
        self._name, self._waiting = name, waiting
        if creates:
            self.create = self._call(
                "Create the campaign", "createCampaign", {"Name": at(f"{campaign}.name"), **settings}
            )
        self.update = self._call(
            "Update the campaign", "updateCampaign", {"CampaignArn": at(f"{campaign}.arn"), **settings}
        )

    def _call(self, title: str, action: str, parameters: dict[str, Any]) -> PersonalizeCall:
        call = PersonalizeCall(
            self,
            title,
            action=action,
            parameters=parameters,
            resources=personalize_arns(self, self._name, "campaign", "solution"),
            waiting=self._waiting,
            # An execution that was killed may have left an update under way.
            until_free=True,
            result_path=sfn.JsonPath.DISCARD,
        )
        call.next(self.wait)
        return call


def unknown_pace(waiting: Waiting) -> dict[str, Any]:
    """Return the variable that lets a campaign be waited for as if it had never been updated."""
    first = waiting.first_seconds
    steps = {"firstSeconds": first, "nextSeconds": 2 * first, "longerSeconds": first, "learnt": False}
    return {"campaignPace": steps}


def record_decision(
    scope: Construct,
    title: str,
    *,
    table: dynamodb.ITable,
    key: str,
    version: str,
    decision: str,
    reason: str,
) -> tasks.DynamoUpdateItem:
    """Return the state that records of a version what was decided about it, when, and why."""
    text = tasks.DynamoAttributeValue.from_string
    record = tasks.DynamoUpdateItem(
        scope,
        title,
        table=table,
        key={"recipe_key": text(key), "solution_version_arn": text(version)},
        update_expression="SET decision = :decision, reason = :reason, decided_at = :decided_at",
        expression_attribute_values={
            ":decision": text(decision),
            ":reason": text(reason),
            ":decided_at": text(at("$$.State.EnteredTime")),
        },
        result_path=sfn.JsonPath.DISCARD,
    )
    retry_small_call(record)
    return record
