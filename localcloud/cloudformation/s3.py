"""AWS::S3."""

from __future__ import annotations

import json

from botocore.exceptions import ClientError

from localcloud.cloudformation.bucket_settings import configure, empty
from localcloud.cloudformation.provider import Created, Properties, Provider, Scope, tag_map

EMPTIED_BY_CDK = "aws-cdk:auto-delete-objects"


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

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:
        """Remove an empty bucket; one with objects in it is refused, as on AWS.

        A bucket that the CDK has emptied may have got access logs since: of the requests that emptied and
        removed others. AWS delivers those an hour later; here they come at once.
        """
        s3 = scope.client("s3")
        if tag_map(properties.get("Tags")).get(EMPTIED_BY_CDK) == "true":
            empty(s3, created.physical_id)
        s3.delete_bucket(Bucket=created.physical_id)

    def _configured(self, name: str, properties: Properties, scope: Scope) -> Created:
        configure(scope.client("s3"), name, properties, scope.tags(properties))
        return Created(
            name,
            {
                "Arn": f"arn:aws:s3:::{name}",
                "DomainName": f"{name}.s3.amazonaws.com",
                "DualStackDomainName": f"{name}.s3.dualstack.{scope.region}.amazonaws.com",
                "RegionalDomainName": f"{name}.s3.{scope.region}.amazonaws.com",
                "WebsiteURL": f"http://{name}.s3-website.{scope.region}.amazonaws.com",
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


PROVIDERS: tuple[Provider, ...] = (Bucket(), BucketPolicy())
