"""Campaigns: coupons ranked for every user in batch jobs, then targeted under a budget."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from config import ProjectConfig
from stacks.constructs.athena_query import AthenaQuery
from stacks.constructs.campaign_functions import CampaignFunctions
from stacks.constructs.grants import let_read, let_use_key, let_write
from stacks.constructs.nag import acknowledge
from stacks.constructs.personalize import EnsureActive, PersonalizeCall, at, personalize_arns
from stacks.constructs.personalize_role import PersonalizeRole
from stacks.constructs.retries import LAMBDA_BUSY, retry
from stacks.constructs.schedule import Schedule
from stacks.constructs.spark_job import SparkJob
from stacks.constructs.state_machine import LoggedStateMachine, with_failure_path
from stacks.preprocessing import PreprocessingStack
from stacks.storage import StorageStack

TIMEOUT_MINUTES = 720
RUN = sfn.JsonPath.string_at("$$.Execution.Name")


class CampaignsStack(cdk.Stack):
    """The campaign state machine."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        project: ProjectConfig,
        storage: StorageStack,
        preprocessing: PreprocessingStack,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._project = project
        self._storage = storage
        self._preprocessing = preprocessing
        self._campaigns_uri = f"s3://{storage.results.bucket_name}/campaigns"
        self.batch_role = PersonalizeRole(self, "BatchRole", writes=[storage.results], key=storage.key)
        self.target = self._target_job()
        self.functions = CampaignFunctions(
            self, "Functions", project=project, storage=storage, preprocessing=preprocessing
        )
        self.campaign = self._campaign()
        if project.coupon_campaign.schedule:
            Schedule(
                self,
                "Regular",
                expression=project.coupon_campaign.schedule,
                machine=self.campaign,
                key=storage.key,
            )
        cdk.CfnOutput(self, "CampaignStateMachine", value=self.campaign.state_machine_arn)

    def _target_job(self) -> SparkJob:
        job = SparkJob(
            self,
            "Target",
            name=f"{self._project.name}-target-coupons",
            script="target_coupons.py",
            arguments={
                "--datasets_uri": self._storage.datasets.s3_url_for_object() + "/",
                "--campaigns_uri": self._campaigns_uri + "/",
                "--glue_database": self._preprocessing.database_name,
            },
            library=self._preprocessing.library,
            security_configuration=self._preprocessing.security_configuration,
            glue_config=self._project.compute.glue,
        )
        let_read(job.role, self._storage.datasets)
        let_read(job.role, self._storage.results, "athena/*")
        let_write(job.role, self._storage.results, "campaigns/*")
        self._preprocessing.allow_catalog(job.role, tables=["coupon_users"], write=False)
        self._preprocessing.allow_catalog(
            job.role, tables=["campaign_coupons", "campaign_segments"], write=True
        )
        let_use_key(job.role, self._storage.key)
        seen = "It names the preprocessing stack's security configuration, which the rule cannot see."
        acknowledge(job.job, {"AwsSolutions-GL1": seen, "AwsSolutions-GL3": seen})
        return job

    def _campaign(self) -> sfn.StateMachine:
        body = self._checked().next(self._audience()).next(self._ranking()).next(self._targeting())
        machine = LoggedStateMachine(
            self,
            "Campaign",
            name=f"{self._project.name}-campaign",
            definition=with_failure_path(self, body, what="Campaign", topic=self._storage.notifications),
            timeout_minutes=TIMEOUT_MINUTES,
            log_retention_days=self._project.operations.log_retention_days,
        )
        self._preprocessing.allow_athena(machine.role)
        let_read(machine, self._storage.datasets, "curated/*")
        let_write(machine, self._storage.results)
        let_use_key(machine, self._storage.key)
        return machine

    def _checked(self) -> sfn.Chain:
        """Hold the execution's input to what a campaign may be told, and then to the data."""
        check = self._call(
            "Check the input",
            self.functions.check_input,
            {"input": sfn.JsonPath.object_at("$")},
            result_path="$.campaign",
        )
        look = self._query("Look at audience and coupons", "$.campaign.facts", result_path="$.campaign.query")
        plan = self._call(
            "Hold the campaign to the data",
            self.functions.plan_audience,
            {
                "run": RUN,
                "settings": sfn.JsonPath.object_at("$.campaign.settings"),
                "queryExecutionId": at("$.campaign.query.QueryExecution.QueryExecutionId"),
            },
            result_path="$.plan",
        )
        return check.next(look).next(plan)

    def _audience(self) -> sfn.Chain:
        write = self._query("Write the audience", "$.plan.statement")
        find = self._call(
            "Find the batch jobs", self.functions.find_jobs, {"run": RUN}, result_path="$.batch"
        )
        return sfn.Chain.start(write).next(find)

    def _ranking(self) -> sfn.Chain:
        """Rank by the version that the coupon campaign serves, the parts side by side."""
        name = self._project.name
        campaign_arn = self.format_arn(
            service="personalize", resource="campaign", resource_name=f"{name}-coupon-ranking"
        )
        serving = PersonalizeCall(
            self,
            "Which version ranks coupons?",
            action="describeCampaign",
            parameters={"CampaignArn": campaign_arn},
            resources=[campaign_arn],
            waiting=self._project.training.waiting,
            result_path="$.serving",
        )
        each = sfn.Map(
            self,
            "Rank each part",
            items_path="$.batch.jobs",
            item_selector={
                "job": sfn.JsonPath.object_at("$$.Map.Item.Value"),
                "version": at("$.serving.Campaign.SolutionVersionArn"),
            },
            max_concurrency=self._project.coupon_campaign.batch.jobs_side_by_side,
            result_path=sfn.JsonPath.DISCARD,
        )
        rank = EnsureActive(
            self,
            "the coupon ranking",
            kind="batchInferenceJob",
            describe={"BatchInferenceJobArn": at("$.job.jobArn")},
            create={
                "JobName": at("$.job.jobName"),
                "SolutionVersionArn": at("$.version"),
                "JobInput": {"S3DataSource": {"Path": at("$.job.input")}},
                "JobOutput": {"S3DataDestination": {"Path": at("$.job.output")}},
                "RoleArn": self.batch_role.role_arn,
            },
            resources=personalize_arns(self, name, "batch-inference-job", "solution"),
            waiting=self._project.training.waiting,
            pass_role=self.batch_role.role_arn,
        )
        each.item_processor(rank)
        return serving.next(each)

    def _targeting(self) -> sfn.Chain:
        target = self.target.run(
            self,
            "Choose who gets which coupon",
            {
                "--input_uri": self._path("input"),
                "--ranking_uri": self._path("ranking"),
                "--campaign_run": RUN,
                "--settings": at("$.plan.targeting"),
            },
        )
        result = sfn.Pass(
            self,
            "Name the campaign file",
            parameters={
                "campaignRun": RUN,
                "campaignFile": self._path("campaign", "campaign-0000.csv"),
                "segmentsFile": self._path("segments", "segments.csv"),
                "report": self._path("report", "report.json"),
            },
        )
        return target.next(result)

    def _call(
        self, title: str, function: lambda_.IFunction, payload: dict[str, Any], *, result_path: str
    ) -> sfn.Chain:
        call = tasks.LambdaInvoke(
            self,
            title,
            lambda_function=function,
            payload=sfn.TaskInput.from_object(payload),
            payload_response_only=True,
            result_path=result_path,
            retry_on_service_exceptions=False,
        )
        retry(call, LAMBDA_BUSY, seconds=2)
        return sfn.Chain.start(call)

    def _query(self, title: str, sql_path: str, result_path: str = sfn.JsonPath.DISCARD) -> AthenaQuery:
        return AthenaQuery(
            self,
            title,
            sql_path=sql_path,
            work_group=self._preprocessing.work_group.name,
            database=self._preprocessing.database_name,
            result_path=result_path,
        )

    def _path(self, folder: str, file: str = "") -> str:
        return sfn.JsonPath.format(f"{self._campaigns_uri}/{{}}/{folder}/{file}", RUN)
