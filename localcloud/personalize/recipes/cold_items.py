"""Items without interactions: each is scored like the items most like it by metadata."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from localcloud.personalize.recipes.transitions import keep_strongest

_NEIGHBOURS = 10
# Bounds of the search for neighbours: among the most popular items, for the newest of the cold ones.
_MOST_KNOWN = 5_000
_MOST_COLD = 20_000
_ROWS_AT_ONCE = 2_000


def stand_ins(
    features: sp.csr_matrix, popularity: npt.NDArray[np.float64], created: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int32], sp.csr_matrix]:
    """Return the cold items that have metadata, and the weights of the items that each is like.

    The weights have the shape (cold items, items): cold logits are weights @ logits.
    """
    described = np.diff(features.indptr) > 0
    cold = np.flatnonzero((popularity <= 0) & described)
    if len(cold) > _MOST_COLD:
        cold = np.sort(cold[np.argsort(-created[cold], kind="stable")[:_MOST_COLD]])
    known = np.flatnonzero((popularity > 0) & described)
    known = np.sort(known[np.argsort(-popularity[known], kind="stable")[:_MOST_KNOWN]])
    if len(cold) == 0 or len(known) == 0:
        return np.zeros(0, dtype=np.int32), sp.csr_matrix((0, features.shape[0]), dtype=np.float32)
    others = features[known].T.tocsr()
    blocks = [
        keep_strongest((features[cold[start : start + _ROWS_AT_ONCE]] @ others).tocsr(), _NEIGHBOURS)
        for start in range(0, len(cold), _ROWS_AT_ONCE)
    ]
    likeness: Any = sp.vstack(blocks, format="csr")
    totals = np.asarray(likeness.sum(axis=1)).ravel()
    found = totals > 0
    likeness = (sp.diags(1.0 / totals[found]) @ likeness[found]).tocsr()
    weights = sp.csr_matrix(
        (likeness.data.astype(np.float32), known[likeness.indices], likeness.indptr),
        shape=(int(found.sum()), features.shape[0]),
    )
    return cold[found].astype(np.int32), weights
