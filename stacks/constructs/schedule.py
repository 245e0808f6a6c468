"""A state machine started by EventBridge Scheduler."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.constructs.grants import let_use_key


class Schedule(Construct):
    """Starts a state machine by a rate or cron expression, with an input that is empty by default."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        expression: str,
        machine: sfn.IStateMachine,
        key: kms.IKey,
        execution_input: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com"))
        machine.grant_start_execution(role)
        let_use_key(role, key)
        scheduler.CfnSchedule(
            self,
            "Schedule",
            schedule_expression=expression,
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            kms_key_arn=key.key_arn,
            target=scheduler.CfnSchedule.TargetProperty(
                arn=machine.state_machine_arn,
                role_arn=role.role_arn,
                input=json.dumps(execution_input or {}),
            ),
        )
