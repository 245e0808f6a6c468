"""The functions that decide in the training's state machines, each with what it may read."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from config import ProjectConfig
from stacks.constructs.grants import let_read, let_read_asset, let_use_key, let_use_table, let_write
from stacks.constructs.personalize import personalize_arns
from stacks.constructs.python_function import PythonFunction, shared_layer
from stacks.storage import StorageStack


class TrainingFunctions(Construct):
    """One attribute a decision."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        project: ProjectConfig,
        storage: StorageStack,
        versions: dynamodb.ITable,
        import_role_arn: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._project, self._storage, self._versions = project, storage, versions
        self._layer = shared_layer(self, project.compute.functions)
        self._settings = self._settings_asset()
        self.plan_training = self._plan_training(import_role_arn)
        self.plan_tuned = self._function("PlanTuned", "handler.plan_tuned")
        self.find_version = self._function("FindVersion", "handler.find_version")
        self._let_call(self.find_version, "ListSolutionVersions", "DescribeSolutionVersion", of="solution")
        let_use_table(self.find_version, versions, write=False)
        self.quality_gate = self._function(
            "QualityGate", "handler.quality_gate", GATE=project.training.gate.model_dump_json()
        )
        let_use_table(self.quality_gate, versions, write=False)
        self._let_call(self.quality_gate, "GetSolutionMetrics", of="solution")
        self.find_rollback = self._find_rollback()
        self.find_remaining = self._function("FindRemaining", "upkeep.find_remaining")
        self._let_list_everything(self.find_remaining, "retrain", "train", "train-recipe", "compare")
        self.find_retired = self._find_retired()
        self.plan_comparison, self.measure_comparison = self._comparison()

    def _function(
        self, construct_id: str, handler: str, *, timeout_seconds: int = 60, **environment: str
    ) -> PythonFunction:
        function = PythonFunction(
            self,
            construct_id,
            folder="training",
            handler=handler,
            environment={
                "ACCOUNT_ID": cdk.Stack.of(self).account,
                "DEPLOYMENT": self._project.name,
                "VERSIONS_TABLE": self._versions.table_name,
                "FIRST_WAIT_SECONDS": str(self._project.training.waiting.first_seconds),
                **environment,
            },
            functions=self._project.compute.functions,
            layer=self._layer,
            service="training",
            log_retention_days=self._project.operations.log_retention_days,
            timeout_seconds=timeout_seconds,
        )
        let_use_key(function, self._storage.key)
        return function

    def _let_call(self, function: lambda_.Function, *actions: str, of: str) -> None:
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=[f"personalize:{action}" for action in actions],
                resources=personalize_arns(self, self._project.name, of),
            )
        )

    def _settings_asset(self) -> assets.Asset:
        training = self._project.training.model_dump(mode="json")
        serving = self._project.serving.model_dump(mode="json")
        settings = {
            "name": self._project.name,
            "recipes": training["recipes"],
            "filters": serving["filters"],
        }
        path = Path(tempfile.mkdtemp(prefix="training-")) / "training.json"
        path.write_text(json.dumps(settings, sort_keys=True), encoding="utf-8")
        return assets.Asset(self, "Settings", path=str(path))

    def _plan_training(self, import_role_arn: str) -> PythonFunction:
        function = self._function(
            "PlanTraining",
            "handler.plan_training",
            SETTINGS_URI=self._settings.s3_object_url,
            LATEST_URI=self._storage.datasets.s3_url_for_object("personalize/latest.json"),
            IMPORT_ROLE_ARN=import_role_arn,
        )
        let_read_asset(function, self._settings)
        let_read(function, self._storage.datasets, "personalize/*")
        let_use_table(function, self._versions, write=False)
        self._let_call(function, "ListDatasetImportJobs", of="dataset")
        self._let_call(function, "DescribeDatasetImportJob", of="dataset-import-job")
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["ssm:GetParameter"],
                resources=[
                    cdk.Stack.of(self).format_arn(
                        service="ssm",
                        resource="parameter",
                        resource_name=f"{self._project.name}/tuned/{recipe.key}",
                    )
                    for recipe in self._project.training.recipes
                ],
            )
        )
        return function

    def _find_rollback(self) -> PythonFunction:
        function = self._function(
            "FindRollback", "upkeep.find_rollback", SETTINGS_URI=self._settings.s3_object_url
        )
        let_read_asset(function, self._settings)
        let_use_table(function, self._versions, write=False)
        self._let_call(function, "DescribeCampaign", of="campaign")
        self._let_call(function, "DescribeSolutionVersion", of="solution")
        return function

    def _comparison(self) -> tuple[PythonFunction, PythonFunction]:
        """Both read datasets: of the users the first rows, of the items all, up to 750,000."""
        results = self._storage.results
        plan = self._function(
            "PlanComparison", "compare.plan_comparison", RESULTS_URI=f"s3://{results.bucket_name}/"
        )
        self._let_call(plan, "DescribeSolution", of="solution")
        let_write(plan, results, "comparisons/*")
        measure = self._function("MeasureComparison", "compare.measure_comparison", timeout_seconds=300)
        self._let_call(measure, "GetSolutionMetrics", of="solution")
        let_read(measure, results, "comparisons/*")
        for function in (plan, measure):
            let_read(function, self._storage.datasets, "personalize/*")
        return plan, measure

    def _find_retired(self) -> PythonFunction:
        function = self._function("FindRetired", "upkeep.find_retired")
        let_use_table(function, self._versions, write=False)
        self._let_list_everything(function, "train", "train-recipe", "compare")
        for of, action in {
            "campaign": "DescribeCampaign",
            "solution": "DescribeSolutionVersion",
            "dataset": "DescribeDataset",
        }.items():
            self._let_call(function, action, of=of)
        return function

    def _let_list_everything(self, function: lambda_.Function, *machines: str) -> None:
        """Also the executions of machines. Personalize's List operations name a dataset group at most."""
        for of, actions in {
            "dataset-group": (
                "ListSolutions", "ListFilters", "ListEventTrackers", "ListMetricAttributions", "ListDatasets",
            ),
            "solution": ("ListCampaigns", "ListSolutionVersions"),
        }.items():  # fmt: skip
            self._let_call(function, *actions, of=of)
        stack = cdk.Stack.of(self)
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["personalize:ListDatasetGroups", "personalize:ListSchemas"], resources=["*"]
            )
        )
        name = self._project.name
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["ssm:GetParametersByPath"],
                resources=[stack.format_arn(service="ssm", resource="parameter", resource_name=name)],
            )
        )
        arns = [
            stack.format_arn(
                service="states",
                resource="stateMachine",
                resource_name=f"{name}-{machine}",
                arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
            )
            for machine in machines
        ]
        function.add_to_role_policy(iam.PolicyStatement(actions=["states:ListExecutions"], resources=arns))
