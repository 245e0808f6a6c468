"""How long to wait for work in Personalize before looking at it, learnt from how long it took before."""

from __future__ import annotations

import math
from dataclasses import dataclass

CERTAIN_SHARE = 0.95
STEP_SHARE = 0.02
GROWTH_SHARE = 0.01
LONGEST_FIRST_SECONDS = 12 * 3600


@dataclass(frozen=True)
class Pace:
    """The first wait, the second, and by what each later one grows, in whole seconds."""

    first_seconds: int
    next_seconds: int
    longer_seconds: int
    learnt: bool

    def as_answer(self) -> dict[str, int | bool]:
        """Return it as the state machines read it."""
        return {
            "firstSeconds": self.first_seconds,
            "nextSeconds": self.next_seconds,
            "longerSeconds": self.longer_seconds,
            "learnt": self.learnt,
        }


def pace(last_seconds: float | None, first_seconds: int) -> dict[str, int | bool]:
    """Return how to wait for work that took `last_seconds` the last time.

    It is first looked at shortly before it took that long, then in slowly growing small parts of it, none
    below `first_seconds`: about three looks, and about a fiftieth of the work waited too long, when the
    durations of two runs differ by a twentieth. Work that was never done is looked at in steps that grow
    by the first one; the state machine keeps these to its longest wait.
    """
    if last_seconds is None:
        return Pace(first_seconds, 2 * first_seconds, first_seconds, learnt=False).as_answer()
    known = min(last_seconds, LONGEST_FIRST_SECONDS)
    return Pace(
        int(known * CERTAIN_SHARE),
        max(first_seconds, math.ceil(known * STEP_SHARE)),
        round(known * GROWTH_SHARE),
        learnt=True,
    ).as_answer()
