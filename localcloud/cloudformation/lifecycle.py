"""A stack's life: change sets executed beside the request, rolled back on failure; stacks deleted."""

from __future__ import annotations

import copy
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import ChangeSet, CloudFormationBackend, Stack

from localcloud.cloudformation.engine import ResourceFailedError, StackEngine, in_background
from localcloud.cloudformation.registry import PROVIDERS
from localcloud.context import CloudContext


class StackLifecycle:
    """Functions that take the place of moto's CloudFormationBackend methods."""

    def __init__(self, context: CloudContext) -> None:
        self._context = context

    @property
    def execute_change_set(self) -> Any:
        """Return the method that starts a deployment and answers at once."""

        def method(
            backend: CloudFormationBackend, change_set_name: str, stack_name: str | None = None
        ) -> None:
            change_set = _find_change_set(backend, change_set_name, stack_name)
            stack = backend.stacks[change_set.stack_id]
            verb = "UPDATE" if change_set.change_set_type == "UPDATE" else "CREATE"
            _mark(stack, f"{verb}_IN_PROGRESS", "User Initiated")
            change_set.execution_status = "EXECUTE_IN_PROGRESS"
            in_background(self._deploy, backend, stack, change_set, verb)

        return method

    @property
    def delete_stack(self) -> Any:
        """Return the method that starts a deletion and answers at once."""

        def method(backend: CloudFormationBackend, name_or_stack_id: str) -> None:
            for stack in list(backend.stacks.values()):
                if name_or_stack_id in {stack.name, stack.stack_id}:
                    _mark(stack, "DELETE_IN_PROGRESS", "User Initiated")
                    in_background(self._delete, backend, stack)

        return method

    def _deploy(self, backend: CloudFormationBackend, stack: Stack, change_set: ChangeSet, verb: str) -> None:
        engine = StackEngine(stack, self._context, PROVIDERS)
        before = copy.deepcopy(stack.template_dict) if verb == "UPDATE" else None
        stack.cross_stack_resources = backend.exports
        stack.resource_map.cross_stack_resources = backend.exports
        if change_set.tags is not None:
            stack.tags = change_set.tags
        try:
            engine.apply(change_set.template_dict, change_set.parameters)
            stack.template_dict = change_set.template_dict
            _publish_outputs(backend, stack)
        except Exception as error:  # noqa: BLE001 - a deployment's every failure ends in a rollback
            reason = (
                str(error) if isinstance(error, ResourceFailedError) else f"{type(error).__name__}: {error}"
            )
            change_set.execution_status = "EXECUTE_FAILED"
            self._roll_back(engine, stack, before, verb, reason)
            return
        stack.template = change_set.template
        stack.parameters = change_set.parameters
        stack.description = stack.template_dict.get("Description")
        change_set.execution_status = "EXECUTE_COMPLETE"
        _mark(stack, f"{verb}_COMPLETE")

    @staticmethod
    def _roll_back(
        engine: StackEngine, stack: Stack, before: dict[str, Any] | None, verb: str, reason: str
    ) -> None:
        state = "UPDATE_ROLLBACK" if verb == "UPDATE" else "ROLLBACK"
        _mark(stack, f"{state}_IN_PROGRESS", reason)
        try:
            if before is None:
                engine.remove_all()
            else:
                engine.apply(before, stack.parameters)
        except Exception as error:  # noqa: BLE001 - the stack must not stay in progress
            _mark(stack, f"{state}_FAILED", f"{reason}; the rollback failed too: {error}")
            return
        _mark(stack, f"{state}_COMPLETE", reason)

    def _delete(self, backend: CloudFormationBackend, stack: Stack) -> None:
        try:
            StackEngine(stack, self._context, PROVIDERS).remove_all()
        except Exception as error:  # noqa: BLE001 - the stack must not stay in progress
            _mark(stack, "DELETE_FAILED", f"{type(error).__name__}: {error}")
            return
        for name in [
            name for name, export in backend.exports.items() if export.exporting_stack_id == stack.stack_id
        ]:
            del backend.exports[name]
        _mark(stack, "DELETE_COMPLETE")
        backend.deleted_stacks[stack.stack_id] = stack
        backend.stacks.pop(stack.stack_id, None)


def _find_change_set(backend: CloudFormationBackend, name: str, stack_name: str | None) -> ChangeSet:
    for change_set_id, change_set in reversed(backend.change_sets.items()):
        in_stack = stack_name in {None, change_set.stack_name, change_set.stack_id}
        if name == change_set_id or (name == change_set.change_set_name and in_stack):
            return change_set
    raise ValidationError(message=f"ChangeSet [{name}] does not exist")


def _publish_outputs(backend: CloudFormationBackend, stack: Stack) -> None:
    """Compute the outputs, and make the exports known to the stacks that import them."""
    stack.output_map = stack._create_output_map()
    for export in stack.exports:
        known = backend.exports.get(export.name)
        if known is not None and known.exporting_stack_id != stack.stack_id:
            raise ResourceFailedError(export.name, "an export of this name exists in another stack")
        backend.exports[export.name] = export


def _mark(stack: Any, status: str, reason: str | None = None) -> None:
    stack.status = status
    stack.status_reason = reason
    stack._add_stack_event(status, resource_status_reason=reason)
