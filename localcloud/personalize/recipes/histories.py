"""The histories of some queries, as the views of the sequential model read them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from localcloud.personalize.recipes.base import Float32s, Query

# Interactions this many decays ago weigh less than a hundredth: they are not read.
_NEGLIGIBLE = 4.6
_OWN_DECAY = 5.0
_SLOW_DECAY = 50.0
OWN_VIEWS = 6


class Histories:
    """The histories of some queries; `bptt` bounds how many interactions the views read."""

    def __init__(self, queries: Sequence[Query], item_count: int, bptt: int) -> None:
        self.rows = [query.history for query in queries]
        self._shape = (len(queries), item_count)
        self._bptt = bptt

    def fading(self, times: int, decay: float) -> sp.csr_matrix:
        """Return queries x items: exp(-lag / decay) of the last `times` * bptt items, rows of sum 1."""
        window = min(times * self._bptt, int(decay * _NEGLIGIBLE) + 1)
        rows = [row[-window:] for row in self.rows]
        weights = [_fading(len(row), decay) for row in rows]
        ends = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
        return sp.csr_matrix((np.concatenate(weights), np.concatenate(rows), ends), shape=self._shape)

    def own(self, log_repeats: Float32s) -> tuple[npt.NDArray[np.int64], Float32s]:
        """Return what the users did with the items that they had, and how often such items are repeated.

        Returns places in the flattened queries x items, and the OWN_VIEWS values of each: how lately
        (exp(-lag / 5) within bptt) and, more slowly fading, exp(-lag / 50) summed, 1, the logarithm of how
        often, the item's logarithm of repeats over everybody's, and the log odds of repeats in the history.
        """
        lengths = np.array([len(row) for row in self.rows], dtype=np.int64)
        query = np.repeat(np.arange(len(lengths)), lengths)
        items = np.concatenate(self.rows).astype(np.int64)
        lags = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(items)) - 1
        places, occurrence = np.unique(query * self._shape[1] + items, return_inverse=True)
        query, items = np.divmod(places, self._shape[1])
        recent = np.exp(-lags / _OWN_DECAY) * (lags < self._bptt)
        distinct = np.bincount(query, minlength=len(lengths))
        odds = (lengths - distinct + 1) / (distinct + 1)
        values = (
            np.bincount(occurrence, recent, len(places)),
            np.ones(len(places)),
            np.log1p(np.bincount(occurrence, minlength=len(places))),
            np.bincount(occurrence, np.exp(-lags / _SLOW_DECAY), len(places)),
            log_repeats[items],
            np.log(odds)[query],
        )
        return places, np.stack(values).astype(np.float32)


@lru_cache(maxsize=1_024)
def _fading(count: int, decay: float) -> Float32s:
    """Return weights exp(-lag / decay), the newest last, of sum 1."""
    weights = np.exp(-np.arange(count - 1, -1, -1, dtype=np.float32) / np.float32(decay))
    if count:
        weights /= weights.sum()
    result: Float32s = weights.astype(np.float32)
    return result
