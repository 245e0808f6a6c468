"""Every provider by its resource type."""

from __future__ import annotations

from localcloud.cloudformation import (
    apigateway,
    apigateway_access,
    athena,
    awslambda,
    cloudwatch,
    cognito,
    custom,
    dynamodb,
    events,
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
    apigateway, apigateway_access, athena, awslambda, cloudwatch, cognito, custom, dynamodb, events, glue,
    iam, kms, messaging, s3, scheduler, ssm, stepfunctions, wafv2,
)  # fmt: skip

PROVIDERS: dict[str, Provider] = {
    provider.type: provider for module in MODULES for provider in module.PROVIDERS
}


def provider_of(resource_type: str) -> Provider | None:
    """Return the provider of a type; every Custom:: type without one of its own is a custom resource."""
    if resource_type.startswith("Custom::"):
        return PROVIDERS.get(resource_type, PROVIDERS[custom.CustomResource.type])
    return PROVIDERS.get(resource_type)
