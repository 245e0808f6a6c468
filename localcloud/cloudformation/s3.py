"""AWS::S3."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from localcloud.cloudformation.provider import Created, Properties, Provider, Scope, tag_list


class Bucket(Provider):
    """A bucket with its encryption, versioning, logging, lifecycle, access block and notifications."""

    type = "AWS::S3::Bucket"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the bucket and configure it."""
        name = properties.get("BucketName") or scope.generated_name(63).lower()
        location = {} if scope.region == "us-east-1" else {
            "CreateBucketConfiguration": {"LocationConstraint": scope.region}
        }  # fmt: skip
        scope.client("s3").create_bucket(Bucket=name, **location)
        return self._configured(name, properties, scope)

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:
        """Configure the same bucket again; a new name is a new bucket."""
        if properties.get("BucketName") != old.get("BucketName"):
            return super().update(created, properties, old, scope)
        return self._configured(created.physical_id, properties, scope)

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove an empty bucket; one with objects in it is refused, as on AWS."""
        scope.client("s3").delete_bucket(Bucket=created.physical_id)

    def _configured(self, name: str, properties: Properties, scope: Scope) -> Created:
        s3 = scope.client("s3")
        if rules := properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration"):
            s3.put_bucket_encryption(
                Bucket=name,
                ServerSideEncryptionConfiguration={"Rules": [_encryption_rule(rule) for rule in rules]},
            )
        if versioning := properties.get("VersioningConfiguration"):
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=versioning)
        if block := properties.get("PublicAccessBlockConfiguration"):
            s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block)
        if logging := properties.get("LoggingConfiguration"):
            _log_access(s3, name, logging)
        if lifecycle := properties.get("LifecycleConfiguration"):
            s3.put_bucket_lifecycle_configuration(
                Bucket=name,
                LifecycleConfiguration={"Rules": [_lifecycle_rule(rule) for rule in lifecycle["Rules"]]},
            )
        if tags := scope.tags(properties):
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_list(tags)})
        return Created(
            name,
            {
                "Arn": f"arn:aws:s3:::{name}",
                "DomainName": f"{name}.s3.amazonaws.com",
                "RegionalDomainName": f"{name}.s3.{scope.region}.amazonaws.com",
            },
        )


class BucketPolicy(Provider):
    """A bucket's policy."""

    type = "AWS::S3::BucketPolicy"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Put the policy on the bucket."""
        bucket = properties["Bucket"]
        scope.client("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps(properties["PolicyDocument"]))
        return Created(bucket)

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:  # noqa: ARG002
        """Put the new policy over the old."""
        return self.create(properties, scope)

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Take the policy off the bucket, if the bucket is still there."""
        try:
            scope.client("s3").delete_bucket_policy(Bucket=created.physical_id)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchBucket":
                raise


def _encryption_rule(rule: Properties) -> dict[str, Any]:
    result: dict[str, Any] = {"ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"]}
    if "BucketKeyEnabled" in rule:
        result["BucketKeyEnabled"] = rule["BucketKeyEnabled"]
    return result


def _log_access(s3: Any, name: str, logging: Properties) -> None:
    target = logging.get("DestinationBucketName", name)
    prefix = logging.get("LogFilePrefix", "")
    s3.put_bucket_logging(
        Bucket=name, BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": prefix}}
    )


def _lifecycle_rule(rule: Properties) -> dict[str, Any]:
    result: dict[str, Any] = {"Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "Id" in rule:
        result["ID"] = rule["Id"]
    if "ExpirationInDays" in rule:
        result["Expiration"] = {"Days": rule["ExpirationInDays"]}
    if noncurrent := rule.get("NoncurrentVersionExpiration"):
        result["NoncurrentVersionExpiration"] = noncurrent
    if abort := rule.get("AbortIncompleteMultipartUpload"):
        result["AbortIncompleteMultipartUpload"] = abort
    if transitions := rule.get("Transitions"):
        result["Transitions"] = [
            {"Days": move["TransitionInDays"], "StorageClass": move["StorageClass"]} for move in transitions
        ]
    return result


PROVIDERS: tuple[Provider, ...] = (Bucket(), BucketPolicy())
