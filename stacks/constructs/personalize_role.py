"""The role that Personalize takes to read imports and to write batch output."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.constructs.grants import let_read, let_use_key, let_write


class PersonalizeRole(iam.Role):
    """May be assumed by Personalize for this account alone; reads and writes the buckets it is given."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        reads: Sequence[s3.IBucket] = (),
        writes: Sequence[s3.IBucket] = (),
        key: kms.IKey,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            assumed_by=iam.ServicePrincipal(
                "personalize.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(scope).account}},
            ),
        )
        for bucket in reads:
            let_read(self, bucket)
        for bucket in writes:
            let_write(self, bucket)
        let_use_key(self, key)
