"""A retraining of Amazon's lengths, calculated: how often its jobs are looked at, and how late it is noticed.

On localcloud a job takes seconds. The looks of a retraining there are replaced by those that the functions'
own pace makes of jobs as long as they are on AWS.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "lambdas" / "training"))
from pace import pace

TRANSITIONS_A_LOOK = 3
# By how much longer or shorter than the last time: about a twentieth either way.
CHANGES = (0.92, 0.95, 0.97, 0.99, 1.0, 1.01, 1.03, 1.05, 1.08)
# Assumed of AWS: the minutes of a job, and how many such jobs a retraining of the six recipes has.
JOBS = {"import": (15, 6), "popularity": (25, 2), "recipe": (75, 4), "campaign update": (8, 4)}


@dataclass(frozen=True)
class Projection:
    """A retraining on AWS: its looks, and the share of its critical path that was waited in vain."""

    looks: float
    waited_share: float


def project(first_seconds: int) -> Projection:
    """Return what the waits come to, on average: one job of each kind is on the critical path."""
    looks, late, whole = 0.0, 0.0, 0.0
    for minutes, count in JOBS.values():
        for change in CHANGES:
            seconds = minutes * 60 * change
            times, passed = _waits(minutes * 60, seconds, first_seconds)
            looks += count * times / len(CHANGES)
            late += passed - seconds
            whole += passed
    return Projection(looks, late / whole)


def _waits(before: float, seconds: float, first_seconds: int) -> tuple[int, float]:
    """Return the waits until a job is noticed to have ended and the seconds until then."""
    steps = pace(before, first_seconds)
    pause, following, passed, times = steps["firstSeconds"], steps["nextSeconds"], 0.0, 0
    while passed < seconds:
        passed += pause
        pause, following = following, following + steps["longerSeconds"]
        times += 1
    return times, passed
