"""AWS::StepFunctions."""

from __future__ import annotations

import json
import re
from typing import Any

from localcloud.cloudformation.provider import Created, Properties, Provider, Scope, camel, tag_list


class StateMachine(Provider):
    """A state machine, its definition's substitutions made."""

    type = "AWS::StepFunctions::StateMachine"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the state machine."""
        name = properties.get("StateMachineName") or scope.generated_name(80)
        arn = scope.client("stepfunctions").create_state_machine(
            name=name,
            type=properties.get("StateMachineType", "STANDARD"),
            tags=tag_list(scope.tags(properties), "key", "value"),
            **_settings(properties, scope),
        )["stateMachineArn"]
        return Created(arn, {"Arn": arn, "Name": name, "StateMachineRevisionId": "1"})

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:
        """Change the same state machine; a new name or type is a new one."""
        if any(properties.get(name) != old.get(name) for name in ("StateMachineName", "StateMachineType")):
            return super().update(created, properties, old, scope)
        scope.client("stepfunctions").update_state_machine(
            stateMachineArn=created.physical_id, **_settings(properties, scope)
        )
        return created

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the state machine."""
        scope.client("stepfunctions").delete_state_machine(stateMachineArn=created.physical_id)


def _settings(properties: Properties, scope: Scope) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "roleArn": properties["RoleArn"],
        "definition": _definition(properties, scope),
    }
    for name in ("LoggingConfiguration", "TracingConfiguration", "EncryptionConfiguration"):
        if name in properties:
            settings[name[:1].lower() + name[1:]] = camel(properties[name])
    return settings


def _definition(properties: Properties, scope: Scope) -> str:
    """Return the definition's text from wherever the template keeps it, substitutions made."""
    if "DefinitionString" in properties:
        text = str(properties["DefinitionString"])
    elif "DefinitionS3Location" in properties:
        location = properties["DefinitionS3Location"]
        body = scope.client("s3").get_object(Bucket=location["Bucket"], Key=location["Key"])["Body"]
        text = body.read().decode()
    else:
        text = json.dumps(properties["Definition"])
    values = properties.get("DefinitionSubstitutions", {})
    return re.sub(r"\$\{(\w+)\}", lambda match: str(values.get(match[1], match[0])), text)


PROVIDERS: tuple[Provider, ...] = (StateMachine(),)
