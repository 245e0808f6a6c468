"""The states that bring a campaign back to an earlier version, and record it for the gate and the report."""

from __future__ import annotations

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from config.training import Waiting
from stacks.constructs.campaign import Deploy, record_decision, unknown_pace
from stacks.constructs.personalize import at
from stacks.constructs.retries import LAMBDA_BUSY, retry


class RollBack(Construct):
    """`chain` expects {"recipe": key, "to"?: the ARN or the name of a version}."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        find_rollback: lambda_.IFunction,
        versions: dynamodb.ITable,
        waiting: Waiting,
    ) -> None:
        super().__init__(scope, construct_id)
        find = tasks.LambdaInvoke(
            self,
            "Find the version to go back to",
            lambda_function=find_rollback,
            payload_response_only=True,
            assign=unknown_pace(waiting),
        )
        retry(find, LAMBDA_BUSY, seconds=2)
        result = sfn.Pass(
            self,
            "Rolled back",
            parameters={
                "recipe": at("$.recipe"),
                "solutionVersionArn": at("$.versionArn"),
                "replaced": at("$.replacedArn"),
            },
        )
        record = record_decision(
            self,
            "Record that it serves again",
            table=versions,
            key=at("$.recipe"),
            version=at("$.versionArn"),
            decision="promoted",
            reason=sfn.JsonPath.format("rolled back to from {}", at("$.replacedArn")),
        )
        deploy = Deploy(
            self,
            "Deploy",
            name=name,
            campaign="$.campaign",
            version="$.versionArn",
            waiting=waiting,
            creates=False,
            then=record.next(result),
        )
        # Recorded before the campaign changes: the gate must never promote it again meanwhile.
        mark = record_decision(
            self,
            "Record what is rolled back",
            table=versions,
            key=at("$.recipe"),
            version=at("$.replacedArn"),
            decision="rolled back",
            reason=sfn.JsonPath.format("rolled back from, to {}", at("$.versionArn")),
        )
        serves = sfn.Condition.string_equals_json_path("$.versionArn", "$.replacedArn")
        find.next(sfn.Choice(self, "Does it serve already?").when(serves, deploy.wait).otherwise(mark))
        mark.next(deploy.update)
        self.chain = find
