"""How long to wait for work in Personalize before looking at it, learnt from how long it took before."""

from __future__ import annotations

import math
from dataclasses import dataclass

CERTAIN_SHARE = 0.9
STEP_SHARE = 0.05
LONGEST_FIRST_SECONDS = 12 * 3600


@dataclass(frozen=True)
class Waiting:
    """The configuration's waits: the first one, and by what they grow when nothing is known."""

    first_seconds: int


def pace(last_seconds: float | None, waiting: Waiting) -> dict[str, int]:
    """Return the first wait and the step of the following ones, in whole seconds.

    Work that took `last_seconds` the last time is first looked at after nine tenths of that, then after
    growing twentieths of it: what is waited too long stays near a fortieth of the work.
    """
    if last_seconds is None:
        return {"firstSeconds": waiting.first_seconds, "nextSeconds": waiting.first_seconds}
    first = min(int(last_seconds * CERTAIN_SHARE), LONGEST_FIRST_SECONDS)
    step = min(math.ceil(last_seconds * STEP_SHARE), math.ceil(LONGEST_FIRST_SECONDS * STEP_SHARE))
    return {
        "firstSeconds": max(waiting.first_seconds, first),
        "nextSeconds": max(waiting.first_seconds, step),
    }
