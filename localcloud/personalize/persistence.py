"""The control plane's resources on disk: one JSON file a region, replaced as a whole after every change."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from localcloud.personalize import resources as states
from localcloud.personalize.resources import RESOURCE_TYPES, Campaign, Job, Resource, SolutionVersion

_FILE = "resources.json"
_INTERRUPTED = "localcloud was stopped while this was under way."
_TYPES = {kind.__name__: kind for kind in RESOURCE_TYPES}


def write_resources(folder: Path, resources: Iterable[Resource]) -> None:
    """Write all resources; a reader sees the old file or the new one, never a part."""
    records = [{"type": type(resource).__name__, **asdict(resource)} for resource in resources]
    draft = folder / f"{_FILE}.draft"
    draft.write_text(json.dumps(records))
    draft.replace(folder / _FILE)


def read_resources(folder: Path) -> Iterator[Resource]:
    """Return the resources that an earlier localcloud wrote here, none when there was none.

    What it was doing when it stopped is settled: short steps count as done, jobs and trainings as failed.
    """
    path = folder / _FILE
    if not path.exists():
        return
    for record in json.loads(path.read_text()):
        resource = _TYPES[record.pop("type")](**record)
        if resource.status in {states.DELETE_PENDING, states.DELETE_IN_PROGRESS}:
            continue
        if resource.is_changing:
            interrupted = isinstance(resource, Job | SolutionVersion)
            reason = _INTERRUPTED if interrupted else None
            resource.enter(resource.FAILED if interrupted else resource.DONE, reason)
        if isinstance(resource, Campaign):
            _settle_update(resource)
        yield resource


def _settle_update(campaign: Campaign) -> None:
    """Let an update that was under way have failed: the campaign serves what it served before."""
    update = campaign.latest_campaign_update
    if update is not None and update["status"] in states.UNFINISHED:
        update.update(status=states.FAILED, failureReason=_INTERRUPTED, lastUpdatedDateTime=time.time())
