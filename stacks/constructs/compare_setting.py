"""The states that train the other setting of recency_mask, ask both versions, and keep what differs."""

from __future__ import annotations

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from config.training import Waiting
from stacks.constructs.personalize import EnsureActive, at, personalize_arns
from stacks.constructs.retries import LAMBDA_BUSY, retry, retry_small_call
from stacks.constructs.train_version import TrainVersion

REPORT = "comparison/recency_mask"


class CompareSetting(Construct):
    """`chain` takes a recipe's `$.plan`, the version it trained, `$.versionArn`, and `$.manifestUri`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        plan_comparison: lambda_.IFunction,
        measure_comparison: lambda_.IFunction,
        find_version: lambda_.IFunction,
        versions: dynamodb.ITable,
        batch_role: iam.IRole,
        waiting: Waiting,
    ) -> None:
        super().__init__(scope, construct_id)
        self._name, self._versions, self._waiting = name, versions, waiting
        self._batch_role = batch_role
        planned = self._invoke("Plan the comparison and choose users", plan_comparison)
        ask = sfn.Parallel(self, "Ask both versions what they recommend", result_path=sfn.JsonPath.DISCARD)
        ask.branch(self._ask("configured", at("$.versionArn")))
        ask.branch(self._ask("turned", at("$.other.arn")))
        measure = self._invoke(
            "Measure how old what they recommend is",
            measure_comparison,
            {
                "configured": sfn.JsonPath.object_at("$.configured"),
                "turned": sfn.JsonPath.object_at("$.turned"),
                "itemsLocation": at("$.itemsLocation"),
                "versions": {"configured": at("$.versionArn"), "turned": at("$.other.arn")},
            },
            result_path="$.report",
        )
        train = TrainVersion(
            self,
            "the other setting",
            what="the other setting",
            name=name,
            plan="$.plan.other",
            result="$.other",
            purpose="compare",
            find_version=find_version,
            versions=versions,
            waiting=waiting,
            then=ask.next(measure).next(self._keep()),
        )
        self.chain = self._taken_over(planned).next(train.start)

    def _invoke(
        self,
        title: str,
        function: lambda_.IFunction,
        payload: dict[str, object] | None = None,
        result_path: str = "$.planned",
    ) -> tasks.LambdaInvoke:
        invoke = tasks.LambdaInvoke(
            self,
            title,
            lambda_function=function,
            payload=sfn.TaskInput.from_object(payload) if payload else None,
            payload_response_only=True,
            result_path=result_path,
        )
        retry(invoke, LAMBDA_BUSY, seconds=2)
        return invoke

    def _taken_over(self, planned: tasks.LambdaInvoke) -> sfn.Chain:
        """Lay what was planned over the input."""
        merged = sfn.Pass(
            self,
            "Go on with that plan",
            parameters={
                "all": sfn.JsonPath.json_merge(
                    sfn.JsonPath.object_at("$"), sfn.JsonPath.object_at("$.planned")
                )
            },
            output_path="$.all",
        )
        return planned.next(merged)

    def _ask(self, side: str, version_arn: str) -> EnsureActive:
        return EnsureActive(
            self,
            f"the batch that asks the {side} version",
            kind="batchInferenceJob",
            describe={"BatchInferenceJobArn": at(f"$.{side}.jobArn")},
            create={
                "JobName": at(f"$.{side}.jobName"),
                "SolutionVersionArn": version_arn,
                "JobInput": {"S3DataSource": {"Path": at("$.input")}},
                "JobOutput": {"S3DataDestination": {"Path": at(f"$.{side}.output")}},
                "RoleArn": self._batch_role.role_arn,
            },
            resources=personalize_arns(self, self._name, "batch-inference-job", "solution"),
            waiting=self._waiting,
            pass_role=self._batch_role.role_arn,
            # The training before it has variables of the usual names.
            variables=f"Of{side.capitalize()}",
        )

    def _keep(self) -> tasks.DynamoUpdateItem:
        text = tasks.DynamoAttributeValue.from_string
        keep = tasks.DynamoUpdateItem(
            self,
            "Keep the report",
            table=self._versions,
            key={"recipe_key": text(at("$.plan.key")), "solution_version_arn": text(REPORT)},
            update_expression="SET report = :report, data_version = :data_version, compared_at = :at",
            expression_attribute_values={
                ":report": text(sfn.JsonPath.json_to_string(sfn.JsonPath.object_at("$.report"))),
                ":data_version": text(at("$.plan.dataVersion")),
                ":at": text(at("$$.State.EnteredTime")),
            },
            result_path=sfn.JsonPath.DISCARD,
        )
        retry_small_call(keep)
        return keep
