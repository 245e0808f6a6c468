"""AWS::DynamoDB."""

from __future__ import annotations

from typing import Any

from localcloud.cloudformation.provider import Created, Properties, Provider, Scope, pick, tag_list

FIELDS = (
    "KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes", "LocalSecondaryIndexes", "BillingMode",
    "ProvisionedThroughput", "DeletionProtectionEnabled", "TableClass",
)  # fmt: skip

# What a global table has in common with a table, and what its replicas have.
TABLE_FIELDS = (
    "TableName", "KeySchema", "AttributeDefinitions", "BillingMode", "StreamSpecification",
    "TimeToLiveSpecification", "LocalSecondaryIndexes",
)  # fmt: skip
REPLICA_FIELDS = ("DeletionProtectionEnabled", "TableClass", "Tags", "PointInTimeRecoverySpecification")


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
        _configure(dynamodb, name, properties, {})
        return Created(name, _attributes(description))

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:
        """Change the settings of the same table; new keys or a new name are a new table."""
        if any(
            properties.get(name) != old.get(name)
            for name in ("TableName", "KeySchema", "LocalSecondaryIndexes")
        ):
            return super().update(created, properties, old, scope)
        dynamodb, name = scope.client("dynamodb"), created.physical_id
        for name_of_change in ("BillingMode", "DeletionProtectionEnabled", "ProvisionedThroughput"):
            if properties.get(name_of_change) != old.get(name_of_change):
                dynamodb.update_table(TableName=name, **pick(properties, name_of_change))
        if _stream(properties) != _stream(old):
            dynamodb.update_table(
                TableName=name, **(_stream(properties) or {"StreamSpecification": {"StreamEnabled": False}})
            )
        _change_indexes(dynamodb, name, properties, old)
        _configure(dynamodb, name, properties, old)
        return Created(
            name, {**created.attributes, **_attributes(dynamodb.describe_table(TableName=name)["Table"])}
        )

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the table."""
        scope.client("dynamodb").delete_table(TableName=created.physical_id)


class GlobalTable(Provider):
    """A table with replicas: localcloud is one region, and the replica of that region is the table."""

    type = "AWS::DynamoDB::GlobalTable"

    def __init__(self) -> None:
        self._table = Table()

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the table of the stack's region. Raises ValueError for replicas in other regions."""
        return self._table.create(_as_table(properties, scope), scope)

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:
        """Change the same table."""
        return self._table.update(created, _as_table(properties, scope), _as_table(old, scope), scope)

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:
        """Remove the table."""
        self._table.delete(created, properties, scope)


def _as_table(properties: Properties, scope: Scope) -> dict[str, Any]:
    """Return the properties of a plain table that is the only replica."""
    replicas = properties["Replicas"]
    if [replica["Region"] for replica in replicas] != [scope.region]:
        raise ValueError("localcloud keeps a global table in the stack's region alone")
    replica = replicas[0]
    table = {
        **pick(properties, *TABLE_FIELDS),
        **pick(replica, *REPLICA_FIELDS),
    }
    if settings := properties.get("SSESpecification"):
        key = replica.get("SSESpecification", {}).get("KMSMasterKeyId")
        table["SSESpecification"] = {**settings, **({"KMSMasterKeyId": key} if key else {})}
    if indexes := properties.get("GlobalSecondaryIndexes"):
        table["GlobalSecondaryIndexes"] = [
            pick(index, "IndexName", "KeySchema", "Projection") for index in indexes
        ]
    if table.get("BillingMode") == "PROVISIONED":
        table["ProvisionedThroughput"] = _throughput(properties, replica)
    return table


def _throughput(properties: Properties, replica: Properties) -> dict[str, int]:
    """Return the smallest capacity of the auto scaling that the template asks for."""
    write = properties.get("WriteProvisionedThroughputSettings", {})
    read = replica.get("ReadProvisionedThroughputSettings", {})
    scaled_read = read.get("ReadCapacityAutoScalingSettings", {}).get("MinCapacity", 1)
    return {
        "ReadCapacityUnits": int(read.get("ReadCapacityUnits", scaled_read)),
        "WriteCapacityUnits": int(write.get("WriteCapacityAutoScalingSettings", {}).get("MinCapacity", 1)),
    }


def _attributes(description: Properties) -> dict[str, Any]:
    attributes = {"Arn": description["TableArn"], "TableId": description.get("TableId", "")}
    if "LatestStreamArn" in description:
        attributes["StreamArn"] = description["LatestStreamArn"]
    return attributes


def _change_indexes(dynamodb: Any, name: str, properties: Properties, old: Properties) -> None:
    wanted = {index["IndexName"]: index for index in properties.get("GlobalSecondaryIndexes", [])}
    existing = {index["IndexName"]: index for index in old.get("GlobalSecondaryIndexes", [])}
    updates: list[dict[str, Any]] = [
        {"Delete": {"IndexName": key}} for key in existing if wanted.get(key) != existing[key]
    ]
    updates += [{"Create": index} for key, index in wanted.items() if existing.get(key) != index]
    for update in updates:
        dynamodb.update_table(
            TableName=name,
            AttributeDefinitions=properties["AttributeDefinitions"],
            GlobalSecondaryIndexUpdates=[update],
        )


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


def _configure(dynamodb: Any, name: str, properties: Properties, old: Properties) -> None:
    settings = properties.get("TimeToLiveSpecification")
    if settings and settings != old.get("TimeToLiveSpecification"):
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=settings)
    if settings := properties.get("PointInTimeRecoverySpecification"):
        dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=settings)


PROVIDERS: tuple[Provider, ...] = (Table(), GlobalTable())
