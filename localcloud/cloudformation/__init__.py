"""CloudFormation: moto's stacks and change sets, deployed by localcloud's engine and providers."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlparse

from moto.cloudformation import models, parsing, responses, utils
from moto.cloudformation.exceptions import ValidationError
from moto.s3.models import s3_backends

from localcloud.cloudformation import change_sets
from localcloud.cloudformation.custom import serve_answers
from localcloud.cloudformation.engine import ProvidedResource, given_parameters, made_resources
from localcloud.cloudformation.lifecycle import StackLifecycle
from localcloud.cloudformation.registry import provider_of
from localcloud.context import CloudContext

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def install(context: CloudContext) -> None:
    """Replace moto's deployment of change sets, and its reading of templates from a loopback S3."""
    lifecycle = StackLifecycle(context)
    backend: Any = models.CloudFormationBackend
    backend.execute_change_set = lifecycle.execute_change_set
    backend.delete_stack = lifecycle.delete_stack
    backend.create_stack = lifecycle.create_stack
    backend.update_stack = lifecycle.update_stack
    change_sets.install()
    stack: Any = models.Stack
    stack.stack_resources = property(made_resources)
    stack.stack_parameters = property(given_parameters)
    serve_answers(context)
    _read_templates_from_loopback()
    _know_provided_types()


def _read_templates_from_loopback() -> None:
    """Take the bucket from the path for every loopback endpoint; moto does so for "localhost" alone."""
    by_moto = utils.get_stack_from_s3_url

    def read(template_url: str, account_id: str, partition: str) -> str:
        parsed = urlparse(template_url)
        if parsed.hostname not in LOOPBACK:
            return by_moto(template_url, account_id, partition)
        bucket, key = parsed.path.lstrip("/").split("/", 1)
        template = s3_backends[account_id][partition].get_object(bucket, key)
        if template is None:
            raise ValidationError(message=f"S3 error: no template at {template_url}")
        return str(template.value.decode())

    modules: tuple[Any, ...] = (models, responses, utils)
    for module in modules:
        module.get_stack_from_s3_url = read


def _know_provided_types() -> None:
    """Let moto's template checks accept the types that have a provider."""
    by_moto = parsing.resource_class_from_type

    def resource_class(resource_type: str) -> Any:
        return ProvidedResource if provider_of(resource_type) else by_moto(resource_type)

    parsing.resource_class_from_type = resource_class
