"""Every provider by its resource type."""

from __future__ import annotations

from localcloud.cloudformation import (
    apigateway,
    athena,
    awslambda,
    cloudwatch,
    dynamodb,
    glue,
    iam,
    kms,
    messaging,
    s3,
    scheduler,
    ssm,
    stepfunctions,
    wafv2,
)
from localcloud.cloudformation.provider import Provider

MODULES = (
    apigateway, athena, awslambda, cloudwatch, dynamodb, glue, iam, kms, messaging, s3, scheduler, ssm,
    stepfunctions, wafv2,
)  # fmt: skip

PROVIDERS: dict[str, Provider] = {
    provider.type: provider for module in MODULES for provider in module.PROVIDERS
}
