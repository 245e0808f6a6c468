"""A Lambda function of this project: packaged by pip, logged, traced, with the shared layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from config.compute import LambdaConfig
from stacks.constructs import lambda_package
from stacks.constructs.nag import acknowledge
from stacks.constructs.state_machine import RETENTION


def shared_layer(scope: Construct, functions: LambdaConfig) -> lambda_.LayerVersion:
    """Return the stack's layer with powertools and the modules that functions share."""
    target = lambda_package.target(functions)
    return lambda_.LayerVersion(
        scope,
        "SharedLayer",
        code=lambda_package.shared_layer(functions),
        compatible_runtimes=[target.runtime],
        compatible_architectures=[target.architecture],
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )


class PythonFunction(lambda_.Function):
    """One handler of a folder of `lambdas`, with a role that may write its own log and nothing else."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        folder: str,
        handler: str,
        environment: Mapping[str, str],
        functions: LambdaConfig,
        layer: lambda_.ILayerVersion,
        service: str,
        log_retention_days: int,
        timeout_seconds: int = 30,
        memory_mb: int = 512,
        **kwargs: Any,
    ) -> None:
        target = lambda_package.target(functions)
        log_group = logs.LogGroup(
            scope,
            f"{construct_id}Log",
            retention=RETENTION[log_retention_days],
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        role = iam.Role(scope, f"{construct_id}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(role)
        super().__init__(
            scope,
            construct_id,
            runtime=target.runtime,
            architecture=target.architecture,
            handler=handler,
            code=lambda_package.package(folder, functions),
            layers=[layer],
            role=role,
            environment={
                "POWERTOOLS_SERVICE_NAME": service,
                "POWERTOOLS_LOG_LEVEL": "INFO",
                **environment,
            },
            timeout=cdk.Duration.seconds(timeout_seconds),
            memory_size=memory_mb,
            tracing=lambda_.Tracing.ACTIVE,
            log_group=log_group,
            **kwargs,
        )
        acknowledge(
            self,
            {"AwsSolutions-L1": "The runtime is a configuration value; localcloud runs the host's Python."},
        )
