"""AWS::DynamoDB."""

from __future__ import annotations

from typing import Any

from localcloud.cloudformation.provider import Created, Properties, Provider, Scope, pick, tag_list

FIELDS = (
    "KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes", "LocalSecondaryIndexes", "BillingMode",
    "ProvisionedThroughput", "DeletionProtectionEnabled", "TableClass",
)  # fmt: skip


class Table(Provider):
    """A table."""

    type = "AWS::DynamoDB::Table"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the table with its encryption, streams, time to live and backups."""
        dynamodb, name = scope.client("dynamodb"), properties.get("TableName") or scope.generated_name(255)
        description = dynamodb.create_table(
            TableName=name,
            **pick(properties, *FIELDS),
            **_encryption(properties),
            **_stream(properties),
            Tags=tag_list(scope.tags(properties)),
        )["TableDescription"]
        _configure(dynamodb, name, properties)
        attributes = {"Arn": description["TableArn"]}
        if "LatestStreamArn" in description:
            attributes["StreamArn"] = description["LatestStreamArn"]
        return Created(name, attributes)

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:
        """Change the settings of the same table; new keys or a new name are a new table."""
        if any(
            properties.get(name) != old.get(name)
            for name in ("TableName", "KeySchema", "LocalSecondaryIndexes")
        ):
            return super().update(created, properties, old, scope)
        dynamodb = scope.client("dynamodb")
        changes = pick(properties, "BillingMode", "DeletionProtectionEnabled", "ProvisionedThroughput")
        if changes:
            dynamodb.update_table(TableName=created.physical_id, **changes)
        _configure(dynamodb, created.physical_id, properties)
        return created

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the table."""
        scope.client("dynamodb").delete_table(TableName=created.physical_id)


def _encryption(properties: Properties) -> dict[str, Any]:
    settings = properties.get("SSESpecification")
    if not settings:
        return {}
    return {
        "SSESpecification": {"Enabled": settings["SSEEnabled"], **pick(settings, "SSEType", "KMSMasterKeyId")}
    }


def _stream(properties: Properties) -> dict[str, Any]:
    view = properties.get("StreamSpecification", {}).get("StreamViewType")
    return {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": view}} if view else {}


def _configure(dynamodb: Any, name: str, properties: Properties) -> None:
    if settings := properties.get("TimeToLiveSpecification"):
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=settings)
    if settings := properties.get("PointInTimeRecoverySpecification"):
        dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=settings)


PROVIDERS: tuple[Provider, ...] = (Table(),)
