"""Directed transitions: how often item j follows item i within a few steps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from localcloud.personalize.interactions import InteractionLog

# Pairs counted at once: bounds the memory of the count.
_PAIRS_AT_ONCE = 20_000_000


def count_transitions(
    log: InteractionLog, item_count: int, weights: npt.NDArray[np.float32], lags: int, decay: float
) -> sp.csr_matrix:
    """Return the matrix C, items x items.

    C[i, j] sums exp(-(lag - 1) / decay) over each i that precedes a j by `lag` places in a user's history,
    times the weight of j.
    """
    total = sp.csr_matrix((item_count, item_count), dtype=np.float32)
    users = log.users
    for lag in range(1, lags + 1):
        factor = np.float32(np.exp(-(lag - 1) / decay))
        for start in range(0, max(len(log) - lag, 0), _PAIRS_AT_ONCE):
            end = min(start + _PAIRS_AT_ONCE, len(log) - lag)
            same = users[start:end] == users[start + lag : end + lag]
            sources = log.items[start:end][same]
            targets = log.items[start + lag : end + lag][same]
            values = weights[start + lag : end + lag][same] * factor
            total = (
                total
                + sp.coo_matrix((values, (sources, targets)), shape=total.shape, dtype=np.float32).tocsr()
            )
    return total


def normalise(
    counts: sp.csr_matrix, popularity: npt.NDArray[np.float64], smoothing: float, discount: float
) -> sp.csr_matrix:
    """Return C[i, j] / (row sum + smoothing) / (popularity j + 20) ^ discount, as float32."""
    rows = np.asarray(counts.sum(axis=1)).ravel() + smoothing
    left = sp.diags(1.0 / rows)
    right = sp.diags(1.0 / np.power(popularity + 20.0, discount))
    return (left @ counts @ right).tocsr().astype(np.float32)


def keep_strongest(matrix: sp.csr_matrix, per_row: int) -> sp.csr_matrix:
    """Return the matrix with the `per_row` largest entries of each row."""
    lengths = np.diff(matrix.indptr)
    if len(lengths) == 0 or lengths.max() <= per_row:
        matrix.sort_indices()
        return matrix
    rows = np.repeat(np.arange(matrix.shape[0]), lengths)
    order = np.lexsort((-matrix.data, rows))
    rank = np.arange(len(order)) - np.repeat(matrix.indptr[:-1], lengths)
    kept = np.sort(order[rank < per_row])
    indptr = np.zeros(matrix.shape[0] + 1, dtype=np.int64)
    np.cumsum(np.minimum(lengths, per_row), out=indptr[1:])
    return sp.csr_matrix((matrix.data[kept], matrix.indices[kept], indptr), shape=matrix.shape)
