"""The time that is left of a request's budget."""

from __future__ import annotations

import time


class Deadline:
    """Counts down from the moment it is made."""

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds
        self._seconds = seconds

    def left(self, keep: float = 0.0) -> float:
        """Return the seconds left, less the share `keep` of the whole budget for what comes after."""
        return self._ends_at - time.monotonic() - keep * self._seconds
