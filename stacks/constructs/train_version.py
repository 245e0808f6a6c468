"""The states that train one version of a solution, measure it and keep what was measured."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from config.training import Waiting
from stacks.constructs.personalize import EnsureActive, PersonalizeCall, at, personalize_arns
from stacks.constructs.retries import LAMBDA_BUSY, retry, retry_small_call

METRICS = (
    "coverage",
    "mean_reciprocal_rank_at_25",
    *(f"normalized_discounted_cumulative_gain_at_{k}" for k in (5, 10, 25)),
    *(f"precision_at_{k}" for k in (5, 10, 25)),
)


class TrainVersion(Construct):
    """From `start` on: a solution and this data's version of it, trained, measured and recorded; then `then`.

    Expects the recipe's plan at `$.plan` and the solution's at `plan`. Leaves the version's ARN at `result`,
    Personalize's description of it at `$.found.SolutionVersion`, its metrics at `$.measured.metrics` and its
    record at `$.recorded`. No training of a solution is begun while another one of it is under way, whoever
    began that. `purpose` is `serve`, `tune` or `compare`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        what: str,
        name: str,
        plan: str,
        result: str,
        purpose: str,
        find_version: lambda_.IFunction,
        versions: dynamodb.ITable,
        waiting: Waiting,
        then: sfn.IChainable,
    ) -> None:
        super().__init__(scope, construct_id)
        self._what, self._name, self._plan, self._result = what, name, plan, result
        self._purpose, self._versions, self._waiting = purpose, versions, waiting
        self._arns = personalize_arns(self, name, "solution")
        version = EnsureActive(
            self,
            f"the version of {what}",
            kind="solutionVersion",
            describe={"SolutionVersionArn": at(f"{result}.arn")},
            create=None,
            resources=self._arns,
            waiting=waiting,
            pace="$pace",
            then=self._measure(then),
        )
        find = self._find(find_version)
        create = self._create(version.pauses)
        create.next(version.wait)
        busy = sfn.Wait(
            self,
            f"Wait for the training of {what} that is under way",
            time=sfn.WaitTime.duration(cdk.Duration.seconds(waiting.longest_seconds)),
        )
        busy.next(find)
        find.next(
            sfn.Choice(self, f"Is {what} trained on this data?")
            .when(sfn.Condition.not_(sfn.Condition.string_equals(f"{result}.arn", "")), version)
            .when(sfn.Condition.not_(sfn.Condition.string_equals(f"{result}.underWay", "")), busy)
            .otherwise(create)
        )
        self.start = self._solution(find)

    def _solution(self, then: sfn.IChainable) -> EnsureActive:
        return EnsureActive(
            self,
            self._what,
            kind="solution",
            describe={"SolutionArn": at(f"{self._plan}.arn")},
            create={
                "Name": at(f"{self._plan}.name"),
                "RecipeArn": at("$.plan.recipeArn"),
                "DatasetGroupArn": at("$.plan.datasetGroupArn"),
                "PerformHPO": self._purpose == "tune",
                # Solutions train automatically unless told not to, and bill for it.
                "PerformAutoTraining": False,
                "SolutionConfig": sfn.JsonPath.object_at(f"{self._plan}.config"),
            },
            resources=personalize_arns(self, self._name, "solution", "dataset-group"),
            waiting=self._waiting,
            then=then,
        )

    def _find(self, find_version: lambda_.IFunction) -> tasks.LambdaInvoke:
        find = tasks.LambdaInvoke(
            self,
            f"Look for this data's version of {self._what}",
            lambda_function=find_version,
            payload=sfn.TaskInput.from_object(
                {
                    "key": at("$.plan.key"),
                    "solutionArn": at(f"{self._plan}.arn"),
                    "versionName": at("$.plan.versionName"),
                    "trainingMode": "FULL" if self._purpose != "serve" else at("$.plan.trainingMode"),
                }
            ),
            payload_response_only=True,
            result_path=self._result,
            assign={"pace": sfn.JsonPath.object_at("$.pace")},
        )
        retry(find, LAMBDA_BUSY, seconds=2)
        return find

    def _create(self, pauses: dict[str, Any]) -> PersonalizeCall:
        return PersonalizeCall(
            self,
            f"Train a version of {self._what}",
            action="createSolutionVersion",
            parameters={
                "Name": at(f"{self._result}.versionName"),
                "SolutionArn": at(f"{self._plan}.arn"),
                "TrainingMode": at(f"{self._result}.trainingMode"),
            },
            resources=self._arns,
            waiting=self._waiting,
            result_selector={"arn.$": "$.SolutionVersionArn"},
            result_path=self._result,
            assign=pauses,
        )

    def _measure(self, then: sfn.IChainable) -> sfn.IChainable:
        """Read a version's metrics, keep them, and publish them."""
        metrics = PersonalizeCall(
            self,
            f"Read the metrics of {self._what}",
            action="getSolutionMetrics",
            parameters={"SolutionVersionArn": at(f"{self._result}.arn")},
            resources=self._arns,
            waiting=self._waiting,
            result_selector={"metrics.$": "$.Metrics"},
            result_path="$.measured",
        )
        publish = self._publish()
        # Metrics on a dashboard are no reason to stop a training.
        publish.add_catch(then, errors=["States.ALL"], result_path="$.unpublished")
        publish.next(then)
        return metrics.next(self._record()).next(publish)

    def _record(self) -> tasks.DynamoUpdateItem:
        text = tasks.DynamoAttributeValue.from_string
        found = "$.found.SolutionVersion"

        def as_json(path: str) -> tasks.DynamoAttributeValue:
            return text(sfn.JsonPath.json_to_string(sfn.JsonPath.object_at(path)))

        values = {
            "data_version": text(at("$.plan.dataVersion")),
            "purpose": text(self._purpose),
            "training_mode": text(at(f"{found}.TrainingMode")),
            "created_at": text(at(f"{found}.CreationDateTime")),
            "trained_at": text(at(f"{found}.LastUpdatedDateTime")),
            "metrics": as_json("$.measured.metrics"),
            "config": as_json(f"{found}.SolutionConfig"),
        }
        if self._purpose == "tune":
            values["tuned"] = as_json(f"{found}.TunedHPOParams.AlgorithmHyperParameters")
        record = tasks.DynamoUpdateItem(
            self,
            f"Record the version of {self._what}",
            table=self._versions,
            key={
                "recipe_key": text(at("$.plan.key")),
                "solution_version_arn": text(at(f"{self._result}.arn")),
            },
            update_expression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
            expression_attribute_names={f"#{name}": name for name in values},
            expression_attribute_values={f":{name}": value for name, value in values.items()},
            return_values=tasks.DynamoReturnValues.ALL_NEW,
            result_path="$.recorded",
        )
        retry_small_call(record)
        return record

    def _publish(self) -> tasks.CallAwsService:
        dimensions = [
            {"Name": "Recipe", "Value": at("$.plan.key")},
            {"Name": "Purpose", "Value": self._purpose},
        ]
        data: list[dict[str, Any]] = [
            {
                "MetricName": metric,
                "Dimensions": dimensions,
                "Value": sfn.JsonPath.number_at(f"$.measured.metrics.{metric}"),
            }
            for metric in METRICS
        ]
        publish = tasks.CallAwsService(
            self,
            f"Publish the metrics of {self._what}",
            service="cloudwatch",
            action="putMetricData",
            parameters={"Namespace": f"{self._name}/training", "MetricData": data},
            iam_resources=["*"],
            result_path=sfn.JsonPath.DISCARD,
        )
        retry_small_call(publish)
        return publish
