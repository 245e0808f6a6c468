"""A stack's life: change sets executed beside the request, rolled back on failure; stacks deleted."""

from __future__ import annotations

import copy
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import ChangeSet, CloudFormationBackend, Stack

from localcloud.cloudformation import change_sets, exports
from localcloud.cloudformation.engine import ResourceFailedError, StackEngine, in_background
from localcloud.cloudformation.registry import provider_of
from localcloud.context import CloudContext

# The name of the change sets that create and update a stack in one call.
DIRECT = "direct"


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
            change_set = change_sets.find(backend, change_set_name, stack_name)
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
                    exports.check_unused(backend, stack)
                    _mark(stack, "DELETE_IN_PROGRESS", "User Initiated")
                    in_background(self._delete, backend, stack)

        return method

    @property
    def create_stack(self) -> Any:
        """Return the method that makes a stack from a template in one call."""

        def method(
            backend: CloudFormationBackend,
            *,
            name: str,
            template: str,
            parameters: dict[str, str],
            notification_arns: list[str] | None = None,
            tags: dict[str, str] | None = None,
            role_arn: str | None = None,
            **_rest: Any,
        ) -> Stack:
            change_set_id, stack_id = backend.create_change_set(
                name, DIRECT, template, parameters, "", "CREATE", notification_arns, tags, role_arn
            )
            backend.execute_change_set(change_set_id)
            return backend.stacks[stack_id]

        return method

    @property
    def update_stack(self) -> Any:
        """Return the method that changes a stack in one call."""

        def method(
            backend: CloudFormationBackend,
            *,
            name: str,
            template: str,
            role_arn: str | None = None,
            parameters: list[dict[str, Any]] | None = None,
            tags: dict[str, str] | None = None,
        ) -> Stack:
            stack = backend.get_stack(name)
            values = {
                item["ParameterKey"]: stack.parameters[item["ParameterKey"]]
                if item.get("UsePreviousValue")
                else item["ParameterValue"]
                for item in parameters or []
            }
            change_set_id, _ = backend.create_change_set(
                stack.name, DIRECT, template, values, "", "UPDATE", None, tags, role_arn
            )
            if backend.change_sets[change_set_id].status == "FAILED":
                raise ValidationError(message="No updates are to be performed.")
            backend.execute_change_set(change_set_id)
            return stack

        return method

    def _deploy(self, backend: CloudFormationBackend, stack: Stack, change_set: ChangeSet, verb: str) -> None:
        engine = StackEngine(stack, self._context, provider_of)
        before = copy.deepcopy(stack.template_dict) if verb == "UPDATE" else None
        stack.cross_stack_resources = backend.exports
        stack.resource_map.cross_stack_resources = backend.exports
        if change_set.tags is not None:
            stack.tags = change_set.tags
        try:
            engine.apply(change_set.template_dict, change_set.parameters)
            stack.template_dict = change_set.template_dict
            exports.publish(backend, stack)
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
            StackEngine(stack, self._context, provider_of).remove_all()
        except Exception as error:  # noqa: BLE001 - the stack must not stay in progress
            _mark(stack, "DELETE_FAILED", str(error))
            return
        exports.withdraw(backend, stack)
        _mark(stack, "DELETE_COMPLETE")
        backend.deleted_stacks[stack.stack_id] = stack
        backend.stacks.pop(stack.stack_id, None)


def _mark(stack: Any, status: str, reason: str | None = None) -> None:
    stack.status = status
    stack.status_reason = reason
    stack._add_stack_event(status, resource_status_reason=reason)
