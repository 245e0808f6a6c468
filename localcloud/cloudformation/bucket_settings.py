"""A bucket's properties as CloudFormation writes them, put on the bucket as S3's API wants them."""

from __future__ import annotations

import re
from typing import Any

from localcloud.cloudformation.provider import Properties, pick, tag_list

READ_PROPERTIES = {
    "AccessControl", "BucketEncryption", "BucketName", "CorsConfiguration", "LifecycleConfiguration",
    "LoggingConfiguration", "NotificationConfiguration", "ObjectLockEnabled", "OwnershipControls",
    "PublicAccessBlockConfiguration", "Tags", "VersioningConfiguration", "WebsiteConfiguration",
}  # fmt: skip
MOST_DELETED = 1000
TARGETS = {
    "LambdaConfigurations": ("LambdaFunctionConfigurations", "Function", "LambdaFunctionArn"),
    "QueueConfigurations": ("QueueConfigurations", "Queue", "QueueArn"),
    "TopicConfigurations": ("TopicConfigurations", "Topic", "TopicArn"),
}


class UnreadPropertyError(ValueError):
    """The template asks for something of a bucket that localcloud does not do."""


def configure(s3: Any, name: str, properties: Properties, tags: dict[str, str]) -> None:
    """Bring the bucket to its properties; what is not among them (any more) is taken away."""
    if unread := set(properties) - READ_PROPERTIES:
        raise UnreadPropertyError(f"localcloud does not read {', '.join(sorted(unread))} of a bucket")
    _protect(s3, name, properties)
    if properties.get("VersioningConfiguration"):
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=properties["VersioningConfiguration"])
    logging = properties.get("LoggingConfiguration")
    s3.put_bucket_logging(Bucket=name, BucketLoggingStatus=_logging(name, logging) if logging else {})
    if lifecycle := properties.get("LifecycleConfiguration"):
        rules = {"Rules": [_lifecycle_rule(rule) for rule in lifecycle["Rules"]]}
        s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration=rules)
    else:
        s3.delete_bucket_lifecycle(Bucket=name)
    if cors := properties.get("CorsConfiguration"):
        rules = {"CORSRules": [_cors_rule(rule) for rule in cors["CorsRules"]]}
        s3.put_bucket_cors(Bucket=name, CORSConfiguration=rules)
    if website := properties.get("WebsiteConfiguration"):
        s3.put_bucket_website(Bucket=name, WebsiteConfiguration=_website(website))
    if "NotificationConfiguration" in properties:
        notifications = _notifications(properties["NotificationConfiguration"])
        s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=notifications)
    if tags:
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_list(tags)})


def empty(s3: Any, name: str) -> None:
    """Remove every version of every object in the bucket."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
        doomed = [
            {"Key": version["Key"], "VersionId": version["VersionId"]}
            for version in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        ]
        for start in range(0, len(doomed), MOST_DELETED):
            batch = {"Objects": doomed[start : start + MOST_DELETED], "Quiet": True}
            s3.delete_objects(Bucket=name, Delete=batch)


def _protect(s3: Any, name: str, properties: Properties) -> None:
    if rules := properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration"):
        s3.put_bucket_encryption(
            Bucket=name,
            ServerSideEncryptionConfiguration={"Rules": [_encryption_rule(rule) for rule in rules]},
        )
    if block := properties.get("PublicAccessBlockConfiguration"):
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block)
    if ownership := properties.get("OwnershipControls"):
        s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=ownership)
    if access := properties.get("AccessControl"):
        s3.put_bucket_acl(Bucket=name, ACL=re.sub(r"(?<=[a-z])(?=[A-Z])", "-", access).lower())


def _encryption_rule(rule: Properties) -> dict[str, Any]:
    return {
        "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
        **pick(rule, "BucketKeyEnabled"),
    }


def _logging(name: str, logging: Properties) -> dict[str, Any]:
    target = logging.get("DestinationBucketName", name)
    return {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": logging.get("LogFilePrefix", "")}}


def _cors_rule(rule: Properties) -> dict[str, Any]:
    result = pick(rule, "AllowedHeaders", "AllowedMethods", "AllowedOrigins")
    if "ExposedHeaders" in rule:
        result["ExposeHeaders"] = rule["ExposedHeaders"]
    if "MaxAge" in rule:
        result["MaxAgeSeconds"] = rule["MaxAge"]
    return result


def _website(website: Properties) -> dict[str, Any]:
    result = pick(website, "RedirectAllRequestsTo", "RoutingRules")
    if "IndexDocument" in website:
        result["IndexDocument"] = {"Suffix": website["IndexDocument"]}
    if "ErrorDocument" in website:
        result["ErrorDocument"] = {"Key": website["ErrorDocument"]}
    return result


def _lifecycle_rule(rule: Properties) -> dict[str, Any]:
    result: dict[str, Any] = {"Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "Id" in rule:
        result["ID"] = rule["Id"]
    if "ExpirationInDays" in rule:
        result["Expiration"] = {"Days": rule["ExpirationInDays"]}
    if rule.get("ExpiredObjectDeleteMarker"):
        result["Expiration"] = {"ExpiredObjectDeleteMarker": True}
    if "NoncurrentVersionExpirationInDays" in rule:
        result["NoncurrentVersionExpiration"] = {"NoncurrentDays": rule["NoncurrentVersionExpirationInDays"]}
    result.update(pick(rule, "NoncurrentVersionExpiration"))
    if abort := rule.get("AbortIncompleteMultipartUpload"):
        result["AbortIncompleteMultipartUpload"] = abort
    if transitions := rule.get("Transitions"):
        result["Transitions"] = [
            {"Days": move["TransitionInDays"], "StorageClass": move["StorageClass"]} for move in transitions
        ]
    if transitions := rule.get("NoncurrentVersionTransitions"):
        result["NoncurrentVersionTransitions"] = [
            {"NoncurrentDays": move["TransitionInDays"], "StorageClass": move["StorageClass"]}
            for move in transitions
        ]
    return result


def _notifications(configuration: Properties) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for source, (target, field, arn) in TARGETS.items():
        if entries := configuration.get(source):
            result[target] = [
                {arn: entry[field], "Events": [entry["Event"]], **_key_filter(entry)} for entry in entries
            ]
    if "EventBridgeConfiguration" in configuration:
        result["EventBridgeConfiguration"] = {}
    return result


def _key_filter(entry: Properties) -> dict[str, Any]:
    rules = entry.get("Filter", {}).get("S3Key", {}).get("Rules")
    return {"Filter": {"Key": {"FilterRules": rules}}} if rules else {}
