"""Change sets found by their stack: names are unique in a stack only, which moto does not mind."""

from __future__ import annotations

from typing import Any

from moto.cloudformation.exceptions import CloudFormationError, ValidationError
from moto.cloudformation.models import ChangeSet, CloudFormationBackend
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult, EmptyResult


class ChangeSetNotFoundError(CloudFormationError):
    """There is no such change set; the CDK command line waits for this one after it deleted one."""

    code = "ChangeSetNotFound"


def install() -> None:
    """Let CloudFormation's API find change sets by stack, and refuse to create a stack twice."""
    responses: Any = CloudFormationResponse
    responses.describe_change_set = _describe
    responses.delete_change_set = _delete
    backend: Any = CloudFormationBackend
    by_moto = backend.create_change_set

    def create_change_set(
        backend: CloudFormationBackend, stack_name: str, *arguments: Any, **named: Any
    ) -> tuple[str, str]:
        if "CREATE" in (*arguments, named.get("change_set_type")):
            _make_room(backend, stack_name)
        made: tuple[str, str] = by_moto(backend, stack_name, *arguments, **named)
        return made

    backend.create_change_set = create_change_set


def find(backend: CloudFormationBackend, name: str, stack_name: str | None) -> ChangeSet:
    """Return a change set by ARN, or the newest by its name and its stack's name or id.

    Raises ChangeSetNotFoundError when there is none.
    """
    for change_set_id, change_set in reversed(backend.change_sets.items()):
        in_stack = stack_name in {None, change_set.stack_name, change_set.stack_id}
        if name == change_set_id or (name == change_set.change_set_name and in_stack):
            return change_set
    raise ChangeSetNotFoundError(f"ChangeSet [{name}] does not exist")


def _describe(response: CloudFormationResponse) -> ActionResult:
    return ActionResult(_found(response))


def _delete(response: CloudFormationResponse) -> EmptyResult:
    """Delete the change set; one that is gone already is no error."""
    backend = response.cloudformation_backend
    try:
        change_set = _found(response)
    except ChangeSetNotFoundError:
        return EmptyResult()
    del backend.change_sets[change_set.change_set_id]
    return EmptyResult()


def _found(response: Any) -> ChangeSet:
    name, stack_name = response._get_param("ChangeSetName"), response._get_param("StackName")
    return find(response.cloudformation_backend, name, stack_name)


def _make_room(backend: CloudFormationBackend, stack_name: str) -> None:
    """Drop a stack of the name that was only reviewed. Raises ValidationError when there is a real one."""
    for stack in [stack for stack in backend.stacks.values() if stack.name == stack_name]:
        if stack.status != "REVIEW_IN_PROGRESS":
            message = f"Stack [{stack_name}] already exists and cannot be created again with the changeSet"
            raise ValidationError(message=message)
        del backend.stacks[stack.stack_id]
