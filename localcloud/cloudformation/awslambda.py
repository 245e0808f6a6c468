"""AWS::Lambda."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from localcloud.cloudformation.provider import Created, Properties, Provider, Scope, pick

CONFIGURATION = (
    "Role", "Handler", "Description", "Timeout", "MemorySize", "VpcConfig", "DeadLetterConfig",
    "Environment", "KMSKeyArn",
    "TracingConfig", "Runtime", "Layers", "EphemeralStorage", "LoggingConfig",
)  # fmt: skip
MAPPING = (
    "EventSourceArn", "FunctionName", "Enabled", "BatchSize", "FilterCriteria",
    "MaximumBatchingWindowInSeconds",
    "StartingPosition", "FunctionResponseTypes", "ScalingConfig", "MaximumRetryAttempts",
)  # fmt: skip


class Function(Provider):
    """A function."""

    type = "AWS::Lambda::Function"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the function from its zip in S3 or its inline code."""
        client, name = scope.client("lambda"), properties.get("FunctionName") or scope.generated_name()
        arn = client.create_function(
            FunctionName=name,
            Code=_code(properties["Code"]),
            **pick(properties, *CONFIGURATION, "Architectures", "PackageType"),
            Tags=scope.tags(properties),
        )["FunctionArn"]
        _reserve(client, name, properties)
        return Created(name, {"Arn": arn})

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:
        """Change the code and the configuration of the same function; a new name is a new function."""
        if properties.get("FunctionName") != old.get("FunctionName"):
            return super().update(created, properties, old, scope)
        client, name = scope.client("lambda"), created.physical_id
        if properties["Code"] != old["Code"]:
            client.update_function_code(FunctionName=name, **_code(properties["Code"]))
        client.update_function_configuration(FunctionName=name, **pick(properties, *CONFIGURATION))
        _reserve(client, name, properties)
        return created

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the function."""
        scope.client("lambda").delete_function(FunctionName=created.physical_id)


class LayerVersion(Provider):
    """A version of a layer; a change is a new version."""

    type = "AWS::Lambda::LayerVersion"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Publish the version."""
        content = properties["Content"]
        arn = scope.client("lambda").publish_layer_version(
            LayerName=properties.get("LayerName") or scope.generated_name(),
            Content={"S3Bucket": content["S3Bucket"], "S3Key": content["S3Key"]},
            **pick(properties, "Description", "CompatibleRuntimes", "CompatibleArchitectures", "LicenseInfo"),
        )["LayerVersionArn"]
        return Created(arn, {"LayerVersionArn": arn})

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the version."""
        layer, version = created.physical_id.rsplit(":", 1)
        scope.client("lambda").delete_layer_version(LayerName=layer, VersionNumber=int(version))


class Permission(Provider):
    """A statement of a function's resource policy."""

    type = "AWS::Lambda::Permission"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Add the statement."""
        statement_id = scope.generated_name(100)
        scope.client("lambda").add_permission(
            StatementId=statement_id,
            **pick(properties, "FunctionName", "Action", "Principal", "SourceArn", "SourceAccount"),
        )
        return Created(statement_id, {"Id": statement_id})

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:
        """Remove the statement."""
        scope.client("lambda").remove_permission(
            FunctionName=properties["FunctionName"], StatementId=created.physical_id
        )


class EventSourceMapping(Provider):
    """A queue or stream that a function reads."""

    type = "AWS::Lambda::EventSourceMapping"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the mapping."""
        mapping_id = scope.client("lambda").create_event_source_mapping(**pick(properties, *MAPPING))["UUID"]
        return Created(mapping_id, {"Id": mapping_id})

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the mapping."""
        scope.client("lambda").delete_event_source_mapping(UUID=created.physical_id)


class Version(Provider):
    """A published version of a function."""

    type = "AWS::Lambda::Version"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Publish the function as it is."""
        published = scope.client("lambda").publish_version(FunctionName=properties["FunctionName"])
        arn, version = published["FunctionArn"], published["Version"]
        return Created(arn, {"Version": version, "FunctionArn": arn})

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:
        """Versions go with their function."""


class Alias(Provider):
    """A name of a version."""

    type = "AWS::Lambda::Alias"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Name the version."""
        arn = scope.client("lambda").create_alias(
            **pick(properties, "FunctionName", "Name", "FunctionVersion", "Description")
        )["AliasArn"]
        return Created(arn, {"AliasArn": arn})

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the name."""
        scope.client("lambda").delete_alias(FunctionName=properties["FunctionName"], Name=properties["Name"])


def _code(code: Properties) -> dict[str, Any]:
    if "ZipFile" not in code:
        return {"S3Bucket": code["S3Bucket"], "S3Key": code["S3Key"]}
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("index.py", code["ZipFile"])
    return {"ZipFile": archive.getvalue()}


def _reserve(client: Any, name: str, properties: Properties) -> None:
    concurrency = properties.get("ReservedConcurrentExecutions")
    if concurrency is not None:
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=int(concurrency))


PROVIDERS: tuple[Provider, ...] = (
    Function(), LayerVersion(), Permission(), EventSourceMapping(), Version(), Alias(),
)  # fmt: skip
