"""Storage: one key, four buckets, and the topic that hears of failures."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from config import ProjectConfig
from stacks.constructs.grants import let_use_key
from stacks.constructs.nag import acknowledge

PERSONALIZE = "personalize.amazonaws.com"
# Longer than any run that forgets users.
KEPT_OF_FORGETTING = cdk.Duration.days(30)


class StorageStack(cdk.Stack):
    """Encrypted, versioned, TLS-only buckets for raw data, datasets, results and access logs."""

    def __init__(self, scope: Construct, construct_id: str, *, project: ProjectConfig, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)
        keep = project.operations.keep_data_on_destroy
        self.removal_policy = cdk.RemovalPolicy.RETAIN if keep else cdk.RemovalPolicy.DESTROY

        self.key = kms.Key(
            self,
            "Key",
            alias=f"alias/{project.name}",
            description=f"Encrypts all data of {project.name}",
            enable_key_rotation=True,
            removal_policy=self.removal_policy,
        )
        for service in (PERSONALIZE, "cloudwatch.amazonaws.com", f"logs.{project.region}.amazonaws.com"):
            let_use_key(iam.ServicePrincipal(service), self.key)

        self.access_logs = self._access_log_bucket()
        self.raw = self._bucket("Raw")
        self.datasets = self._bucket("Datasets")
        self.datasets.add_lifecycle_rule(
            # What names forgotten users is itself forgotten, its deleted versions at once.
            prefix="privacy/",
            expiration=KEPT_OF_FORGETTING,
            noncurrent_version_expiration=cdk.Duration.days(1),
        )
        self.results = self._bucket("Results")
        self._let_personalize_use(self.datasets, "s3:GetObject", "s3:ListBucket")
        self._let_personalize_use(self.results, "s3:GetObject", "s3:PutObject", "s3:ListBucket")

        self.notifications = sns.Topic(self, "Notifications", master_key=self.key, enforce_ssl=True)
        for email in project.operations.notification_emails:
            self.notifications.add_subscription(subscriptions.EmailSubscription(email))

        cdk.CfnOutput(self, "RawBucket", value=self.raw.bucket_name)
        cdk.CfnOutput(self, "DatasetsBucket", value=self.datasets.bucket_name)
        cdk.CfnOutput(self, "ResultsBucket", value=self.results.bucket_name)
        cdk.CfnOutput(self, "AccessLogsBucket", value=self.access_logs.bucket_name)
        cdk.CfnOutput(self, "NotificationTopic", value=self.notifications.topic_arn)

    def _bucket(self, name: str) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            name,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            versioned=True,
            server_access_logs_bucket=self.access_logs,
            server_access_logs_prefix=f"{name.lower()}/",
            removal_policy=self.removal_policy,
        )
        bucket.add_lifecycle_rule(
            abort_incomplete_multipart_upload_after=cdk.Duration.days(7),
            noncurrent_version_expiration=cdk.Duration.days(90),
        )
        return bucket

    def _access_log_bucket(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "AccessLogs",
            # S3 log delivery writes to buckets with S3's own keys only.
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            versioned=True,
            removal_policy=self.removal_policy,
        )
        bucket.add_lifecycle_rule(expiration=cdk.Duration.days(365))
        acknowledge(
            bucket, {"AwsSolutions-S1": "It receives the access logs; logging itself would never end."}
        )
        return bucket

    def _let_personalize_use(self, bucket: s3.Bucket, *actions: str) -> None:
        """Personalize reads imports and writes batch output as itself, besides the role it is given."""
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(PERSONALIZE)],
                actions=list(actions),
                resources=[bucket.bucket_arn, bucket.arn_for_objects("*")],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
