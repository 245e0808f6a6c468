"""Permissions by the exact action: CDK's own grants for S3, KMS, SQS and DynamoDB hold wildcard actions."""

from __future__ import annotations

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs

READ_OBJECTS = ("s3:GetObject", "s3:GetObjectVersion")
WRITE_OBJECTS = ("s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload")
USE_KEY = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey")
READ_ITEMS = ("dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query")
WRITE_ITEMS = ("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem")


def let_read(role: iam.IGrantable, bucket: s3.IBucket, prefix: str = "*") -> None:
    """Let a role list a bucket and read the objects below a prefix."""
    _allow(role, [bucket.bucket_arn], "s3:ListBucket", "s3:GetBucketLocation")
    _allow(role, [bucket.arn_for_objects(prefix)], *READ_OBJECTS)


def let_write(role: iam.IGrantable, bucket: s3.IBucket, prefix: str = "*") -> None:
    """Let a role list a bucket and read, write and delete the objects below a prefix."""
    let_read(role, bucket, prefix)
    _allow(role, [bucket.arn_for_objects(prefix)], *WRITE_OBJECTS, "s3:ListMultipartUploadParts")


def let_add(role: iam.IGrantable, bucket: s3.IBucket, prefix: str) -> None:
    """Let a role write new objects below a prefix, and no more."""
    _allow(role, [bucket.arn_for_objects(prefix)], "s3:PutObject")


def let_read_asset(role: iam.IGrantable, asset: assets.Asset) -> None:
    """Let a role read one asset."""
    _allow(role, [asset.bucket.arn_for_objects(asset.s3_object_key)], *READ_OBJECTS)


def let_use_key(role: iam.IGrantable, key: kms.IKey) -> None:
    """Let a role encrypt and decrypt with a key."""
    key.grant(role, *USE_KEY)


def let_use_table(role: iam.IGrantable, table: dynamodb.ITable, *, write: bool) -> None:
    """Let a role read, or also write, a table's items."""
    _allow(role, [table.table_arn], *READ_ITEMS, *(WRITE_ITEMS if write else ()))


def let_read_secret(role: iam.IGrantable, secret: secretsmanager.ISecret) -> None:
    """Let a role read a secret's value."""
    _allow(role, [secret.secret_arn], "secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret")


def let_send(role: iam.IGrantable, queue: sqs.IQueue) -> None:
    """Let a role send to a queue."""
    _allow(role, [queue.queue_arn], "sqs:SendMessage", "sqs:GetQueueUrl", "sqs:GetQueueAttributes")


def _allow(role: iam.IGrantable, resources: list[str], *actions: str) -> None:
    role.grant_principal.add_to_principal_policy(
        iam.PolicyStatement(actions=list(actions), resources=resources)
    )
