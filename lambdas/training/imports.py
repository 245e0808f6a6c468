"""Which import brings a data version into a dataset: all of its rows, or only what is new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from naming import Place, short_hash

# Personalize's limits of an import; of users and items one row is enough.
FEWEST_INTERACTIONS = 1000
MOST_INCREMENTAL_BYTES = 1 << 30
FAILED = "CREATE FAILED"

Job = Mapping[str, Any]


def plan_import(
    prefix: str,
    kind: str,
    dataset: Mapping[str, Any],
    jobs: Sequence[Job],
    *,
    version: str,
    mode: str,
    place: Place,
) -> dict[str, str]:
    """Return name, ARN, mode and location of the import of a dataset (`prefix` begins the name).

    `dataset` is the manifest's entry and `jobs` the dataset's imports so far, newest first, each with "name",
    "status", "mode" and "location". Only in the mode UPDATE, and only when the newest import brought just the
    data version that the manifest's delta follows on, what is new is enough; otherwise all rows replace what
    is there. An import that is there or under way is found again by its name; a failed one keeps its name.
    """
    delta = dataset.get("delta")
    usable = [job for job in jobs if job["status"] != FAILED]
    newest = usable[0]["location"] if usable else ""
    if mode == "UPDATE" and delta and _fits(kind, delta) and _follows(newest, delta):
        location, import_mode = delta["location"], "INCREMENTAL"
    else:
        location, import_mode = dataset["location"], "FULL"
    name = _free_name(f"{prefix}-{short_hash([version, location])}", jobs)
    return {
        "importName": name,
        "importArn": place.arn("dataset-import-job", name),
        "importMode": import_mode,
        "location": location,
    }


def _fits(kind: str, delta: Mapping[str, Any]) -> bool:
    fewest = FEWEST_INTERACTIONS if kind == "interactions" else 1
    return bool(delta["rows"] >= fewest and delta["bytes"] <= MOST_INCREMENTAL_BYTES)


def _follows(newest: str, delta: Mapping[str, Any]) -> bool:
    """Say whether the newest import is of the version before, or this very delta's."""
    return newest == delta["location"] or newest.startswith(delta["base"])


def _free_name(name: str, jobs: Iterable[Job]) -> str:
    failed = {job["name"] for job in jobs if job["status"] == FAILED}
    tries = sum(one == name or one.startswith(f"{name}-") for one in failed)
    return f"{name}-{tries + 1}" if tries else name
