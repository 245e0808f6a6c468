"""The functions that decide in the campaign's state machine, each with what it may read."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from config import ProjectConfig
from config.statements import campaign_queries
from stacks.constructs.grants import let_read, let_read_asset, let_use_key
from stacks.constructs.python_function import PythonFunction, shared_layer
from stacks.preprocessing import PreprocessingStack
from stacks.storage import StorageStack

# What an audience may be chosen by, beside the configured attributes of users.
AUDIENCE_COLUMNS = ("user_id", "coupon_habit")
NOT_OVERRIDDEN = {"segments", "batch", "schedule"}


class CampaignFunctions(Construct):
    """One attribute a decision."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        project: ProjectConfig,
        storage: StorageStack,
        preprocessing: PreprocessingStack,
    ) -> None:
        super().__init__(scope, construct_id)
        self._project, self._storage = project, storage
        self._layer = shared_layer(self, project.compute.functions)
        self._settings = self._settings_asset()
        self.check_input = self._function("CheckInput", "handler.check_input")
        self.plan_audience = self._function("PlanAudience", "handler.plan_audience")
        self._let_read_results(self.plan_audience, preprocessing)
        self.find_jobs = self._function("FindJobs", "handler.find_jobs")
        let_read(self.find_jobs, storage.results, "campaigns/*")

    def _function(self, construct_id: str, handler: str) -> PythonFunction:
        function = PythonFunction(
            self,
            construct_id,
            folder="campaigns",
            handler=handler,
            environment={
                "ACCOUNT_ID": cdk.Stack.of(self).account,
                "DEPLOYMENT": self._project.name,
                "SETTINGS_URI": self._settings.s3_object_url,
                "CAMPAIGNS_URI": f"s3://{self._storage.results.bucket_name}/campaigns",
            },
            functions=self._project.compute.functions,
            layer=self._layer,
            service="campaigns",
            log_retention_days=self._project.operations.log_retention_days,
            timeout_seconds=60,
        )
        let_read_asset(function, self._settings)
        let_use_key(function, self._storage.key)
        return function

    def _let_read_results(self, function: PythonFunction, preprocessing: PreprocessingStack) -> None:
        work_group = cdk.Stack.of(self).format_arn(
            service="athena", resource="workgroup", resource_name=preprocessing.work_group.name
        )
        function.add_to_role_policy(
            iam.PolicyStatement(actions=["athena:GetQueryResults"], resources=[work_group])
        )
        let_read(function, self._storage.results, "athena/*")

    def _settings_asset(self) -> assets.Asset:
        campaign = self._project.coupon_campaign
        settings = {
            "defaults": campaign.model_dump(mode="json", exclude=NOT_OVERRIDDEN),
            "statements": campaign_queries(self._project),
            "audienceColumns": [*AUDIENCE_COLUMNS, *self._project.data.user_metadata],
            "megabytesPerJob": campaign.batch.megabytes_per_job,
        }
        path = Path(tempfile.mkdtemp(prefix="campaign-")) / "campaign.json"
        path.write_text(json.dumps(settings, sort_keys=True), encoding="utf-8")
        return assets.Asset(self, "Settings", path=str(path))
