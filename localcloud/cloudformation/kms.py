"""AWS::KMS."""

from __future__ import annotations

import json

from localcloud.cloudformation.provider import Created, Properties, Provider, Scope, pick, tag_list


class Key(Provider):
    """A customer managed key."""

    type = "AWS::KMS::Key"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the key with its policy and rotation."""
        kms = scope.client("kms")
        metadata = kms.create_key(
            **pick(properties, "Description", "KeyUsage", "KeySpec", "MultiRegion"),
            Policy=json.dumps(properties["KeyPolicy"]),
            Tags=tag_list(scope.tags(properties), "TagKey", "TagValue"),
        )["KeyMetadata"]
        if properties.get("EnableKeyRotation"):
            kms.enable_key_rotation(KeyId=metadata["KeyId"])
        return Created(metadata["KeyId"], {"Arn": metadata["Arn"], "KeyId": metadata["KeyId"]})

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:  # noqa: ARG002
        """Change the policy, the description and the rotation of the same key."""
        kms = scope.client("kms")
        kms.put_key_policy(
            KeyId=created.physical_id, PolicyName="default", Policy=json.dumps(properties["KeyPolicy"])
        )
        kms.update_key_description(KeyId=created.physical_id, Description=properties.get("Description", ""))
        rotate = kms.enable_key_rotation if properties.get("EnableKeyRotation") else kms.disable_key_rotation
        rotate(KeyId=created.physical_id)
        return created

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:
        """Schedule the key's deletion."""
        days = properties.get("PendingWindowInDays", 30)
        scope.client("kms").schedule_key_deletion(KeyId=created.physical_id, PendingWindowInDays=days)


class Alias(Provider):
    """A key's alias."""

    type = "AWS::KMS::Alias"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Name the key."""
        name = properties["AliasName"]
        scope.client("kms").create_alias(AliasName=name, TargetKeyId=properties["TargetKeyId"])
        return Created(name)

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:
        """Point the same name at another key; a new name is a new alias."""
        if properties["AliasName"] != old["AliasName"]:
            return super().update(created, properties, old, scope)
        scope.client("kms").update_alias(AliasName=created.physical_id, TargetKeyId=properties["TargetKeyId"])
        return created

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the name."""
        scope.client("kms").delete_alias(AliasName=created.physical_id)


PROVIDERS: tuple[Provider, ...] = (Key(), Alias())
