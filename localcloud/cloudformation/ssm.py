"""AWS::SSM and AWS::SecretsManager."""

from __future__ import annotations

import json
import secrets
import string

from localcloud.cloudformation.provider import Created, Properties, Provider, Scope, pick, tag_list

SECRET_LENGTH = 32


class Parameter(Provider):
    """A parameter."""

    type = "AWS::SSM::Parameter"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Write the parameter."""
        name = properties.get("Name") or scope.generated_name()
        scope.client("ssm").put_parameter(
            Name=name,
            **pick(properties, "Type", "Value", "Description", "AllowedPattern", "Tier"),
            Overwrite=True,
        )
        return Created(name, {"Type": properties["Type"], "Value": properties["Value"]})

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:
        """Write the new value; a new name is a new parameter."""
        if properties.get("Name") != old.get("Name"):
            return super().update(created, properties, old, scope)
        return self.create({**properties, "Name": created.physical_id}, scope)

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the parameter."""
        scope.client("ssm").delete_parameter(Name=created.physical_id)


class Secret(Provider):
    """A secret, generated where the template asks for that."""

    type = "AWS::SecretsManager::Secret"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the secret."""
        arn = scope.client("secretsmanager").create_secret(
            Name=properties.get("Name") or scope.generated_name(),
            **pick(properties, "Description", "KmsKeyId"),
            SecretString=properties.get("SecretString") or _generated(properties.get("GenerateSecretString")),
            Tags=tag_list(scope.tags(properties)),
        )["ARN"]
        return Created(arn, {"Id": arn})

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:  # noqa: ARG002
        """Change the description; a generated value is kept, as on AWS."""
        scope.client("secretsmanager").update_secret(
            SecretId=created.physical_id, **pick(properties, "Description", "KmsKeyId", "SecretString")
        )
        return created

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the secret."""
        scope.client("secretsmanager").delete_secret(
            SecretId=created.physical_id, ForceDeleteWithoutRecovery=True
        )


def _generated(settings: Properties | None) -> str:
    settings = settings or {}
    alphabet = string.ascii_letters + string.digits
    value = "".join(
        secrets.choice(alphabet) for _ in range(int(settings.get("PasswordLength", SECRET_LENGTH)))
    )
    if "GenerateStringKey" in settings:
        template = json.loads(settings.get("SecretStringTemplate", "{}"))
        return json.dumps({**template, settings["GenerateStringKey"]: value})
    return value


PROVIDERS: tuple[Provider, ...] = (Parameter(), Secret())
