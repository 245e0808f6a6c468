"""The states that train one recipe: tune once, train, measure, record, and promote what serves better."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from stacks.constructs.personalize import NOT_FOUND, EnsureActive, PersonalizeCall


def at(path: str) -> str:
    """Return a reference to a string of the state's input."""
    return sfn.JsonPath.string_at(path)


class TrainRecipe(Construct):
    """`chain` expects {"plan": the recipe's plan, "baseline": popularity's metrics}."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        find_version: lambda_.IFunction,
        plan_tuned: lambda_.IFunction,
        quality_gate: lambda_.IFunction,
        versions: dynamodb.ITable,
        topic: sns.ITopic,
        poll_seconds: int,
    ) -> None:
        super().__init__(scope, construct_id)
        self._name = name
        self._find_version = find_version
        self._versions = versions
        self._topic = topic
        self._poll_seconds = poll_seconds

        train = self._solution("the solution", "$.plan.solution", "$.trained", tunes=False)
        train[-1].next(self._measure("the solution", "$.trained").next(self._serve(quality_gate)))
        tune = self._tuning(plan_tuned)
        tune.next(train[0])
        self.chain = (
            sfn.Choice(self, "Is there tuning to do?")
            .when(sfn.Condition.boolean_equals("$.plan.tune", True), tune)
            .otherwise(train[0])
        )

    def _arns(self, *kinds: str) -> list[str]:
        stack = cdk.Stack.of(self)
        return [
            stack.format_arn(service="personalize", resource=kind, resource_name=f"{self._name}*")
            for kind in kinds
        ]

    def _solution(self, what: str, plan: str, result: str, *, tunes: bool) -> tuple[Any, Any]:
        """Ensure a solution and this data's version of it; return the first and the last state."""
        solution = EnsureActive(
            self,
            what,
            kind="solution",
            describe={"SolutionArn": at(f"{plan}.arn")},
            create={
                "Name": at(f"{plan}.name"),
                "RecipeArn": at("$.plan.recipeArn"),
                "DatasetGroupArn": at("$.plan.datasetGroupArn"),
                "PerformHPO": tunes,
                # Solutions train automatically unless told not to, and bill for it.
                "PerformAutoTraining": False,
                "SolutionConfig": sfn.JsonPath.object_at(f"{plan}.config"),
            },
            resources=self._arns("solution", "dataset-group"),
            poll_seconds=self._poll_seconds,
        )
        find = tasks.LambdaInvoke(
            self,
            f"Look for this data's version of {what}",
            lambda_function=self._find_version,
            payload=sfn.TaskInput.from_object(
                {"solutionArn": at(f"{plan}.arn"), "versionName": at("$.plan.versionName")}
            ),
            payload_response_only=True,
            result_path=result,
        )
        create = PersonalizeCall(
            self,
            f"Train a version of {what}",
            action="createSolutionVersion",
            parameters={
                "Name": at("$.plan.versionName"),
                "SolutionArn": at(f"{plan}.arn"),
                "TrainingMode": "FULL",
            },
            resources=self._arns("solution"),
            retry_seconds=self._poll_seconds,
            result_selector={"arn.$": "$.SolutionVersionArn"},
            result_path=result,
        )
        version = EnsureActive(
            self,
            f"the version of {what}",
            kind="solutionVersion",
            describe={"SolutionVersionArn": at(f"{result}.arn")},
            create=None,
            resources=self._arns("solution"),
            poll_seconds=self._poll_seconds,
        )
        choice = sfn.Choice(self, f"Is {what} trained on this data?")
        choice.when(sfn.Condition.string_equals(f"{result}.arn", ""), create.next(version)).otherwise(version)
        solution.next(find.next(choice))
        return solution, version

    def _measure(self, what: str, result: str) -> sfn.Chain:
        """Read a version's metrics and keep them."""
        metrics = PersonalizeCall(
            self,
            f"Read the metrics of {what}",
            action="getSolutionMetrics",
            parameters={"SolutionVersionArn": at(f"{result}.arn")},
            resources=self._arns("solution"),
            retry_seconds=self._poll_seconds,
            result_selector={"metrics.$": "$.Metrics"},
            result_path="$.measured",
        )
        as_text = tasks.DynamoAttributeValue.from_string
        found = "$.found.SolutionVersion"
        record = tasks.DynamoPutItem(
            self,
            f"Record the version of {what}",
            table=self._versions,
            item={
                "recipe_key": as_text(at("$.plan.key")),
                "solution_version_arn": as_text(at(f"{result}.arn")),
                "data_version": as_text(at("$.plan.dataVersion")),
                "created_at": as_text(at(f"{found}.CreationDateTime")),
                "metrics": as_text(sfn.JsonPath.json_to_string(sfn.JsonPath.object_at("$.measured.metrics"))),
                "config": as_text(
                    sfn.JsonPath.json_to_string(sfn.JsonPath.object_at(f"{found}.SolutionConfig"))
                ),
            },
            result_path=sfn.JsonPath.DISCARD,
        )
        return metrics.next(record)

    def _tuning(self, plan_tuned: lambda_.IFunction) -> sfn.Chain:
        """Search hyperparameters once, store what was found, and plan the solution made of it."""
        first, last = self._solution("the tuning", "$.plan.tuningSolution", "$.tuning", tunes=True)
        found = "$.found.SolutionVersion.TunedHPOParams.AlgorithmHyperParameters"
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
                "Value": sfn.JsonPath.json_to_string(sfn.JsonPath.object_at(found)),
                "Type": "String",
                "Overwrite": True,
            },
            iam_resources=[parameters],
            result_path=sfn.JsonPath.DISCARD,
        )
        plan = tasks.LambdaInvoke(
            self,
            "Plan the tuned solution",
            lambda_function=plan_tuned,
            payload=sfn.TaskInput.from_object(
                {"plan": sfn.JsonPath.object_at("$.plan"), "found": sfn.JsonPath.object_at(found)}
            ),
            payload_response_only=True,
            result_path="$.plan",
        )
        last.next(self._measure("the tuning", "$.tuning").next(store).next(plan))
        return sfn.Chain.custom(first.start_state, plan.end_states, plan)

    def _serve(self, quality_gate: lambda_.IFunction) -> sfn.IChainable:
        """Put the version behind its campaign, when the gate lets it."""
        promoted = self._result("Promoted", promoted=True)
        ready = EnsureActive(
            self,
            "the campaign",
            kind="campaign",
            describe={"CampaignArn": at("$.plan.campaign.arn")},
            create=None,
            resources=self._arns("campaign"),
            poll_seconds=self._poll_seconds,
        )
        ready.next(promoted)
        look = self._campaign_call(
            "Which version serves?",
            "describeCampaign",
            {"CampaignArn": at("$.plan.campaign.arn")},
            "$.serving",
        )
        look.add_catch(self._create_campaign().next(ready), errors=[NOT_FOUND], result_path="$.missing")
        gate = tasks.LambdaInvoke(
            self,
            "Is the new version better?",
            lambda_function=quality_gate,
            payload=sfn.TaskInput.from_object(
                {
                    "key": at("$.plan.key"),
                    "metrics": sfn.JsonPath.object_at("$.measured.metrics"),
                    "servingVersionArn": at("$.serving.Campaign.SolutionVersionArn"),
                    "baseline": sfn.JsonPath.object_at("$.baseline"),
                }
            ),
            payload_response_only=True,
            result_path="$.gate",
        )
        decision = (
            sfn.Choice(self, "Promote it?")
            .when(sfn.Condition.boolean_equals("$.gate.promote", True), self._update_campaign().next(ready))
            .otherwise(self._tell_held_back().next(self._result("Held back", promoted=False)))
        )
        same = sfn.Condition.string_equals_json_path("$.serving.Campaign.SolutionVersionArn", "$.trained.arn")
        look.next(sfn.Choice(self, "Does it serve already?").when(same, ready).otherwise(gate.next(decision)))
        return (
            sfn.Choice(self, "Is it to be served?")
            .when(
                sfn.Condition.is_null("$.plan.campaign"),
                self._result("A baseline, not served", promoted=False),
            )
            .otherwise(look)
        )

    def _campaign_call(
        self, title: str, action: str, parameters: dict[str, Any], result_path: str | None
    ) -> PersonalizeCall:
        return PersonalizeCall(
            self,
            title,
            action=action,
            parameters=parameters,
            resources=self._arns("campaign", "solution"),
            retry_seconds=self._poll_seconds,
            result_path=result_path or sfn.JsonPath.DISCARD,
        )

    def _create_campaign(self) -> PersonalizeCall:
        return self._campaign_call(
            "Create the campaign",
            "createCampaign",
            {"Name": at("$.plan.campaign.name"), **self._campaign_settings()},
            None,
        )

    def _update_campaign(self) -> PersonalizeCall:
        return self._campaign_call(
            "Update the campaign",
            "updateCampaign",
            {"CampaignArn": at("$.plan.campaign.arn"), **self._campaign_settings()},
            None,
        )

    def _campaign_settings(self) -> dict[str, Any]:
        return {
            "SolutionVersionArn": at("$.trained.arn"),
            "MinProvisionedTPS": sfn.JsonPath.number_at("$.plan.campaign.minProvisionedTPS"),
            "CampaignConfig": sfn.JsonPath.object_at("$.plan.campaign.config"),
        }

    def _tell_held_back(self) -> tasks.SnsPublish:
        return tasks.SnsPublish(
            self,
            "Tell that it was held back",
            topic=self._topic,
            subject="A new version was not promoted",
            message=sfn.TaskInput.from_object(
                {"recipe": at("$.plan.key"), "version": at("$.trained.arn"), "reason": at("$.gate.reason")}
            ),
            result_path=sfn.JsonPath.DISCARD,
        )

    def _result(self, title: str, *, promoted: bool) -> sfn.Pass:
        return sfn.Pass(
            self,
            title,
            parameters={
                "solutionVersionArn": at("$.trained.arn"),
                "metrics": sfn.JsonPath.object_at("$.measured.metrics"),
                "promoted": promoted,
            },
        )
