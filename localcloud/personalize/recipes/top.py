"""The highest scores of many, in one pass."""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
# Up to so many places a sorted list is kept while passing over the scores; more are partitioned.
_SHORT = 64


def top_items(scores: npt.NDArray[np.float32], count: int) -> Int64s:
    """Return the positions of the `count` highest scores, best first; of equal ones the first comes first."""
    count = min(count, len(scores))
    if 0 < count <= _SHORT:
        best = np.empty(count, dtype=np.int64)
        _insert(np.ascontiguousarray(scores, dtype=np.float32), best, np.empty(count, dtype=np.float32))
        return best
    if count == len(scores):
        return np.argsort(-scores, kind="stable")
    least = np.partition(scores, len(scores) - count)[len(scores) - count]
    candidates = np.flatnonzero(scores >= least)
    return candidates[np.argsort(-scores[candidates], kind="stable")][:count]


def _insert_each(scores: npt.NDArray[np.float32], best: Int64s, highest: npt.NDArray[np.float32]) -> None:
    """Write the positions of the highest scores to `best` and these scores to `highest`, in order."""
    held = 0
    for position in range(len(scores)):
        score = scores[position]
        if held == len(best):
            if score <= highest[held - 1]:
                continue
            held -= 1
        place = held
        while place > 0 and highest[place - 1] < score:
            highest[place] = highest[place - 1]
            best[place] = best[place - 1]
            place -= 1
        highest[place] = score
        best[place] = position
        held += 1


_insert: Callable[..., None] = numba.njit(cache=True, nogil=True)(_insert_each)
