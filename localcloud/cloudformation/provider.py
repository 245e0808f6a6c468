"""What a CloudFormation resource type needs: create, update and delete, by the service's own API.

The providers call the same public APIs that CloudFormation's own handlers call, so a deployed resource is
exactly what a boto3 user would have made.
"""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar

import boto3
from botocore.config import Config

from localcloud.context import ACCOUNT_ID, CloudContext

Properties = Mapping[str, Any]
HASH_LENGTH = 8


@dataclass(frozen=True)
class Created:
    """A resource as CloudFormation knows it: what Ref returns, and what Fn::GetAtt returns by name."""

    physical_id: str
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Scope:
    """Where a resource is being made: its stack, its logical id, and clients of the cloud."""

    context: CloudContext
    region: str
    stack_id: str
    stack_name: str
    logical_id: str
    resource_type: str
    stack_tags: dict[str, str] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """Return a client of this cloud in the stack's region."""
        return client(self.context.endpoint_url, service, self.region)

    def arn(self, service: str, resource: str) -> str:
        """Return an ARN in the stack's account and region."""
        return f"arn:aws:{service}:{self.region}:{ACCOUNT_ID}:{resource}"

    def generated_name(self, longest: int = 64) -> str:
        """Return the name CloudFormation gives when the template has none; the same at every deployment.

        A name that would be too long is cut, and ends in a hash: logical ids of the CDK's own constructs are
        long and the same in every stack.
        """
        name = f"{self.stack_name}-{re.sub(r'[^A-Za-z0-9]', '', self.logical_id)}"
        if len(name) <= longest:
            return name
        digest = hashlib.sha256(name.encode()).hexdigest()[:HASH_LENGTH]
        return f"{name[: longest - HASH_LENGTH - 1].rstrip('-')}-{digest}"

    def tags(self, properties: Properties) -> dict[str, str]:
        """Return the stack's tags with the resource's own laid over them."""
        return {**self.stack_tags, **tag_map(properties.get("Tags"))}


class Provider(ABC):
    """One resource type."""

    type: ClassVar[str]

    @abstractmethod
    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the resource; intrinsic functions in `properties` are resolved."""

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:
        """Bring the resource to `properties`. By default it is replaced."""
        self.delete(created, old, scope)
        return self.create(properties, scope)

    @abstractmethod
    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:
        """Remove the resource. A resource that is gone already is no error."""


class NamedProvider(Provider):
    """A resource type whose API writes a whole resource by its name, so that an update is another write."""

    name_property: ClassVar[str]

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:
        """Write the resource again; a new name is a new resource."""
        if properties.get(self.name_property) != old.get(self.name_property):
            return super().update(created, properties, old, scope)
        return self.create(properties, scope)


@cache
def client(endpoint_url: str, service: str, region: str) -> Any:
    """Return a client of the cloud at `endpoint_url`."""
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=endpoint_url,
        aws_access_key_id="localcloud",
        aws_secret_access_key="localcloud",  # noqa: S106 - localcloud checks no credentials
        config=Config(retries={"max_attempts": 0}, read_timeout=300),
    )


def pick(properties: Properties, *names: str) -> dict[str, Any]:
    """Return the named properties that are set."""
    return {name: properties[name] for name in names if properties.get(name) is not None}


def camel(value: Any) -> Any:
    """Return a structure with every key's first letter in lower case, as the newer APIs want it."""
    if isinstance(value, Mapping):
        return {key[:1].lower() + key[1:]: camel(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [camel(inner) for inner in value]
    return value


def camel_keys(properties: Properties, *names: str) -> dict[str, Any]:
    """Return the named properties under camel-case names, what is inside them left alone."""
    return {name[:1].lower() + name[1:]: value for name, value in pick(properties, *names).items()}


def tag_map(tags: Any) -> dict[str, str]:
    """Return tags as a mapping, from either of the forms that templates use."""
    if isinstance(tags, Mapping):
        return {str(key): str(value) for key, value in tags.items()}
    return {tag["Key"]: str(tag["Value"]) for tag in tags or []}


def tag_list(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Return tags as the list of pairs that most APIs want, with the given field names."""
    return [{key: name, value: content} for name, content in tags.items()]
