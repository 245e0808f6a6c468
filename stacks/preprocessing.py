"""Preprocessing: Spark curates the raw sources, Athena makes the datasets, Spark exports them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from config import ProjectConfig
from config.data import settings_json
from config.statements import prepare_data_statements
from stacks.constructs.athena_query import AthenaQuery
from stacks.constructs.grants import let_read, let_read_asset, let_read_secret, let_use_key, let_write
from stacks.constructs.nag import acknowledge
from stacks.constructs.spark_job import SparkJob, library_asset
from stacks.constructs.state_machine import LoggedStateMachine, with_failure_path
from stacks.storage import StorageStack

TIMEOUT_MINUTES = 240
RUN_ID = sfn.JsonPath.string_at("$$.Execution.Name")


class PreprocessingStack(cdk.Stack):
    """The Glue database, the Spark jobs, the Athena work group, and the prepare-data state machine."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        project: ProjectConfig,
        storage: StorageStack,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._project = project
        self._storage = storage
        self.database_name = project.name.replace("-", "_")
        self.database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=self.account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(name=self.database_name),
        )
        self.work_group = self._work_group()
        self.library = library_asset(self, "JobLibrary")
        self.settings = self._settings_asset()
        self.security_configuration = self._security_configuration()
        self.pseudonym_key = self._pseudonym_key() if project.data.privacy.pseudonymise_users else None

        self.curate = self._curate_job()
        self.export = self._export_job()
        self.prepare_data = self._prepare_data()

        cdk.CfnOutput(self, "GlueDatabase", value=self.database_name)
        cdk.CfnOutput(self, "AthenaWorkGroup", value=self.work_group.name)
        cdk.CfnOutput(self, "PrepareDataStateMachine", value=self.prepare_data.state_machine_arn)

    def allow_catalog(self, role: iam.IRole, *, tables: list[str], write: bool) -> None:
        """Let a role read, or also change, tables of the deployment's database and no other."""
        actions = [
            "glue:GetDatabase",
            "glue:GetTable",
            "glue:GetTables",
            "glue:GetPartitions",
            "glue:GetPartition",
        ]
        if write:
            actions += [
                "glue:CreateTable", "glue:UpdateTable", "glue:DeleteTable", "glue:BatchCreatePartition",
                "glue:BatchDeletePartition", "glue:BatchGetPartition", "glue:UpdatePartition",
            ]  # fmt: skip
        names = [f"table/{self.database_name}/{table}" for table in tables]
        role.add_to_principal_policy(
            iam.PolicyStatement(
                actions=actions,
                resources=[
                    self.format_arn(service="glue", resource="catalog"),
                    self.format_arn(service="glue", resource="database", resource_name=self.database_name),
                    *(self.format_arn(service="glue", resource=name) for name in names),
                ],
            )
        )

    def _work_group(self) -> athena.CfnWorkGroup:
        return athena.CfnWorkGroup(
            self,
            "WorkGroup",
            name=self._project.name,
            recursive_delete_option=True,
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=True,
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=f"s3://{self._storage.results.bucket_name}/athena/",
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_KMS", kms_key=self._storage.key.key_arn
                    ),
                ),
            ),
        )

    def _settings_asset(self) -> assets.Asset:
        """Publish the data section of the configuration: the jobs read it, they do not import it."""
        folder = Path(tempfile.mkdtemp(prefix="settings-"))
        path = folder / "settings.json"
        path.write_text(settings_json(self._project.name, self._project.data), encoding="utf-8")
        return assets.Asset(self, "Settings", path=str(path))

    def _security_configuration(self) -> str:
        name = f"{self._project.name}-jobs"
        key_arn = self._storage.key.key_arn
        glue.CfnSecurityConfiguration(
            self,
            "JobSecurity",
            name=name,
            encryption_configuration=glue.CfnSecurityConfiguration.EncryptionConfigurationProperty(
                s3_encryptions=[
                    glue.CfnSecurityConfiguration.S3EncryptionProperty(
                        s3_encryption_mode="SSE-KMS", kms_key_arn=key_arn
                    )
                ],
                cloud_watch_encryption=glue.CfnSecurityConfiguration.CloudWatchEncryptionProperty(
                    cloud_watch_encryption_mode="SSE-KMS", kms_key_arn=key_arn
                ),
                job_bookmarks_encryption=glue.CfnSecurityConfiguration.JobBookmarksEncryptionProperty(
                    job_bookmarks_encryption_mode="CSE-KMS", kms_key_arn=key_arn
                ),
            ),
        )
        return name

    def spark_job(self, construct_id: str, *, script: str, arguments: dict[str, str]) -> SparkJob:
        """Return a job that knows the settings and may read them."""
        job = SparkJob(
            self,
            construct_id,
            name=f"{self._project.name}-{construct_id.lower()}",
            script=script,
            arguments={"--settings_uri": self.settings.s3_object_url, **arguments},
            library=self.library,
            security_configuration=self.security_configuration,
            glue_config=self._project.compute.glue,
        )
        let_read_asset(job.role, self.settings)
        let_use_key(job.role, self._storage.key)
        return job

    def _pseudonym_key(self) -> secretsmanager.Secret:
        """Make the key of the user pseudonyms; losing or changing it would make every user a new one."""
        key = secretsmanager.Secret(
            self,
            "PseudonymKey",
            description=f"Key of the user pseudonyms (HMAC-SHA256) of {self._project.name}",
            encryption_key=self._storage.key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=64, exclude_punctuation=True
            ),
            removal_policy=self._storage.removal_policy,
        )
        acknowledge(key, {"AwsSolutions-SMG4": "A new key would make every user unknown to Personalize."})
        return key

    @property
    def pseudonym_arguments(self) -> dict[str, str]:
        """The argument of the jobs that replace user ids; none where ids stay as they are."""
        return {"--pseudonym_key_secret_arn": self.pseudonym_key.secret_arn} if self.pseudonym_key else {}

    def let_read_pseudonym_key(self, role: iam.IRole) -> None:
        """Let a role read the key of the pseudonyms, where there is one."""
        if self.pseudonym_key:
            let_read_secret(role, self.pseudonym_key)

    def _curate_job(self) -> SparkJob:
        job = self.spark_job(
            "Curate",
            script="curate.py",
            arguments={
                "--raw_uri": self._storage.raw.s3_url_for_object() + "/",
                "--datasets_uri": self._storage.datasets.s3_url_for_object() + "/",
                "--glue_database": self.database_name,
                **self.pseudonym_arguments,
            },
        )
        self.let_read_pseudonym_key(job.role)
        let_read(job.role, self._storage.raw)
        let_write(job.role, self._storage.datasets)
        self.allow_catalog(job.role, tables=["curated_*"], write=True)
        return job

    def _export_job(self) -> SparkJob:
        job = self.spark_job(
            "Export",
            script="export.py",
            arguments={
                "--datasets_uri": self._storage.datasets.s3_url_for_object() + "/",
                "--glue_database": self.database_name,
            },
        )
        let_write(job.role, self._storage.datasets)
        let_read(job.role, self._storage.results, "athena/*")
        self.allow_catalog(job.role, tables=["*"], write=False)
        return job

    def _prepare_data(self) -> sfn.StateMachine:
        curate = self._run("Curate the raw sources", self.curate)
        build = sfn.Parallel(self, "Build the datasets", result_path=sfn.JsonPath.DISCARD)
        for statements in prepare_data_statements(self._project):
            queries = [
                AthenaQuery(
                    self,
                    statement.name,
                    sql=statement.sql,
                    work_group=self.work_group.name,
                    database=self.database_name,
                )
                for statement in statements
            ]
            build.branch(sfn.Chain.start(queries[0]).next(queries[1]) if queries[1:] else queries[0])
        export = self._run("Export for Personalize", self.export)
        export_delta = self._run("Export, also what is new on its own", self.export, {"--delta": "true"})
        location = f"s3://{self._storage.datasets.bucket_name}/personalize/{{}}/manifest.json"
        result = sfn.Pass(
            self,
            "Name the data version",
            parameters={"dataVersion": RUN_ID, "manifestUri": sfn.JsonPath.format(location, RUN_ID)},
        )
        is_update = sfn.Condition.and_(
            sfn.Condition.is_present("$.mode"), sfn.Condition.string_equals("$.mode", "UPDATE")
        )
        which = sfn.Choice(self, "Is it for an update?").when(is_update, export_delta).otherwise(export)
        export.next(result)
        export_delta.next(result)
        body = curate.next(build).next(which)
        machine = LoggedStateMachine(
            self,
            "PrepareData",
            name=f"{self._project.name}-prepare-data",
            definition=with_failure_path(self, body, what="Prepare data", topic=self._storage.notifications),
            timeout_minutes=TIMEOUT_MINUTES,
            log_retention_days=self._project.operations.log_retention_days,
        )
        let_use_key(machine, self._storage.key)
        self.allow_athena(machine.role)
        let_read(machine, self._storage.datasets, "curated/*")
        let_write(machine, self._storage.results, "athena/*")
        return machine

    def allow_athena(self, role: iam.IRole) -> None:
        """Let a role run statements in the work group, on the deployment's tables."""
        role.add_to_principal_policy(
            iam.PolicyStatement(
                actions=[
                    "athena:StartQueryExecution",
                    "athena:GetQueryExecution",
                    "athena:StopQueryExecution",
                ],
                resources=[
                    self.format_arn(
                        service="athena", resource="workgroup", resource_name=self.work_group.name
                    )
                ],
            )
        )
        self.allow_catalog(role, tables=["*"], write=True)

    def _run(
        self, state_name: str, job: SparkJob, arguments: dict[str, str] | None = None
    ) -> tasks.GlueStartJobRun:
        return job.run(self, state_name, {"--run_id": RUN_ID, **(arguments or {})})
