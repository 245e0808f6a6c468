"""The states that delete users in one dataset group and wait until they are gone."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from config.training import Waiting
from stacks.constructs.personalize import NOT_FOUND, PersonalizeCall, pass_personalize_role


class ForgetInPersonalize(Construct):
    """A data deletion job on one dataset group; `chain` ends with the number of records deleted.

    Fails with PersonalizeResourceFailed and the job's own reason when the job fails. Personalize may take a
    day over a job, so the time-out of the machine is the only one.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        group: str,
        users: str,
        role_arn: str,
        waiting: Waiting,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        group_arn = stack.format_arn(service="personalize", resource="dataset-group", resource_name=group)
        job_arn = stack.format_arn(
            service="personalize", resource="data-deletion-job", resource_name="forget-*"
        )
        look = PersonalizeCall(
            self,
            f"Look for dataset group {group}",
            action="describeDatasetGroup",
            parameters={"DatasetGroupArn": group_arn},
            resources=[group_arn],
            waiting=waiting,
            result_path=sfn.JsonPath.DISCARD,
        )
        start = PersonalizeCall(
            self,
            f"Delete the users in {group}",
            action="createDataDeletionJob",
            parameters={
                "JobName": sfn.JsonPath.format(f"forget-{group[:12]}-{{}}", sfn.JsonPath.uuid()),
                "DatasetGroupArn": group_arn,
                "DataSource": {"DataLocation": users},
                "RoleArn": role_arn,
            },
            resources=[group_arn, job_arn],
            waiting=waiting,
            additional_iam_statements=[pass_personalize_role(role_arn)],
            result_path="$.job",
        )
        follow = PersonalizeCall(
            self,
            f"Look at the deletion in {group}",
            action="describeDataDeletionJob",
            parameters={"DataDeletionJobArn": sfn.JsonPath.string_at("$.job.DataDeletionJobArn")},
            resources=[job_arn],
            waiting=waiting,
            result_path="$.found",
        )
        wait = sfn.Wait(
            self,
            f"Wait for the deletion in {group}",
            time=sfn.WaitTime.duration(cdk.Duration.seconds(waiting.longest_seconds)),
        )
        absent = sfn.Pass(
            self, f"There is no dataset group {group}", parameters={"datasetGroup": group, "records": 0}
        )
        done = sfn.Pass(
            self,
            f"The users are gone from {group}",
            parameters={
                "datasetGroup": group,
                "records": sfn.JsonPath.object_at("$.found.DataDeletionJob.NumDeleted"),
            },
        )
        failed = sfn.Fail(
            self,
            f"The deletion in {group} failed",
            error="PersonalizeResourceFailed",
            cause_path=sfn.JsonPath.string_at("$.found.DataDeletionJob.FailureReason"),
        )
        status = "$.found.DataDeletionJob.Status"
        is_done = (
            sfn.Choice(self, f"Are the users gone from {group}?")
            .when(sfn.Condition.string_equals(status, "COMPLETED"), done)
            .when(sfn.Condition.string_equals(status, "FAILED"), failed)
            .otherwise(wait.next(follow))
        )
        look.add_catch(absent, errors=[NOT_FOUND])
        look.next(start)
        start.next(follow)
        follow.next(is_done)
        self.chain = sfn.Chain.start(look)
