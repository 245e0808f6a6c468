"""cdk-nag findings that are accepted, each with its reason, as close to its resource as they can be."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from constructs import IConstruct


def acknowledge(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Accept findings on a construct; wildcards are named in full: `AwsSolutions-IAM5[Resource::*]`."""
    validations = cdk.Validations.of(construct)
    for finding, reason in reasons.items():
        validations.acknowledge(cdk.Acknowledgment(id=finding, reason=reason))
