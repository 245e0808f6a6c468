"""Compiled loops that add views to logits in place, a query after the other while its row is in the cache.

Histories are rows of a CSR matrix: items, and how much each of them weighs.
"""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

Float32s = npt.NDArray[np.float32]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]


def add_read(  # noqa: PLR0917 - one term of a sum
    logits: Float32s,
    histories: sp.csr_matrix,
    matrix: sp.csr_matrix,
    weight: float,
    log_weight: float = 0.0,
    least: float = 1.0,
) -> None:
    """Add weight * R + log_weight * log(R + least), where R = histories @ matrix, to the logits."""
    if weight == 0 and log_weight == 0:
        return
    _add_read(
        logits,
        *_parts(histories),
        *_parts(matrix),
        np.float32(weight),
        np.float32(log_weight),
        np.float32(least),
    )


def add_rows(
    logits: Float32s, histories: sp.csr_matrix, covered: Int32s, matrix: Float32s, weight: float
) -> None:
    """Add weight * (histories[:, covered] @ matrix) to the logits of the covered items."""
    if weight == 0 or len(covered) == 0:
        return
    places = np.full(logits.shape[1], -1, dtype=np.int32)
    places[covered] = np.arange(len(covered), dtype=np.int32)
    _add_rows(logits, *_parts(histories), places, covered, matrix, np.float32(weight))


def _parts(matrix: sp.csr_matrix) -> tuple[Float32s, Int32s, Int64s]:
    return (
        matrix.data,
        matrix.indices.astype(np.int32, copy=False),
        matrix.indptr.astype(np.int64, copy=False),
    )


def _read(  # noqa: PLR0917 - a compiled loop over arrays
    logits: Float32s,
    history_data: Float32s,
    history_items: Int32s,
    history_ends: Int64s,
    data: Float32s,
    items: Int32s,
    ends: Int64s,
    weight: np.float32,
    log_weight: np.float32,
    least: np.float32,
) -> None:
    count = logits.shape[1]
    found = np.zeros(count, dtype=np.float32)
    touched = np.empty(count, dtype=np.int32)
    nothing = log_weight * np.log(least)
    for query in range(logits.shape[0]):
        row = logits[query]
        number = 0
        for place in range(history_ends[query], history_ends[query + 1]):
            share = history_data[place]
            source = history_items[place]
            for entry in range(ends[source], ends[source + 1]):
                item = items[entry]
                if found[item] == 0:
                    touched[number] = item
                    number += 1
                found[item] += share * data[entry]
        if nothing != 0:
            for item in range(count):
                row[item] += nothing
        for place in range(number):
            item = touched[place]
            value = found[item]
            row[item] += weight * value
            if log_weight != 0:
                row[item] += log_weight * np.log(value + least) - nothing
            found[item] = 0


def _rows(  # noqa: PLR0917 - a compiled loop over arrays
    logits: Float32s,
    history_data: Float32s,
    history_items: Int32s,
    history_ends: Int64s,
    places: Int32s,
    covered: Int32s,
    matrix: Float32s,
    weight: np.float32,
) -> None:
    total = np.empty(matrix.shape[1], dtype=np.float32)
    for query in range(logits.shape[0]):
        total[:] = 0
        for place in range(history_ends[query], history_ends[query + 1]):
            source = places[history_items[place]]
            if source >= 0:
                share = history_data[place] * weight
                values = matrix[source]
                for column in range(len(values)):
                    total[column] += share * values[column]
        row = logits[query]
        for column in range(len(total)):
            row[covered[column]] += total[column]


_compile = numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
_add_read: Callable[..., None] = _compile(_read)
_add_rows: Callable[..., None] = _compile(_rows)
