"""aws-sims: items that the same users interacted with.

The similarity of i and j is the number of users of both, divided by (users of i * users of j) ^ discount / 2 with
`popularity_discount_factor` as the discount: 0 ranks by bare co-interactions, 1 by cosine. Pairs with fewer than
`min_cointeraction_count` users in common do not count; where nothing is left, popularity decides.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from localcloud.personalize.recipes.base import (
    Float32s,
    Hyperparameter,
    Hyperparameters,
    Model,
    Query,
    Recipe,
    TrainingData,
    history_percentiles,
)
from localcloud.personalize.recipes.transitions import keep_strongest

_NEIGHBOURS = 500
# Logits of neighbours lie above those of all other items, which follow by popularity.
_NEIGHBOUR_LIFT = 4.0


class SimsModel(Model):
    """Arrays: similar items (CSR) and log popularity."""

    KIND = "sims"

    def scores(self, query: Query) -> Float32s:
        """Return logits for all items beside `query.item`."""
        popularity = np.asarray(self.arrays["log_popularity"])
        result = np.array(popularity - popularity.max(initial=0.0), dtype=np.float32)
        if query.item is not None:
            start, end = (
                self.arrays["similar_indptr"][query.item],
                self.arrays["similar_indptr"][query.item + 1],
            )
            similar = self.arrays["similar_data"][start:end]
            if len(similar):
                result[self.arrays["similar_indices"][start:end]] = _NEIGHBOUR_LIFT * (
                    1 + similar / similar.max()
                )
        return result


def fit(data: TrainingData, hyperparameters: Hyperparameters) -> SimsModel:
    """Count the users in common of every two items."""
    keep = history_percentiles(
        data.log,
        float(hyperparameters["min_user_history_length_percentile"]),
        float(hyperparameters["max_user_history_length_percentile"]),
    )
    log = data.log.select(keep)
    shape = (len(log.user_ids), data.item_count)
    matrix = sp.csr_matrix((np.ones(len(log), dtype=np.float32), log.items, log.offsets), shape=shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    used = _frequent_items(matrix, hyperparameters)
    matrix = (matrix @ sp.diags(used.astype(np.float32))).tocsr()
    together = (matrix.T @ matrix).tocsr()
    together.setdiag(0)
    together.data[together.data < float(hyperparameters["min_cointeraction_count"])] = 0
    together.eliminate_zeros()
    users = np.asarray(matrix.sum(axis=0)).ravel() + 1.0
    scale = sp.diags(np.power(users, -float(hyperparameters["popularity_discount_factor"]) / 2))
    similar = keep_strongest((scale @ together @ scale).tocsr().astype(np.float32), _NEIGHBOURS)
    popularity = np.bincount(data.log.items, weights=data.weights, minlength=data.item_count)
    arrays = {
        "log_popularity": np.log(popularity + 0.1).astype(np.float32),
        "similar_data": similar.data,
        "similar_indices": similar.indices.astype(np.int32),
        "similar_indptr": similar.indptr.astype(np.int64),
    }
    return SimsModel(data.item_ids, arrays, {})


def _frequent_items(matrix: sp.csr_matrix, hyperparameters: Hyperparameters) -> np.ndarray:
    """Mark the items whose number of users lies between the two percentiles."""
    counts = np.asarray(matrix.sum(axis=0)).ravel()
    present = counts[counts > 0]
    if len(present) == 0:
        return np.zeros(len(counts), dtype=np.bool_)
    bounds = [
        float(hyperparameters["min_item_interaction_count_percentile"]),
        float(hyperparameters["max_item_interaction_count_percentile"]),
    ]
    least, most = np.quantile(present, bounds, method="nearest")
    marked: np.ndarray = (counts >= least) & (counts <= most)
    return marked


RECIPE = Recipe(
    name="aws-sims",
    recipe_type="RELATED_ITEMS",
    description="Finds items like a given one by the users they have in common.",
    hyperparameters=(
        Hyperparameter("popularity_discount_factor", "float", 0.5, 0.0, 1.0, tunable=True),
        Hyperparameter("min_cointeraction_count", "int", 3, 0, 10, tunable=True),
        Hyperparameter("min_user_history_length_percentile", "float", 0.005, 0.0, 1.0),
        Hyperparameter("max_user_history_length_percentile", "float", 0.995, 0.0, 1.0),
        Hyperparameter("min_item_interaction_count_percentile", "float", 0.01, 0.0, 1.0),
        Hyperparameter("max_item_interaction_count_percentile", "float", 0.9, 0.0, 1.0),
    ),
    fit=fit,
)
