"""Training: datasets into Personalize, the recipes side by side, each promoted only when it serves better."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from config import ProjectConfig
from stacks.constructs.grants import let_read, let_read_asset, let_use_key
from stacks.constructs.personalize_role import PersonalizeRole
from stacks.constructs.python_function import PythonFunction, shared_layer
from stacks.constructs.schedule import Schedule
from stacks.constructs.state_machine import LoggedStateMachine, with_failure_path
from stacks.constructs.train_datasets import DatasetStates
from stacks.constructs.train_recipe import TrainRecipe
from stacks.storage import StorageStack

BASELINE = "popularity"


class TrainingStack(cdk.Stack):
    """The state machines train, train-recipe and retrain, and what they decide and remember."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        project: ProjectConfig,
        storage: StorageStack,
        prepare_data: sfn.IStateMachine,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._project = project
        self._storage = storage
        self._layer = shared_layer(self, project.compute.functions)
        self.versions = self._versions_table()
        self.import_role = PersonalizeRole(self, "ImportRole", reads=[storage.datasets], key=storage.key)

        train_recipe = self._train_recipe()
        self.train = self._train(train_recipe)
        self.retrain = self._retrain(prepare_data)

        cdk.CfnOutput(self, "TrainStateMachine", value=self.train.state_machine_arn)
        cdk.CfnOutput(self, "RetrainStateMachine", value=self.retrain.state_machine_arn)
        cdk.CfnOutput(self, "VersionsTable", value=self.versions.table_name)

    def _versions_table(self) -> dynamodb.Table:
        return dynamodb.Table(
            self,
            "Versions",
            partition_key=dynamodb.Attribute(name="recipe_key", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="solution_version_arn", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self._storage.key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            removal_policy=self._storage.removal_policy,
        )

    def _function(self, construct_id: str, handler: str, environment: dict[str, str]) -> PythonFunction:
        return PythonFunction(
            self,
            construct_id,
            folder="training",
            handler=f"handler.{handler}",
            environment={"ACCOUNT_ID": self.account, **environment},
            functions=self._project.compute.functions,
            layer=self._layer,
            service="training",
            log_retention_days=self._project.operations.log_retention_days,
            timeout_seconds=60,
        )

    def _train_recipe(self) -> sfn.StateMachine:
        plan_tuned = self._function("PlanTuned", "plan_tuned", {})
        find_version = self._function("FindVersion", "find_version", {})
        find_version.add_to_role_policy(
            self._personalize("ListSolutionVersions", "DescribeSolutionVersion", kinds=["solution"])
        )
        gate = self._project.training.gate
        quality_gate = self._function(
            "QualityGate",
            "quality_gate",
            {"GATE_METRIC": gate.metric, "GATE_TOLERANCE": str(gate.tolerance)},
        )
        quality_gate.add_to_role_policy(self._personalize("GetSolutionMetrics", kinds=["solution"]))
        states = TrainRecipe(
            self,
            "Recipe",
            name=self._project.name,
            find_version=find_version,
            plan_tuned=plan_tuned,
            quality_gate=quality_gate,
            versions=self.versions,
            topic=self._storage.notifications,
            poll_seconds=self._project.training.poll_seconds,
        )
        machine = LoggedStateMachine(
            self,
            "TrainRecipe",
            name=f"{self._project.name}-train-recipe",
            definition=states.chain,
            timeout_minutes=self._project.training.timeout_minutes,
            log_retention_days=self._project.operations.log_retention_days,
        )
        let_use_key(machine, self._storage.key)
        return machine

    def _train(self, train_recipe: sfn.IStateMachine) -> sfn.StateMachine:
        plan = tasks.LambdaInvoke(
            self,
            "Plan the training",
            lambda_function=self._plan_function(),
            payload_response_only=True,
            result_path="$.plan",
        )
        datasets = DatasetStates(
            self,
            "Data",
            name=self._project.name,
            role_arn=self.import_role.role_arn,
            poll_seconds=self._project.training.poll_seconds,
        )
        keys = [recipe.key for recipe in self._project.training.recipes if recipe.key != BASELINE]
        baseline = self._train_one(train_recipe, BASELINE, baseline={})
        baseline.next(self._train_all(train_recipe, keys))
        body = plan.next(datasets.chain).next(baseline)
        machine = LoggedStateMachine(
            self,
            "Train",
            name=f"{self._project.name}-train",
            definition=with_failure_path(self, body, what="Train", topic=self._storage.notifications),
            timeout_minutes=self._project.training.timeout_minutes,
            log_retention_days=self._project.operations.log_retention_days,
        )
        let_use_key(machine, self._storage.key)
        return machine

    def _plan_function(self) -> PythonFunction:
        training = self._project.training.model_dump(mode="json")
        serving = self._project.serving.model_dump(mode="json")
        settings = {"name": self._project.name, "recipes": training["recipes"], "filters": serving["filters"]}
        path = Path(tempfile.mkdtemp(prefix="training-")) / "training.json"
        path.write_text(json.dumps(settings, sort_keys=True), encoding="utf-8")
        asset = assets.Asset(self, "Settings", path=str(path))
        function = self._function(
            "PlanTraining",
            "plan_training",
            {
                "SETTINGS_URI": asset.s3_object_url,
                "LATEST_URI": self._storage.datasets.s3_url_for_object("personalize/latest.json"),
                "IMPORT_ROLE_ARN": self.import_role.role_arn,
            },
        )
        let_read_asset(function, asset)
        let_read(function, self._storage.datasets, "personalize/*")
        let_use_key(function, self._storage.key)
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["ssm:GetParameter"],
                resources=[
                    self.format_arn(
                        service="ssm",
                        resource="parameter",
                        resource_name=f"{self._project.name}/tuned/{recipe.key}",
                    )
                    for recipe in self._project.training.recipes
                ],
            )
        )
        return function

    def _train_one(
        self, train_recipe: sfn.IStateMachine, key: str, *, baseline: Any
    ) -> tasks.StepFunctionsStartExecution:
        return tasks.StepFunctionsStartExecution(
            self,
            f"Train {key}",
            state_machine=train_recipe,
            integration_pattern=sfn.IntegrationPattern.RUN_JOB,
            input=sfn.TaskInput.from_object(
                {"plan": sfn.JsonPath.object_at(f"$.plan.recipes['{key}']"), "baseline": baseline}
            ),
            result_selector={"version.$": "$.Output"},
            result_path="$.trained" if key == BASELINE else "$",
        )

    def _train_all(self, train_recipe: sfn.IStateMachine, keys: list[str]) -> sfn.Chain:
        metrics = sfn.JsonPath.object_at("$.trained.version.metrics")
        side_by_side = sfn.Parallel(self, "Train the recipes side by side", result_path="$.others")
        for key in keys:
            side_by_side.branch(self._train_one(train_recipe, key, baseline=metrics))
        versions = {
            key: sfn.JsonPath.object_at(f"$.others[{index}].version") for index, key in enumerate(keys)
        }
        result = sfn.Pass(
            self,
            "Name the versions",
            parameters={
                "dataVersion": sfn.JsonPath.string_at("$.plan.dataVersion"),
                "versions": {BASELINE: sfn.JsonPath.object_at("$.trained.version"), **versions},
            },
        )
        return side_by_side.next(result)

    def _retrain(self, prepare_data: sfn.IStateMachine) -> sfn.StateMachine:
        prepare = tasks.StepFunctionsStartExecution(
            self,
            "Prepare the data",
            state_machine=prepare_data,
            integration_pattern=sfn.IntegrationPattern.RUN_JOB,
            result_selector={"manifestUri.$": "$.Output.manifestUri"},
            result_path="$.prepared",
        )
        train = tasks.StepFunctionsStartExecution(
            self,
            "Train on it",
            state_machine=self.train,
            integration_pattern=sfn.IntegrationPattern.RUN_JOB,
            input=sfn.TaskInput.from_object(
                {"manifestUri": sfn.JsonPath.string_at("$.prepared.manifestUri")}
            ),
            result_selector={"output.$": "$.Output"},
            output_path="$.output",
        )
        machine = LoggedStateMachine(
            self,
            "Retrain",
            name=f"{self._project.name}-retrain",
            definition=prepare.next(train),
            timeout_minutes=self._project.training.timeout_minutes,
            log_retention_days=self._project.operations.log_retention_days,
        )
        if self._project.training.schedule:
            Schedule(
                self,
                "Weekly",
                expression=self._project.training.schedule,
                machine=machine,
                key=self._storage.key,
            )
        return machine

    def _personalize(self, *actions: str, kinds: list[str]) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            actions=[f"personalize:{action}" for action in actions],
            resources=[
                self.format_arn(service="personalize", resource=kind, resource_name=f"{self._project.name}-*")
                for kind in kinds
            ],
        )
