"""Deploys a template: resources in the order of their references, failures named and rolled back."""

from __future__ import annotations

import copy
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from moto.cloudformation import parsing
from moto.cloudformation.models import Event, Stack

from localcloud.cloudformation.provider import Created, Provider, Scope
from localcloud.context import CloudContext

SUB_REFERENCE = re.compile(r"\$\{([^!}.]+)(?:\.[^}]*)?\}")
# How long a request waits for the deployment that it started.
REQUEST_SECONDS = 20
GONE = re.compile(r"NotFound|NoSuch|DoesNotExist|NonExistent|NonexistentItem")
IGNORED_TYPES = {"AWS::CDK::Metadata"}


class ResourceFailedError(Exception):
    """A resource could not be made; the message is what CloudFormation shows as its status reason."""

    def __init__(self, logical_id: str, reason: str) -> None:
        super().__init__(f"{logical_id}: {reason}")
        self.logical_id = logical_id
        self.reason = reason


class ProvidedResource:
    """A resource made by a provider, in the form that moto's template functions read."""

    def __init__(
        self, created: Created, properties: dict[str, Any], logical_id: str, resource_type: str
    ) -> None:
        self.created = created
        self.properties = properties
        self.logical_resource_id = logical_id
        self.type = self.cf_resource_type = resource_type

    @property
    def physical_resource_id(self) -> str:
        """What Ref returns."""
        return self.created.physical_id

    def is_created(self) -> bool:
        """Providers return when the resource is there."""
        return True

    def get_cfn_attribute(self, attribute_name: str) -> Any:
        """Return what Fn::GetAtt returns. Raises ResourceFailedError for an unknown attribute."""
        try:
            return self.created.attributes[attribute_name]
        except KeyError:
            raise ResourceFailedError(
                self.logical_resource_id, f"localcloud has no attribute {attribute_name} of {self.type}"
            ) from None

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:  # noqa: ARG003
        """Attributes are checked when they are read: they differ by provider."""
        return True


@dataclass
class StackEngine:
    """Applies templates to one moto stack."""

    stack: Stack
    context: CloudContext
    provider_of: Callable[[str], Provider | None]

    def apply(self, template: dict[str, Any], parameters: dict[str, Any] | None) -> None:
        """Bring the stack to `template`. Raises ResourceFailedError at the first resource that fails."""
        resource_map: Any = self.stack.resource_map
        old_template = resource_map._template or {"Resources": {}}
        old_resources: dict[str, Any] = dict(resource_map._resource_json_map)
        self._load(template, parameters)
        for logical_id in in_dependency_order(template["Resources"]):
            self._ensure(logical_id, template["Resources"][logical_id], old_resources.get(logical_id))
        removed = [
            key for key in in_dependency_order(old_template["Resources"]) if key not in template["Resources"]
        ]
        for logical_id in reversed(removed):
            self._remove(logical_id, old_resources[logical_id])

    def remove_all(self) -> None:
        """Delete every resource, those that refer to others first. Retained ones stay."""
        resources: dict[str, Any] = self.stack.resource_map._resource_json_map
        for logical_id in reversed(in_dependency_order(resources)):
            self._remove(logical_id, resources[logical_id])

    def _load(self, template: dict[str, Any], parameters: dict[str, Any] | None) -> None:
        resource_map: Any = self.stack.resource_map
        resource_map._template = template
        resource_map._resource_json_map = template["Resources"]
        if parameters:
            resource_map.input_parameters = parameters
        resource_map.load_mapping()
        resource_map.load_parameters()
        resource_map.load_conditions()

    def _ensure(self, logical_id: str, definition: dict[str, Any], old: dict[str, Any] | None) -> None:
        resource_map: Any = self.stack.resource_map
        if self._is_left_out(definition):
            if old is not None:
                self._remove(logical_id, old)
            resource_map._parsed_resources[logical_id] = None
            return
        existing = resource_map._parsed_resources.get(logical_id)
        if existing is not None and old is not None and old["Type"] != definition["Type"]:
            self._remove(logical_id, old)
            existing = None
        verb = "UPDATE" if existing is not None else "CREATE"
        try:
            provider = self.provider_of(definition["Type"])
            if provider is not None:
                changed = self._provide(logical_id, definition, provider, existing)
            else:
                changed = self._by_moto(logical_id, definition, existing, old)
        except Exception as error:
            reason = reason_of(error)
            self._event(logical_id, definition["Type"], f"{verb}_FAILED", reason)
            raise ResourceFailedError(logical_id, reason) from error
        if changed:
            self._event(logical_id, definition["Type"], f"{verb}_COMPLETE", None)

    def _is_left_out(self, definition: dict[str, Any]) -> bool:
        resource_map: Any = self.stack.resource_map
        condition = definition.get("Condition")
        return definition["Type"] in IGNORED_TYPES or bool(
            condition and not resource_map.lazy_condition_map[condition]
        )

    def _provide(
        self, logical_id: str, definition: dict[str, Any], provider: Provider, existing: Any
    ) -> bool:
        resource_map: Any = self.stack.resource_map
        properties = parsing.clean_json(copy.deepcopy(definition.get("Properties", {})), resource_map)
        scope = self._scope(logical_id, definition["Type"])
        if isinstance(existing, ProvidedResource):
            if existing.properties == properties:
                return False
            self._event(logical_id, definition["Type"], "UPDATE_IN_PROGRESS", None)
            created = provider.update(existing.created, properties, existing.properties, scope)
        else:
            self._event(logical_id, definition["Type"], "CREATE_IN_PROGRESS", None)
            created = provider.create(properties, scope)
        resource = ProvidedResource(created, properties, logical_id, definition["Type"])
        resource_map._parsed_resources[logical_id] = resource
        return True

    def _by_moto(
        self, logical_id: str, definition: dict[str, Any], existing: Any, old: dict[str, Any] | None
    ) -> bool:
        """Leave the types without a provider to moto; a type that nobody provides is a failure."""
        resource_map: Any = self.stack.resource_map
        if parsing.resource_class_from_type(definition["Type"]) is None:
            raise ResourceFailedError(logical_id, f"localcloud does not provide {definition['Type']}")
        account_id, region = resource_map._account_id, resource_map._region_name
        if existing is None:
            resource_map._parsed_resources.pop(logical_id, None)
            if resource_map[logical_id] is None:
                raise ResourceFailedError(logical_id, f"{definition['Type']} was not created")
            return True
        if definition == old:
            return False
        changed = parsing.parse_and_update_resource(logical_id, definition, resource_map, account_id, region)
        resource_map._parsed_resources[logical_id] = changed or existing
        return True

    def _remove(self, logical_id: str, definition: dict[str, Any]) -> None:
        resource_map: Any = self.stack.resource_map
        resource = resource_map._parsed_resources.get(logical_id)
        retained = definition.get("DeletionPolicy") in {"Retain", "RetainExceptOnCreate"}
        if resource is not None and not retained:
            try:
                self._delete(logical_id, definition, resource)
            except Exception as error:
                reason = reason_of(error)
                self._event(logical_id, definition["Type"], "DELETE_FAILED", reason)
                raise ResourceFailedError(logical_id, reason) from error
        if resource is not None:
            verb = "DELETE_SKIPPED" if retained else "DELETE_COMPLETE"
            self._event(logical_id, definition["Type"], verb, None)
        resource_map._parsed_resources.pop(logical_id, None)

    def _delete(self, logical_id: str, definition: dict[str, Any], resource: Any) -> None:
        """Delete a resource; one that is gone already is no error, as on AWS."""
        provider = self.provider_of(definition["Type"])
        if not isinstance(resource, ProvidedResource) or provider is None:
            self.stack.resource_map._delete_resource(resource, definition)
            return
        try:
            provider.delete(
                resource.created, resource.properties, self._scope(logical_id, definition["Type"])
            )
        except ClientError as error:
            if not GONE.search(error.response["Error"]["Code"]):
                raise

    def _scope(self, logical_id: str, resource_type: str) -> Scope:
        return Scope(
            context=self.context,
            region=self.stack.region_name,
            stack_id=self.stack.stack_id,
            stack_name=self.stack.name,
            logical_id=logical_id,
            resource_type=resource_type,
            stack_tags=dict(self.stack.tags or {}),
        )

    def _event(self, logical_id: str, resource_type: str, status: str, reason: str | None) -> None:
        resource = self.stack.resource_map._parsed_resources.get(logical_id)
        self.stack.events.append(
            Event(
                stack_id=self.stack.stack_id,
                stack_name=self.stack.name,
                logical_resource_id=logical_id,
                physical_resource_id=str(getattr(resource, "physical_resource_id", "")),
                resource_type=resource_type,
                resource_status=status,
                resource_status_reason=reason,
                resource_properties=None,
            )
        )


def made_resources(stack: Any) -> list[Any]:
    """Return the resources of a stack that exist; moto's own list would make those that do not, yet."""
    parsed = stack.resource_map._parsed_resources
    made = (parsed.get(logical_id) for logical_id in stack.resource_map.resources)
    return [resource for resource in made if resource is not None]


def given_parameters(stack: Any) -> dict[str, Any]:
    """Return a stack's parameters as they were given, for the next deployment to use again.

    moto gives the values that it found for them, which for an SSM parameter is not its name.
    """
    slots = stack.resource_map._template.get("Parameters", {})
    defaults = {name: slot["Default"] for name, slot in slots.items() if "Default" in slot}
    return {**defaults, **(stack.parameters or {})}


def reason_of(error: Exception) -> str:
    """Return an error as a status reason."""
    return error.reason if isinstance(error, ResourceFailedError) else f"{type(error).__name__}: {error}"


def in_dependency_order(resources: dict[str, Any]) -> list[str]:
    """Return the logical ids so that each comes after all it refers to or depends on."""
    ordered: dict[str, None] = {}

    def visit(logical_id: str, path: tuple[str, ...]) -> None:
        if logical_id in ordered:
            return
        if logical_id in path:
            raise ResourceFailedError(logical_id, f"circular dependency: {' -> '.join([*path, logical_id])}")
        for dependency in _references(resources[logical_id]):
            if dependency in resources and dependency != logical_id:
                visit(dependency, (*path, logical_id))
        ordered[logical_id] = None

    for logical_id in resources:
        visit(logical_id, ())
    return list(ordered)


def _references(value: Any) -> Iterator[str]:
    """Yield every logical id that a piece of template names."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref" and isinstance(inner, str):
                yield inner
            elif key == "Fn::GetAtt":
                yield inner[0] if isinstance(inner, list) else inner.split(".")[0]
            elif key == "DependsOn":
                yield from [inner] if isinstance(inner, str) else inner
            elif key == "Fn::Sub":
                yield from SUB_REFERENCE.findall(inner if isinstance(inner, str) else inner[0])
                yield from _references(inner)
            else:
                yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def in_background(work: Any, *arguments: Any) -> None:
    """Run a deployment beside the request that started it, as CloudFormation does.

    The request waits for a short one: a client that finds the stack done at its first look (the CDK command
    line looks every five seconds) need not look again.
    """
    worker = threading.Thread(target=work, args=arguments, daemon=True, name="cloudformation")
    worker.start()
    worker.join(REQUEST_SECONDS)
