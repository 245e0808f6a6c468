"""What aws-sims and aws-similar-items have learned, and how it answers; sims.py learns it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from localcloud.personalize.recipes.base import BlockModel, Float32s, Query

_TRANSITIONS = ("following", "next")
_SPARSE = ("together", "cosine", *_TRANSITIONS)
# Views that are products of an item's factors and those of all others.
_FACTORS = {
    "metadata": ("metadata", "metadata"),
    "factors": ("factors", "factors"),
    "directed": ("directed_in", "directed_out"),
}
VIEWS = (*_SPARSE, "ease", *_FACTORS, *(f"log {name}" for name in _TRANSITIONS), "popularity")
_LEAST_TRANSITION = 1e-5


class SimsModel(BlockModel):
    """Views of `query.item` and their weights; popularity without an item, or when nothing is known of it.

    Arrays: `together`, `cosine`, `following`, `next` and `stand_ins` (CSR), EASE, `factors` and `metadata` of
    items, `directed_in` and `directed_out`, log popularity, and `weights`, one a view.
    """

    KIND = "sims"

    def _write_block(self, queries: Sequence[Query], logits: Float32s) -> None:
        known = np.array([self._knows(query.item) for query in queries])
        logits[~known] = self.arrays["log_popularity"]
        if known.any():
            items = [query.item for query, is_known in zip(queries, known, strict=True) if is_known]
            logits[known] = self._beside(np.array(items, dtype=np.int64))

    def _knows(self, item: int | None) -> bool:
        """Say whether anything but popularity is known of an item."""
        if item is None:
            return False
        of_others = any(len(self._row(name, item)[0]) for name in _SPARSE) or self._ease(item).any()
        return bool(of_others or self.arrays["metadata"][item].any())

    def _beside(self, items: npt.NDArray[np.int64]) -> Float32s:
        """Return the weighted sums of the items' views, shape (items, all items)."""
        weights = dict(zip(VIEWS, np.asarray(self.arrays["weights"]).tolist(), strict=True))
        least = np.float32(np.log(_LEAST_TRANSITION))
        everywhere = weights["popularity"] * np.asarray(self.arrays["log_popularity"])
        everywhere = everywhere + np.float32(sum(weights[f"log {name}"] for name in _TRANSITIONS)) * least
        logits = np.tile(everywhere, (len(items), 1))
        for name, (of_item, of_others) in _FACTORS.items():
            if weights[name]:
                logits += (np.float32(weights[name]) * self.arrays[of_item][items]) @ self.arrays[of_others].T
        for row, item in zip(logits, items.tolist(), strict=True):
            for name in _SPARSE:
                others, values = self._row(name, item)
                if weights[name]:
                    row[others] += np.float32(weights[name]) * values
                if name in _TRANSITIONS and weights[f"log {name}"]:
                    logarithms = np.log(values + np.float32(_LEAST_TRANSITION)) - least
                    row[others] += np.float32(weights[f"log {name}"]) * logarithms
            ease = self._ease(item)
            if len(ease):
                row[self.arrays["ease_items"]] += np.float32(weights["ease"]) * ease
        cold = np.asarray(self.arrays["cold_items"])
        if len(cold):
            logits[:, cold] = (self.rows("stand_ins") @ logits.T).T
        return logits

    def _row(self, name: str, item: int) -> tuple[npt.NDArray[np.int32], Float32s]:
        """Return the columns and values of an item's row of a CSR matrix."""
        indptr = self.arrays[f"{name}_indptr"]
        row = slice(int(indptr[item]), int(indptr[item + 1]))
        return self.arrays[f"{name}_indices"][row], self.arrays[f"{name}_data"][row]

    def _ease(self, item: int) -> Float32s:
        """Return EASE's row of an item, as long as the items it covers; an empty one for other items."""
        covered = self.arrays["ease_items"]
        row = int(np.searchsorted(covered, item))
        is_covered = row < len(covered) and covered[row] == item
        return self.arrays["ease"][row] if is_covered else np.zeros(0, dtype=np.float32)

    def views(self, item: int) -> Float32s:
        """Return the views of an item, shape (views, items): what `scores` adds up at once, one by one."""
        result = np.zeros((len(VIEWS), len(self.item_ids)), dtype=np.float32)
        for name in _SPARSE:
            others, values = self._row(name, item)
            result[VIEWS.index(name)][others] = values
        ease = self._ease(item)
        if len(ease):
            result[VIEWS.index("ease")][self.arrays["ease_items"]] = ease
        for name, (of_item, of_others) in _FACTORS.items():
            result[VIEWS.index(name)] = self.arrays[of_others] @ self.arrays[of_item][item]
        for name in _TRANSITIONS:
            result[VIEWS.index(f"log {name}")] = np.log(result[VIEWS.index(name)] + _LEAST_TRANSITION)
        result[VIEWS.index("popularity")] = self.arrays["log_popularity"]
        return result

    def rows(self, name: str) -> sp.csr_matrix:
        """Return a CSR matrix of the model."""
        data, indices, indptr = (
            np.asarray(self.arrays[f"{name}_{part}"]) for part in ("data", "indices", "indptr")
        )
        return sp.csr_matrix((data, indices, indptr), shape=(len(indptr) - 1, len(self.item_ids)))
