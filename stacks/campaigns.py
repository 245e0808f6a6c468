"""Campaigns: coupons ranked for every user in one batch, then targeted under a budget."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from config import ProjectConfig
from config.statements import campaign_audience_query
from stacks.constructs.athena_query import AthenaQuery
from stacks.constructs.grants import let_read, let_use_key, let_write
from stacks.constructs.nag import acknowledge
from stacks.constructs.personalize import EnsureActive, PersonalizeCall
from stacks.constructs.personalize_role import PersonalizeRole
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
        self._bucket = storage.results.bucket_name
        self.batch_role = PersonalizeRole(self, "BatchRole", writes=[storage.results], key=storage.key)
        self.target = self._target_job()
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
            arguments={"--datasets_uri": self._storage.datasets.s3_url_for_object() + "/"},
            library=self._preprocessing.library,
            security_configuration=self._preprocessing.security_configuration,
            glue_config=self._project.compute.glue,
        )
        let_read(job.role, self._storage.datasets)
        let_write(job.role, self._storage.results, "campaigns/*")
        let_use_key(job.role, self._storage.key)
        seen = "It names the preprocessing stack's security configuration, which the rule cannot see."
        acknowledge(job.job, {"AwsSolutions-GL1": seen, "AwsSolutions-GL3": seen})
        return job

    def _campaign(self) -> sfn.StateMachine:
        body = self._settings().next(self._audience()).next(self._ranking()).next(self._targeting())
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

    def _settings(self) -> sfn.Chain:
        """Lay the execution's input over the configuration's defaults."""
        defaults = self._project.coupon_campaign
        values = {
            "budget": defaults.budget,
            "cost_per_coupon": defaults.cost_per_coupon,
            "coupons_per_user": defaults.coupons_per_user,
            "stock_per_coupon": defaults.stock_per_coupon or 0,
            "minimum_probability": defaults.minimum_probability,
            "control_share": defaults.control_share,
            "seed": defaults.seed,
            "coupons": "all",
        }
        given = sfn.Pass(
            self, "Take the defaults", parameters={"defaults": values, "input": sfn.JsonPath.object_at("$")}
        )
        merged = sfn.Pass(
            self,
            "Lay the input over them",
            parameters={
                "settings": sfn.JsonPath.json_merge(
                    sfn.JsonPath.object_at("$.defaults"), sfn.JsonPath.object_at("$.input")
                ),
                "unload": f"UNLOAD ({campaign_audience_query(self._project)}) TO 's3://{self._bucket}/campaigns/",
                "options": "/input/' WITH (format = 'TEXTFILE', compression = 'NONE')",
            },
        )
        return given.next(merged)

    def _audience(self) -> sfn.Chain:
        statement = sfn.Pass(
            self,
            "Name the audience",
            parameters={
                "sql": sfn.JsonPath.format(
                    "{}{}{}", sfn.JsonPath.string_at("$.unload"), RUN, sfn.JsonPath.string_at("$.options")
                )
            },
            result_path="$.audience",
        )
        write = AthenaQuery(
            self,
            "Write the audience",
            sql_path="$.audience.sql",
            work_group=self._preprocessing.work_group.name,
            database=self._preprocessing.database_name,
        )
        return statement.next(write)

    def _ranking(self) -> sfn.Chain:
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
        job_name = sfn.JsonPath.format(f"{name}-{{}}", RUN)
        job_arn = self.format_arn(
            service="personalize", resource="batch-inference-job", resource_name=f"{name}-{{}}"
        )
        rank = EnsureActive(
            self,
            "the coupon ranking",
            kind="batchInferenceJob",
            describe={"BatchInferenceJobArn": sfn.JsonPath.format(job_arn, RUN)},
            create={
                "JobName": job_name,
                "SolutionVersionArn": sfn.JsonPath.string_at("$.serving.Campaign.SolutionVersionArn"),
                "JobInput": {"S3DataSource": {"Path": self._path("input")}},
                "JobOutput": {"S3DataDestination": {"Path": self._path("ranking")}},
                "RoleArn": self.batch_role.role_arn,
            },
            resources=[
                self.format_arn(service="personalize", resource=kind, resource_name=f"{name}*")
                for kind in ("batch-inference-job", "solution")
            ],
            waiting=self._project.training.waiting,
            pass_role=self.batch_role.role_arn,
        )
        return serving.next(rank)

    def _targeting(self) -> sfn.Chain:
        numbers = (
            "budget", "cost_per_coupon", "coupons_per_user", "minimum_probability", "control_share", "seed",
            "stock_per_coupon",
        )  # fmt: skip
        settings = {
            f"--{key}": sfn.JsonPath.format("{}", sfn.JsonPath.string_at(f"$.settings.{key}"))
            for key in numbers
        }
        target = tasks.GlueStartJobRun(
            self,
            "Choose who gets which coupon",
            glue_job_name=self.target.name,
            integration_pattern=sfn.IntegrationPattern.RUN_JOB,
            arguments=sfn.TaskInput.from_object(
                {
                    "--ranking_uri": self._path("ranking"),
                    "--output_uri": sfn.JsonPath.format(f"s3://{self._bucket}/campaigns/{{}}/", RUN),
                    "--campaign_run": RUN,
                    "--coupons": sfn.JsonPath.string_at("$.settings.coupons"),
                    **settings,
                }
            ),
            result_path=sfn.JsonPath.DISCARD,
        )
        result = sfn.Pass(
            self,
            "Name the campaign file",
            parameters={
                "campaignRun": RUN,
                "campaignFile": self._path("campaign", "campaign-0000.csv"),
                "report": self._path("report", "report.json"),
            },
        )
        return target.next(result)

    def _path(self, folder: str, file: str = "") -> str:
        return sfn.JsonPath.format(f"s3://{self._bucket}/campaigns/{{}}/{folder}/{file}", RUN)
