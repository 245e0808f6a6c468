"""A Glue Spark job with a role that may use just its own inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from config.compute import GlueConfig
from stacks.constructs.grants import let_read_asset

GLUE_SCRIPTS = Path(__file__).parent.parent.parent / "glue_scripts"
JOB_PACKAGES = ("preprocessing", "targeting")


class SparkJob(Construct):
    """One script of `glue_scripts` as a job; `role` is there for the stack to grant to."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        script: str,
        arguments: Mapping[str, str],
        library: assets.Asset,
        security_configuration: str,
        glue_config: GlueConfig,
    ) -> None:
        super().__init__(scope, construct_id)
        self.name = name
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("glue.amazonaws.com"))
        source = assets.Asset(self, "Script", path=str(GLUE_SCRIPTS / script))
        let_read_asset(self.role, source)
        let_read_asset(self.role, library)
        self._let_it_log()
        self.job = glue.CfnJob(
            self,
            "Job",
            name=name,
            role=self.role.role_arn,
            command=glue.CfnJob.JobCommandProperty(
                name="glueetl", python_version="3", script_location=source.s3_object_url
            ),
            default_arguments={
                "--job-language": "python",
                "--enable-metrics": "true",
                "--enable-continuous-cloudwatch-log": "true",
                "--extra-py-files": library.s3_object_url,
                **arguments,
            },
            glue_version=glue_config.version,
            worker_type=glue_config.worker_type,
            number_of_workers=glue_config.workers,
            timeout=glue_config.timeout_minutes,
            max_retries=0,
            execution_property=glue.CfnJob.ExecutionPropertyProperty(max_concurrent_runs=2),
            security_configuration=security_configuration,
        )

    @property
    def arn(self) -> str:
        """The job's ARN."""
        return cdk.Stack.of(self).format_arn(service="glue", resource="job", resource_name=self.name)

    def run(self, scope: Construct, state_name: str, arguments: Mapping[str, str]) -> tasks.GlueStartJobRun:
        """Return a state that runs the job to its end; the state's input goes on."""
        return tasks.GlueStartJobRun(
            scope,
            state_name,
            glue_job_name=self.name,
            integration_pattern=sfn.IntegrationPattern.RUN_JOB,
            arguments=sfn.TaskInput.from_object(dict(arguments)),
            result_path=sfn.JsonPath.DISCARD,
        )

    def _let_it_log(self) -> None:
        log_groups = cdk.Stack.of(self).format_arn(
            service="logs",
            resource="log-group",
            resource_name="/aws-glue/*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=[
                    "logs:CreateLogGroup",
                    "logs:CreateLogStream",
                    "logs:PutLogEvents",
                    "logs:AssociateKmsKey",
                ],
                resources=[log_groups],
            )
        )
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                conditions={"StringEquals": {"cloudwatch:namespace": "Glue"}},
            )
        )


def library_asset(scope: Construct, construct_id: str) -> assets.Asset:
    """Return the jobs' packages `preprocessing` and `targeting` as a zip, the packages at its root."""
    return assets.Asset(
        scope,
        construct_id,
        path=str(GLUE_SCRIPTS),
        exclude=[
            "**",
            *(f"!{package}{files}" for package in JOB_PACKAGES for files in ("", "/**/*.py")),
            "**/__pycache__",
        ],
        ignore_mode=cdk.IgnoreMode.GIT,
    )
