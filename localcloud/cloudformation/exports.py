"""Values that stacks export and others import: known by name, unique, and kept while they are used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import CloudFormationBackend, Stack

from localcloud.cloudformation.engine import ResourceFailedError


def publish(backend: CloudFormationBackend, stack: Stack) -> None:
    """Compute a stack's outputs, and make its exports known to the stacks that import them.

    Raises ResourceFailedError for a name that another stack exports, and for a missing one that is used.
    """
    stack.output_map = stack._create_output_map()
    exported = {export.name: export for export in stack.exports}
    for name, export in exported.items():
        known = backend.exports.get(name)
        if known is not None and known.exporting_stack_id != stack.stack_id:
            raise ResourceFailedError(name, "an export of this name exists in another stack")
        backend.exports[name] = export
    for name in set(_of(backend, stack)) - set(exported):
        if users := importers(backend, name, stack):
            raise ResourceFailedError(name, _in_use(name, users))
        del backend.exports[name]


def withdraw(backend: CloudFormationBackend, stack: Stack) -> None:
    """Forget the exports of a deleted stack."""
    for name in _of(backend, stack):
        del backend.exports[name]


def check_unused(backend: CloudFormationBackend, stack: Stack) -> None:
    """Raise ValidationError when another stack imports what this one exports."""
    for name in _of(backend, stack):
        if users := importers(backend, name, stack):
            raise ValidationError(message=_in_use(name, users))


def importers(backend: CloudFormationBackend, name: str, exporter: Stack) -> list[str]:
    """Return the names of the other stacks whose templates import the export."""
    return [
        stack.name
        for stack in backend.stacks.values()
        if stack.stack_id != exporter.stack_id and name in _imported_names(stack)
    ]


def _imported_names(stack: Any) -> set[str]:
    resource_map = stack.resource_map
    return {str(parsing.clean_json(value, resource_map)) for value in _imports(resource_map._template)}


def _imports(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "Fn::ImportValue":
                yield inner
            yield from _imports(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _imports(inner)


def _of(backend: CloudFormationBackend, stack: Stack) -> list[str]:
    return [name for name, export in backend.exports.items() if export.exporting_stack_id == stack.stack_id]


def _in_use(name: str, users: list[str]) -> str:
    return f"Export {name} cannot be deleted as it is in use by {', '.join(users)}"
