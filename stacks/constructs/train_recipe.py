"""The states that train one recipe: tune once, train, measure, record, and promote what serves better."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from config.training import Waiting
from stacks.constructs.campaign import Deploy, record_decision, unknown_pace
from stacks.constructs.lease import Lease
from stacks.constructs.personalize import NOT_FOUND, PersonalizeCall, at, personalize_arns
from stacks.constructs.retries import LAMBDA_BUSY, retry, retry_small_call
from stacks.constructs.train_version import TrainVersion

TUNED = "$.found.SolutionVersion.TunedHPOParams.AlgorithmHyperParameters"


class TrainRecipe(Construct):
    """`chain` expects {"plan": the recipe's plan, "baseline": popularity's metrics}."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        machine: str,
        find_version: lambda_.IFunction,
        plan_tuned: lambda_.IFunction,
        quality_gate: lambda_.IFunction,
        versions: dynamodb.ITable,
        topic: sns.ITopic,
        waiting: Waiting,
    ) -> None:
        super().__init__(scope, construct_id)
        self._name, self._versions, self._topic, self._waiting = name, versions, topic, waiting
        start = sfn.Choice(self, "Is there tuning to do?")
        key = at("$$.Execution.Input.plan.key")
        lease = Lease(
            self, "Lease", key=key, machines=(machine,), table=versions, waiting=waiting, then=start
        )
        self._release = lease.release

        def train(what: str, purpose: str, plan: str, result: str, then: sfn.IChainable) -> sfn.IChainable:
            return TrainVersion(
                self, what, what=what, purpose=purpose, plan=plan, result=result, then=then,
                name=name, find_version=find_version, versions=versions, waiting=waiting,
            ).start  # fmt: skip

        solution = train("the solution", "serve", "$.plan.solution", "$.trained", self._serve(quality_gate))
        tuned = self._keep_tuned(plan_tuned).next(solution)
        tuning = train("the tuning", "tune", "$.plan.tuningSolution", "$.tuning", tuned)
        start.when(sfn.Condition.boolean_equals("$.plan.tune", True), tuning).otherwise(solution)
        self.chain = lease.take

    def _keep_tuned(self, plan_tuned: lambda_.IFunction) -> sfn.Chain:
        """Store what the search found, and plan the solution made of it."""
        parameters = cdk.Stack.of(self).format_arn(
            service="ssm", resource="parameter", resource_name=f"{self._name}/tuned/*"
        )
        store = tasks.CallAwsService(
            self,
            "Store what the tuning found",
            service="ssm",
            action="putParameter",
            parameters={
                "Name": at("$.plan.tunedParameter"),
                "Value": sfn.JsonPath.json_to_string(sfn.JsonPath.object_at(TUNED)),
                "Type": "String",
                "Overwrite": True,
            },
            iam_resources=[parameters],
            result_path=sfn.JsonPath.DISCARD,
        )
        retry_small_call(store)
        plan = tasks.LambdaInvoke(
            self,
            "Plan the tuned solution",
            lambda_function=plan_tuned,
            payload=sfn.TaskInput.from_object(
                {"plan": sfn.JsonPath.object_at("$.plan"), "found": sfn.JsonPath.object_at(TUNED)}
            ),
            payload_response_only=True,
            result_path="$.plan",
        )
        retry(plan, LAMBDA_BUSY, seconds=2)
        # At once, and not by the retirement after the run: a dataset group may have ten solutions only.
        delete = PersonalizeCall(
            self,
            "Let the tuning's solution go",
            action="deleteSolution",
            parameters={"SolutionArn": at("$.plan.tuningSolution.arn")},
            resources=personalize_arns(self, self._name, "solution"),
            waiting=self._waiting,
            until_free=True,
            result_path=sfn.JsonPath.DISCARD,
        )
        # What stays is retired after the run.
        delete.add_catch(plan, errors=["States.ALL"], result_path="$.kept")
        return store.next(delete).next(plan)

    def _serve(self, quality_gate: lambda_.IFunction) -> sfn.IChainable:
        """Put the version behind its campaign, when the gate lets it."""
        deploy = Deploy(
            self,
            "Deploy",
            name=self._name,
            campaign="$.plan.campaign",
            version="$.trained.arn",
            waiting=self._waiting,
            then=self._result("Promoted", promoted=True),
        )
        gate = self._gate(quality_gate)
        look = PersonalizeCall(
            self,
            "Which version serves?",
            action="describeCampaign",
            parameters={"CampaignArn": at("$.plan.campaign.arn")},
            resources=personalize_arns(self, self._name, "campaign"),
            waiting=self._waiting,
            result_path="$.serving",
            assign=unknown_pace(self._waiting),
        )
        look.add_catch(gate, errors=[NOT_FOUND], result_path="$.serving")
        promote = self._record("Record the promotion", "promoted")
        promote.next(
            sfn.Choice(self, "Is there a campaign?")
            .when(sfn.Condition.is_present("$.serving.Campaign"), deploy.update)
            .otherwise(deploy.create)
        )
        held_back = self._record("Record that it was held back", "held back")
        held_back.next(self._tell_held_back()).next(self._result("Held back", promoted=False))
        gate.next(
            sfn.Choice(self, "Promote it?")
            .when(sfn.Condition.boolean_equals("$.gate.promote", True), promote)
            .otherwise(held_back)
        )
        serves = sfn.Condition.string_equals_json_path(
            "$.serving.Campaign.SolutionVersionArn", "$.trained.arn"
        )
        as_configured = sfn.Condition.number_equals_json_path(
            "$.serving.Campaign.MinProvisionedTPS", "$.plan.campaign.minProvisionedTPS"
        )
        look.next(
            sfn.Choice(self, "Does it serve already?")
            .when(sfn.Condition.and_(serves, as_configured), deploy.wait)
            .when(serves, deploy.update)
            .otherwise(gate)
        )
        baseline = self._result("A baseline, not served", promoted=False)
        return (
            sfn.Choice(self, "Is it to be served?")
            .when(sfn.Condition.is_null("$.plan.campaign"), baseline)
            .otherwise(look)
        )

    def _gate(self, quality_gate: lambda_.IFunction) -> tasks.LambdaInvoke:
        gate = tasks.LambdaInvoke(
            self,
            "Is the new version better?",
            lambda_function=quality_gate,
            payload=sfn.TaskInput.from_object(
                {
                    "key": at("$.plan.key"),
                    "metrics": sfn.JsonPath.object_at("$.measured.metrics"),
                    "record": sfn.JsonPath.object_at("$.recorded.Attributes"),
                    "serving": sfn.JsonPath.object_at("$.serving"),
                    "baseline": sfn.JsonPath.object_at("$.baseline"),
                }
            ),
            payload_response_only=True,
            result_path="$.gate",
            assign={"campaignPace": sfn.JsonPath.object_at("$.pace")},
        )
        retry(gate, LAMBDA_BUSY, seconds=2)
        return gate

    def _record(self, title: str, decision: str) -> tasks.DynamoUpdateItem:
        return record_decision(
            self,
            title,
            table=self._versions,
            key=at("$.plan.key"),
            version=at("$.trained.arn"),
            decision=decision,
            reason=at("$.gate.reason"),
        )

    def _tell_held_back(self) -> tasks.SnsPublish:
        tell = tasks.SnsPublish(
            self,
            "Tell that it was held back",
            topic=self._topic,
            subject="A new version was not promoted",
            message=sfn.TaskInput.from_object(
                {"recipe": at("$.plan.key"), "version": at("$.trained.arn"), "reason": at("$.gate.reason")}
            ),
            result_path=sfn.JsonPath.DISCARD,
        )
        retry_small_call(tell)
        return tell

    def _result(self, title: str, *, promoted: bool) -> sfn.Chain:
        """Name the outcome, and give the lease back."""
        result = sfn.Pass(
            self,
            title,
            parameters={
                "solutionVersionArn": at("$.trained.arn"),
                "metrics": sfn.JsonPath.object_at("$.measured.metrics"),
                "promoted": promoted,
            },
        )
        return result.next(self._release)
