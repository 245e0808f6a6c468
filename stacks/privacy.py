"""Privacy: forget users in the raw files, in all that was made of them, and in Personalize."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from config import ProjectConfig
from stacks.constructs.forget_in_personalize import ForgetInPersonalize
from stacks.constructs.grants import let_read, let_use_key, let_write
from stacks.constructs.lease import Lease
from stacks.constructs.personalize_role import PersonalizeRole
from stacks.constructs.retrain import RETRAIN, holders
from stacks.constructs.spark_job import SparkJob
from stacks.constructs.state_machine import LoggedStateMachine, with_failure_path
from stacks.preprocessing import PreprocessingStack
from stacks.storage import StorageStack

TIMEOUT_MINUTES = 720
RUN_ID = sfn.JsonPath.string_at("$$.Execution.Name")


class PrivacyStack(cdk.Stack):
    """The forget-users state machine: erase, make data anew, delete old copies and in each dataset group."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        project: ProjectConfig,
        storage: StorageStack,
        preprocessing: PreprocessingStack,
        versions: dynamodb.ITable,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._project = project
        self._storage = storage
        self._preprocessing = preprocessing
        self._versions = versions
        self.role = PersonalizeRole(self, "DeletionRole", reads=[storage.datasets], key=storage.key)
        self.delete_user = self._delete_job()
        self.delete_copies = self._delete_copies_job()
        self.forget_users = self._forget_users()
        cdk.CfnOutput(self, "ForgetUsersStateMachine", value=self.forget_users.state_machine_arn)

    def _delete_job(self) -> SparkJob:
        job = self._preprocessing.spark_job(
            "Delete-User",
            script="delete_user.py",
            arguments={
                "--raw_uri": self._storage.raw.s3_url_for_object() + "/",
                "--datasets_uri": self._storage.datasets.s3_url_for_object() + "/",
                "--results_uri": self._storage.results.s3_url_for_object() + "/",
                **self._preprocessing.pseudonym_arguments,
            },
        )
        let_write(job.role, self._storage.raw)
        let_write(job.role, self._storage.datasets)
        for prefix in ("campaigns/*", "comparisons/*"):
            let_write(job.role, self._storage.results, prefix)
        self._preprocessing.let_read_pseudonym_key(job.role)
        return job

    def _delete_copies_job(self) -> SparkJob:
        job = self._preprocessing.spark_job(
            "Delete-Copies",
            script="delete_copies.py",
            arguments={
                "--datasets_uri": self._storage.datasets.s3_url_for_object() + "/",
                "--results_uri": self._storage.results.s3_url_for_object() + "/",
                "--glue_database": self._preprocessing.database_name,
            },
        )
        let_write(job.role, self._storage.datasets, "personalize/*")
        let_write(job.role, self._storage.results, "athena/*")
        self._preprocessing.allow_catalog(job.role, tables=["*"], write=False)
        return job

    def _forget_users(self) -> sfn.StateMachine:
        unnamed = sfn.Fail(
            self,
            "No users are named",
            error="InputInvalid",
            cause='The input must be {"userIdsUri": "s3://..."}: a text file with one user id a line.',
        )
        body = (
            sfn.Choice(self, "Are users named?")
            .when(sfn.Condition.is_string("$.userIdsUri"), self._under_the_lease(self._forgotten()))
            .otherwise(unnamed)
        )
        machine = LoggedStateMachine(
            self,
            "ForgetUsers",
            name=f"{self._project.name}-forget-users",
            definition=with_failure_path(self, body, what="Forget users", topic=self._storage.notifications),
            timeout_minutes=TIMEOUT_MINUTES,
            log_retention_days=self._project.operations.log_retention_days,
        )
        let_use_key(machine, self._storage.key)
        let_read(machine, self._storage.datasets, "privacy/*")
        return machine

    def _forgotten(self) -> sfn.Chain:
        user_ids_uri = sfn.JsonPath.string_at("$.userIdsUri")
        erase = self.delete_user.run(
            self, "Erase the users' rows", {"--run_id": RUN_ID, "--user_ids_uri": user_ids_uri}
        )
        remake = tasks.StepFunctionsStartExecution(
            self,
            "Make the data anew",
            state_machine=self._preprocessing.prepare_data,
            integration_pattern=sfn.IntegrationPattern.RUN_JOB,
            result_selector={"dataVersion.$": "$.Output.dataVersion"},
            result_path="$.prepared",
        )
        data_version = sfn.JsonPath.string_at("$.prepared.dataVersion")
        clear = self.delete_copies.run(self, "Delete what was made before", {"--data_version": data_version})
        # Deleted before the users are from Personalize: no import may bring them back.
        return erase.next(remake).next(clear).next(self._forget_in_groups())

    def _under_the_lease(self, states: sfn.Chain) -> sfn.IChainable:
        """Run the states while no retraining does: it would read what they delete, or import it once more."""
        lease = Lease(
            self,
            "Lease",
            key=RETRAIN,
            machines=holders(self._project.name),
            table=self._versions,
            waiting=self._project.training.waiting,
            then=states,
        )
        states.next(lease.release).next(self._what_was_deleted())
        return lease.take

    def _forget_in_groups(self) -> sfn.Parallel:
        """Delete in every dataset group that is there: a deployment not yet trained has none."""
        groups = {"main": self._project.name, "coupons": f"{self._project.name}-coupons"}
        everywhere = sfn.Parallel(
            self,
            "Forget them in Personalize",
            result_selector={"main.$": "$[0]", "coupons.$": "$[1]"},
            result_path="$.deleted",
        )
        for label, group in groups.items():
            forget = ForgetInPersonalize(
                self,
                f"Forget in {label}",
                group=group,
                users=self._users,
                role_arn=self.role.role_arn,
                waiting=self._project.training.waiting,
            )
            everywhere.branch(forget.chain)
        return everywhere

    @property
    def _users(self) -> str:
        place = f"s3://{self._storage.datasets.bucket_name}/privacy/{{}}/users.csv"
        return sfn.JsonPath.format(place, RUN_ID)

    def _what_was_deleted(self) -> sfn.Pass:
        return sfn.Pass(
            self,
            "Name what was deleted",
            parameters={
                "dataVersion": sfn.JsonPath.string_at("$.prepared.dataVersion"),
                "users": self._users,
                "deleted": sfn.JsonPath.object_at("$.deleted"),
            },
        )
