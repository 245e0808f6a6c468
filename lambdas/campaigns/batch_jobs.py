"""The batch jobs that rank what was written: one a part, each within what Personalize takes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

# Developer guide, "Amazon Personalize endpoints and quotas".
MOST_BYTES = 1 << 30
MOST_FILES = 1000
LONGEST_NAME = 63


@dataclass(frozen=True)
class Place:
    """Where the campaign's objects are and whose the jobs are."""

    deployment: str
    region: str
    account: str
    campaigns_uri: str
    run: str


def batch_jobs(objects: Iterable[tuple[str, int]], place: Place) -> list[dict[str, str]]:
    """Return the jobs of the input's objects (key below input/, size in bytes), by part.

    Each has jobName, jobArn, input and output. Raises ValueError when there are none or one is too large.
    """
    parts: dict[str, list[int]] = {}
    for key, size in objects:
        parts.setdefault(key.split("/", 1)[0], []).append(size)
    if not parts:
        raise ValueError(f"Athena wrote no batch input below {place.campaigns_uri}/{place.run}/input/")
    return [_job(part, parts[part], place) for part in sorted(parts)]


def _job(part: str, sizes: list[int], place: Place) -> dict[str, str]:
    if sum(sizes) > MOST_BYTES or len(sizes) > MOST_FILES:
        raise ValueError(
            f"{part} of the batch input has {sum(sizes):,} bytes in {len(sizes)} files, a job takes "
            f"{MOST_BYTES:,} in {MOST_FILES}: lower coupon_campaign.batch.megabytes_per_job"
        )
    name = f"{place.deployment}-{place.run}-{part.replace('=', '-')}"
    if len(name) > LONGEST_NAME:
        digest = hashlib.sha256(place.run.encode()).hexdigest()[:16]
        name = f"{place.deployment}-{digest}-{part.replace('=', '-')}"
    return {
        "jobName": name,
        "jobArn": f"arn:aws:personalize:{place.region}:{place.account}:batch-inference-job/{name}",
        "input": f"{place.campaigns_uri}/{place.run}/input/{part}/",
        "output": f"{place.campaigns_uri}/{place.run}/ranking/{part}/",
    }
