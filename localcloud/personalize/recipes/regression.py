"""The next item by a ridge regression on the decayed history, in closed form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import scipy.linalg

from localcloud.personalize.interactions import InteractionLog

Float32s = npt.NDArray[np.float32]

DECAY = 5.0
# Interactions further back weigh less than a twentieth.
_WINDOW = 15
_RIDGE = 50.0
# So many interactions, of users chosen at random, at most: their number decides the time, not the quality.
_MOST_INTERACTIONS = 500_000


def next_item_regression(
    log: InteractionLog, item_count: int, chosen: npt.NDArray[np.int32], seed: int
) -> Float32s:
    """Return the weights W, `chosen` x `chosen` items, that minimise |X W - Y|^2 + 50 |W|^2.

    A row of X is a history, an interaction `lag` places back weighing exp(-(lag - 1) / 5); the same row of Y
    is 1 at the item that came next.
    """
    places = np.full(item_count, -1, dtype=np.int32)
    places[chosen] = np.arange(len(chosen), dtype=np.int32)
    users = np.flatnonzero(np.diff(log.offsets) > 1)
    if len(log) > _MOST_INTERACTIONS:
        users = users[np.random.default_rng(seed).random(len(users)) < _MOST_INTERACTIONS / len(log)]
    fading = np.exp(-np.arange(_WINDOW) / DECAY).astype(np.float32)
    gram = np.zeros((len(chosen), len(chosen)), dtype=np.float32)
    cross = np.zeros_like(gram)
    _add_up(places[log.items], log.offsets, users, fading, gram, cross)
    return _solve(gram, cross)


def _solve(gram: Float32s, cross: Float32s) -> Float32s:
    """Return the solution of (gram + ridge) W = cross; `gram` has its lower triangle only."""
    lower = gram.astype(np.float64)
    lower[np.diag_indices_from(lower)] += _RIDGE
    triangle, _ = scipy.linalg.lapack.dpotrf(lower, lower=1, overwrite_a=1)
    half, _ = scipy.linalg.lapack.dpotri(triangle, lower=1, overwrite_c=1)
    inverse = (np.tril(half) + np.tril(half, -1).T).astype(np.float32)
    result: Float32s = inverse @ cross
    return result


def _add_up_histories(  # noqa: PLR0917 - a compiled loop over arrays
    items: npt.NDArray[np.int32],
    offsets: npt.NDArray[np.int64],
    users: npt.NDArray[np.int64],
    fading: Float32s,
    gram: Float32s,
    cross: Float32s,
) -> None:
    """Add X'X (lower triangle) and X'Y of the users' histories; items outside are -1."""
    for user in users:
        start, end = offsets[user], offsets[user + 1]
        for row in range(start + 1, end):
            least = max(row - len(fading), start)
            for first in range(least, row):
                one = items[first]
                if one < 0:
                    continue
                weight = fading[row - 1 - first]
                if items[row] >= 0:
                    cross[one, items[row]] += weight
                for second in range(least, first + 1):
                    other = items[second]
                    if other < 0:
                        continue
                    product = weight * fading[row - 1 - second]
                    if one == other and first != second:
                        product *= 2
                    if one >= other:
                        gram[one, other] += product
                    else:
                        gram[other, one] += product


_add_up: Callable[..., Any] = numba.njit(cache=True, nogil=True)(_add_up_histories)
