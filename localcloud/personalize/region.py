"""The state of Personalize in one region: resources by type and ARN, and work in the background."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from localcloud.personalize import resources as states
from localcloud.personalize.avro import DatasetSchema, parse_schema
from localcloud.personalize.errors import (
    PersonalizeError,
    ResourceAlreadyExistsError,
    ResourceInUseError,
    ResourceNotFoundError,
)
from localcloud.personalize.group_data import DataFolder
from localcloud.personalize.models import ModelFolder
from localcloud.personalize.persistence import read_resources, write_resources
from localcloud.personalize.recommendation_log import RecommendationLog
from localcloud.personalize.resources import RESOURCE_TYPES, Dataset, Resource, Schema
from localcloud.personalize.s3 import Bucket
from localcloud.personalize.serving import Server

R = TypeVar("R", bound=Resource)

logger = logging.getLogger(__name__)

# Imports, exports, deletions, batch jobs and trainings under way at the same time; more wait as PENDING.
PARALLEL_JOBS = 4


class JobFailedError(Exception):
    """Background work cannot go on; the message becomes the resource's failureReason."""


class Region:
    """All resources of one account and region.

    `lock` guards the tables and every change of a resource; background work takes it only to change states.
    """

    def __init__(self, name: str, account_id: str, folder: Path, endpoint_url: str) -> None:
        self.name = name
        self.account_id = account_id
        self.folder = folder
        self.endpoint_url = endpoint_url
        self.lock = threading.RLock()
        self._tables: dict[type[Resource], dict[str, Resource]] = {kind: {} for kind in RESOURCE_TYPES}
        self.bucket = Bucket(endpoint_url, name, folder)
        self.recommendations = RecommendationLog()
        self.servers: dict[str, Server] = {}
        self._steps = ThreadPoolExecutor(max_workers=2, thread_name_prefix="personalize-step")
        self._jobs = ThreadPoolExecutor(max_workers=PARALLEL_JOBS, thread_name_prefix="personalize-job")
        folder.mkdir(parents=True, exist_ok=True)
        self.data = DataFolder(folder / "data")
        self.models = ModelFolder(folder / "models")
        for resource in read_resources(folder):
            self._tables[type(resource)][resource.arn] = resource

    def arn(self, kind: type[Resource], name: str) -> str:
        """Return the ARN of a resource of this region."""
        return f"arn:aws:personalize:{self.name}:{self.account_id}:{kind.KIND}/{name}"

    def add(self, resource: Resource) -> None:
        """Register a new resource.

        Raises ResourceAlreadyExistsError when its ARN is taken.
        """
        table = self._tables[type(resource)]
        if resource.arn in table:
            raise ResourceAlreadyExistsError(f"Another resource with Arn {resource.arn} already exists.")
        table[resource.arn] = resource
        self.save()

    def find(self, kind: type[R], arn: str | None) -> R | None:
        """Return the resource with this ARN, or None."""
        found = self._tables[kind].get(arn or "")
        return found if isinstance(found, kind) else None

    def get(self, kind: type[R], arn: str) -> R:
        """Return the resource with this ARN.

        Raises ResourceNotFoundError.
        """
        found = self.find(kind, arn)
        if found is None:
            raise ResourceNotFoundError(f"The given {kind.LABEL} Arn does not exist: {arn}")
        return found

    def get_active(self, kind: type[R], arn: str) -> R:
        """Return the resource with this ARN, which must be ACTIVE.

        Raises ResourceNotFoundError and ResourceInUseError.
        """
        found = self.get(kind, arn)
        if found.status != states.ACTIVE:
            raise ResourceInUseError(f"The {kind.LABEL} {arn} must be ACTIVE; its status is {found.status}.")
        return found

    def all(self, kind: type[R], **having: object) -> list[R]:
        """Return the resources of a type whose attributes have these values, oldest first."""
        # A copy: requests to the runtime read the tables without the lock.
        present = list(self._tables[kind].values())
        members = [resource for resource in present if isinstance(resource, kind)]
        return [
            member
            for member in members
            if all(getattr(member, name) == value for name, value in having.items())
        ]

    def listed(self, kind: type[R], request: dict[str, Any], attribute: str) -> list[R]:
        """Return all resources of a type, or those that belong to the ARN which a List request names."""
        arn = request.get(attribute_member(attribute))
        return self.all(kind) if arn is None else self.all(kind, **{attribute: arn})

    def by_arn(self, arn: str) -> Resource:
        """Return the resource of any type with this ARN.

        Raises ResourceNotFoundError.
        """
        for table in self._tables.values():
            if arn in table:
                return table[arn]
        raise ResourceNotFoundError(f"The given resource Arn does not exist: {arn}")

    def schema_texts_of(self, group_arn: str) -> dict[str, str]:
        """Return the Avro schemas of a dataset group's datasets, by dataset type."""
        datasets = self.all(Dataset, dataset_group_arn=group_arn)
        return {dataset.dataset_type: self.get(Schema, dataset.schema_arn).schema for dataset in datasets}

    def schemas_of(self, group_arn: str) -> dict[str, DatasetSchema]:
        """Return the parsed schemas of a dataset group's datasets, by dataset type."""
        return {kind: parse_schema(text) for kind, text in self.schema_texts_of(group_arn).items()}

    def remove(self, resource: Resource) -> None:
        """Forget a resource."""
        self._tables[type(resource)].pop(resource.arn, None)
        self.save()

    def save(self) -> None:
        """Write all resources to the region's folder."""
        with self.lock:
            write_resources(self.folder, (item for table in self._tables.values() for item in table.values()))

    def create(self, resource: Resource, work: Callable[[], None] | None = None) -> None:
        """Register a resource and bring it to ACTIVE in the background.

        `work` is what has to be done before; JobFailedError from it makes the resource CREATE FAILED.
        """
        self.add(resource)
        pool = self._steps if work is None else self._jobs
        pool.submit(self._bring_up, resource, work or (lambda: None))

    def delete(self, resource: Resource, work: Callable[[], None] | None = None) -> None:
        """Take a resource through its DELETE states in the background and forget it."""
        resource.enter(states.DELETE_PENDING)
        self.save()
        self._steps.submit(self._take_down, resource, work or (lambda: None))

    def in_background(self, work: Callable[[], None]) -> None:
        """Do a short piece of work soon."""
        self._steps.submit(_logged, work)

    def _bring_up(self, resource: Resource, work: Callable[[], None]) -> None:
        if resource.status == resource.WAITING:
            self._enter(resource, resource.WORKING)
        try:
            work()
        except (JobFailedError, PersonalizeError) as failure:
            self._enter(resource, resource.FAILED, str(failure))
        except Exception as error:
            logger.exception("%s failed", resource.arn)
            self._enter(resource, resource.FAILED, f"Internal error: {type(error).__name__}: {error}")
        else:
            if resource.status == resource.WORKING:
                self._enter(resource, resource.DONE)

    def _take_down(self, resource: Resource, work: Callable[[], None]) -> None:
        self._enter(resource, states.DELETE_IN_PROGRESS)
        _logged(work)
        with self.lock:
            self.remove(resource)

    def _enter(self, resource: Resource, status: str, reason: str | None = None) -> None:
        with self.lock:
            resource.enter(status, reason)
            self.save()

    def stop(self) -> None:
        """Take no more work; what is queued is dropped."""
        self._steps.shutdown(wait=False, cancel_futures=True)
        self._jobs.shutdown(wait=False, cancel_futures=True)


def _logged(work: Callable[[], None]) -> None:
    """Run work whose failure has no resource to show it."""
    try:
        work()
    except Exception:
        logger.exception("Personalize's background work failed")
        raise


def new_id() -> str:
    """Return eight random hexadecimal digits, the form of AWS's ids."""
    return secrets.token_hex(4)


def refuse_if_changing(resource: Resource) -> None:
    """Raise ResourceInUseError when work on the resource is under way."""
    if resource.is_changing:
        raise ResourceInUseError(f"{resource.arn} is in the state {resource.status}; try again later.")


def attribute_member(attribute: str) -> str:
    """Return AWS's name of an ARN attribute: `dataset_group_arn` is `datasetGroupArn`."""
    first, *rest = attribute.split("_")
    return first + "".join(word.capitalize() for word in rest)
