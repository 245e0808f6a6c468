"""Trains solution versions in worker processes and takes in what they made."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from localcloud.personalize import campaigns
from localcloud.personalize.catalogue import find_recipe
from localcloud.personalize.objective import objective_of
from localcloud.personalize.region import JobFailedError, Region
from localcloud.personalize.resources import ACTIVE, STOPPED, STOPPING, Json, Solution, SolutionVersion
from localcloud.personalize.solution_config import typed_hyperparameters

logger = logging.getLogger(__name__)

_processes: dict[str, subprocess.Popen[str]] = {}
_stopped: set[str] = set()
# Trainings side by side. Small ones share the cores, so that each takes about as long every time, whichever
# came first; what a large one holds in memory leaves room for one other.
_SLOTS = 4
_SLOTS_OF_LARGE = 2
_LARGE_BYTES = 64 * 1024**2
_slots = threading.Semaphore(_SLOTS)
# One training at a time takes its slots: two that hold half of theirs would wait for each other.
_turn = threading.Lock()
_REPOSITORY = Path(__file__).parents[2]


def train(region: Region, version: SolutionVersion) -> None:
    """Train a version and record its metrics; a stopped one ends as CREATE STOPPED.

    Raises JobFailedError.
    """
    data = region.data.of(version.dataset_group_arn)
    with _room_for(data.store_folder):
        if version.status == STOPPING or version.arn in _stopped:
            return
        data.fold_in(region.schema_texts_of(version.dataset_group_arn))
        folder = region.models.prepare(version.arn)
        order = _order(region, version, str(data.store_folder))
        (folder / "order.json").write_text(json.dumps(order))
        _run(version, folder)
    if version.status == STOPPING or version.arn in _stopped:
        with region.lock:
            version.enter(STOPPED)
            region.save()
        return
    result = json.loads((folder / "result.json").read_text())
    if "failure" in result:
        raise JobFailedError(result["failure"])
    with region.lock:
        version.metrics = result["metrics"]
        version.training_hours = round(result["seconds"] / 3600, 3)
        if result["tuned"] is not None:
            texts = {name: str(value) for name, value in result["tuned"].items()}
            version.tuned_hpo_params = {"algorithmHyperParameters": texts}
        version.enter(ACTIVE)
        region.save()
        campaigns.follow_latest_version(region, version)


def stop(version_arn: str) -> bool:
    """End the worker of a training; say whether there was one."""
    _stopped.add(version_arn)
    process = _processes.get(version_arn)
    if process is None:
        return False
    process.terminate()
    return True


def stop_trainings(region: Region) -> None:
    """End the workers of a region."""
    for version in region.all(SolutionVersion):
        if version.is_changing:
            stop(version.arn)


def last_full_version(region: Region, solution_arn: str) -> SolutionVersion | None:
    """Return the newest ACTIVE version of a solution that was trained in full."""
    versions = region.all(SolutionVersion, solution_arn=solution_arn, status=ACTIVE, training_mode="FULL")
    return versions[-1] if versions else None


@contextmanager
def _room_for(store_folder: Path) -> Iterator[None]:
    """Wait for as many slots as a training on the stored data needs."""
    slots = _SLOTS_OF_LARGE if _stored_bytes(store_folder) > _LARGE_BYTES else 1
    with _turn:
        for _ in range(slots):
            _slots.acquire()
    try:
        yield
    finally:
        _slots.release(slots)


def _stored_bytes(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        # An import may replace files meanwhile.
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def _run(version: SolutionVersion, folder: Path) -> None:
    """Run the worker to its end.

    Raises JobFailedError when it dies of anything but a stop.
    """
    with (folder / "worker.log").open("w") as log:
        process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "localcloud.personalize.training_worker", str(folder), str(os.getpid())],
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=_REPOSITORY,
            # Trainings run side by side: more BLAS threads than cores would wait for each other.
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        )
        _processes[version.arn] = process
        # A stop that came while the process was being started found none to end.
        if version.arn in _stopped:
            process.terminate()
        code = process.wait()
        _processes.pop(version.arn, None)
    if code != 0 and version.status != STOPPING and version.arn not in _stopped:
        output = (folder / "worker.log").read_text()
        logger.error("The training of %s ended with %s:\n%s", version.arn, code, output)
        lines = output.strip().splitlines()
        raise JobFailedError(f"Internal error in training: {lines[-1] if lines else f'exit code {code}'}")


def _order(region: Region, version: SolutionVersion, store: str) -> Json:
    config: dict[str, Any] = version.solution_config
    recipe = find_recipe(version.recipe_arn)
    threshold = config.get("eventValueThreshold")
    objective = objective_of(config)
    previous = last_full_version(region, version.solution_arn) if version.training_mode == "UPDATE" else None
    return {
        "recipe": recipe.name,
        "store": store,
        "eventType": version.event_type,
        "eventValueThreshold": float(threshold) if threshold else None,
        "events": config.get("eventsConfig", {}).get("eventParametersList", []),
        "objective": asdict(objective) if objective else None,
        "ignoredColumns": _ignored_columns(region, version),
        "hyperparameters": typed_hyperparameters(config, recipe),
        "hpo": config.get("hpoConfig", {})
        if version.perform_hpo and version.training_mode == "FULL"
        else None,
        "previous": str(region.models.folder_of(previous.arn)) if previous else None,
    }


def _ignored_columns(region: Region, version: SolutionVersion) -> dict[str, list[str]]:
    config = version.solution_config.get("trainingDataConfig", {})
    ignored = {kind.upper(): list(names) for kind, names in config.get("excludedDatasetColumns", {}).items()}
    schemas = region.schemas_of(version.dataset_group_arn)
    for kind, names in config.get("includedDatasetColumns", {}).items():
        columns = schemas[kind.upper()].metadata
        ignored[kind.upper()] = [column.name for column in columns if column.name not in names]
    columns_then = region.get(Solution, version.solution_arn).columns
    for kind in columns_then.keys() & schemas.keys():
        added = [column.name for column in schemas[kind].metadata if column.name not in columns_then[kind]]
        ignored[kind] = ignored.get(kind, []) + added
    return ignored
