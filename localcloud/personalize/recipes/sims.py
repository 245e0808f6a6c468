"""aws-sims and aws-similar-items: items that go with a given one.

A logit for each item is a weighted sum of views of the given item: co-interactions, their plain cosine,
directed transitions over many and over few steps, their logarithms and their factors, EASE, cosines of ALS
factors and popularity; the weights are learned from held-out interactions (blend.py). Co-interactions are the
number of users of both items, divided by (users of i * users of j) ^ `popularity_discount_factor`: 0 ranks by
bare numbers, 0.5 is the cosine. Pairs with fewer than `min_cointeraction_count` users in common, users whose
history length and items whose number of users lie outside of their percentiles do not count there.

aws-similar-items has the cosines of metadata reduced to `item_metadata_hidden_dimension` dimensions in place
of those co-interactions, and ALS factors of rank `item_id_hidden_dimension`. It finds items like one that
nobody interacted with yet, and such items themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.decomposition import TruncatedSVD

from localcloud.personalize.interactions import InteractionLog
from localcloud.personalize.recipes import views
from localcloud.personalize.recipes.base import (
    Float32s,
    Hyperparameter,
    Hyperparameters,
    Recipe,
    TrainingData,
    history_percentiles,
)
from localcloud.personalize.recipes.blend import Place, learn_weights
from localcloud.personalize.recipes.cold_items import stand_ins
from localcloud.personalize.recipes.held_out import hold_out
from localcloud.personalize.recipes.ndcg import by_coordinates
from localcloud.personalize.recipes.sims_model import VIEWS, SimsModel
from localcloud.personalize.recipes.threads import one_thread
from localcloud.personalize.recipes.transitions import count_transitions, keep_strongest, normalise

_NEIGHBOURS = 500
_LAGS = 5
_LAG_DECAY = 2.0
# Where no interaction can be held out.
_PLAIN = {"together": 1, "cosine": 1, "metadata": 1, "factors": 1, "log following": 0.5, "popularity": 0.5}
# The rank of the ALS factors of aws-sims, which has no parameter for it.
_RANK = 100
_SEED = 1
# Above this many interactions the held-out ones are too few to be missed: the model that learned the weights
# stays.
_ONE_FIT_ABOVE = 500_000


def fit(data: TrainingData, hyperparameters: Hyperparameters) -> SimsModel:
    """Learn the views' weights from held-out interactions, and the views from all of them."""
    with one_thread():
        return _fit(data, hyperparameters)


def _fit(data: TrainingData, hyperparameters: Hyperparameters) -> SimsModel:
    held_out = hold_out(data.log, data.item_count, _SEED)
    model = _fit_views(data, held_out.remains, hyperparameters)

    def views_of(places: Sequence[Place]) -> Float32s:
        return np.stack([model.views(int(history[-1])) for _, history, _ in places], axis=1)

    # Each view is evidence for an item: a weight below 0 would be chance.
    evidence = [True] * len(VIEWS)
    weights = learn_weights(
        data.log,
        held_out.newest,
        views_of,
        data.item_count,
        _SEED,
        climb=by_coordinates,
        positive=evidence,
    )
    if len(data.log) <= _ONE_FIT_ABOVE:
        model = _fit_views(data, np.ones(len(data.log), dtype=np.bool_), hyperparameters)
    plain = np.array([_PLAIN.get(view, 0.0) for view in VIEWS])
    model.arrays["weights"] = (plain if weights is None else weights).astype(np.float32)
    return model


def _fit_views(
    data: TrainingData, used: npt.NDArray[np.bool_], hyperparameters: Hyperparameters
) -> SimsModel:
    """Learn the views from the marked interactions."""
    data = data.select(used)
    popularity = np.bincount(data.log.items, weights=data.weights, minlength=data.item_count).astype(
        np.float64
    )
    following = count_transitions(data.log, data.item_count, data.weights, _LAGS, _LAG_DECAY)
    following = keep_strongest(normalise(following, popularity, 5.0, 0.3), _NEIGHBOURS)
    counts = data.item_count
    empty = sp.csr_matrix((counts, counts), dtype=np.float32)
    special: dict[str, npt.NDArray[np.float32]]
    if "item_id_hidden_dimension" in hyperparameters:
        together = empty
        special = _described(data, popularity, hyperparameters)
    else:
        # aws-sims knows no metadata.
        together = _together(data, hyperparameters)
        special = {"metadata": np.zeros((counts, 0), dtype=np.float32)}
        special |= {"cold_items": np.zeros(0, np.int32), **views.csr_arrays("stand_ins", empty[:0])}
    factors, _ = views.factors(
        data.log, counts, int(hyperparameters.get("item_id_hidden_dimension", _RANK)), _SEED
    )
    directed_in, directed_out = views.directed_factors(data.log, data.weights, counts, _SEED)
    arrays = {
        "factors": _of_length_one(factors),
        "directed_in": directed_in,
        "directed_out": directed_out,
        "log_popularity": np.log(popularity + 0.1).astype(np.float32),
        **special,
        **views.csr_arrays("together", together),
        **views.csr_arrays("cosine", _discounted(views.user_items(data.log, counts), 1.0, 0.5)),
        **views.csr_arrays("following", following),
        **views.csr_arrays("next", views.near_transitions(data.log, data.weights, popularity)),
        **views.ease(data.log, popularity),
    }
    return SimsModel(data.item_ids, arrays, {})


def _described(
    data: TrainingData, popularity: npt.NDArray[np.float64], hyperparameters: Hyperparameters
) -> views.Arrays:
    """Return what aws-similar-items learns of metadata."""
    cold, weights = stand_ins(data.features, popularity, data.created)
    return {
        "metadata": _reduced(data.features, int(hyperparameters["item_metadata_hidden_dimension"])),
        "cold_items": cold,
        **views.csr_arrays("stand_ins", weights),
    }


def _reduced(features: sp.csr_matrix, dimensions: int) -> Float32s:
    """Return items' metadata in at most so many dimensions: its largest singular vectors."""
    if features.shape[1] > dimensions:
        features = TruncatedSVD(dimensions, random_state=_SEED).fit_transform(features)
    else:
        features = features.toarray()
    return _of_length_one(features)


def _of_length_one(vectors: npt.NDArray[np.floating]) -> Float32s:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), dtype=np.float32)


def _together(data: TrainingData, hyperparameters: Hyperparameters) -> sp.csr_matrix:
    """Return the discounted numbers of users in common, the strongest of each item."""
    keep = history_percentiles(
        data.log,
        float(hyperparameters["min_user_history_length_percentile"]),
        float(hyperparameters["max_user_history_length_percentile"]),
    )
    matrix = views.user_items(
        _of_enough_users(data.log.select(keep), data.item_count, hyperparameters), data.item_count
    )
    return _discounted(
        matrix,
        float(hyperparameters["min_cointeraction_count"]),
        float(hyperparameters["popularity_discount_factor"]),
    )


def _discounted(matrix: sp.csr_matrix, least: float, discount: float) -> sp.csr_matrix:
    """Return users in common / (users of i * users of j) ^ discount where there are at least so many."""
    together = (matrix.T @ matrix).tocsr()
    together.setdiag(0)
    together.data[together.data < least] = 0
    together.eliminate_zeros()
    users = np.asarray(matrix.sum(axis=0)).ravel() + 1.0
    scale = sp.diags(np.power(users, -discount))
    return keep_strongest((scale @ together @ scale).tocsr().astype(np.float32), _NEIGHBOURS)


def _of_enough_users(
    log: InteractionLog, item_count: int, hyperparameters: Hyperparameters
) -> InteractionLog:
    """Return the interactions with items whose number of interactions lies between the two percentiles."""
    counts = np.bincount(log.items, minlength=item_count)
    present = counts[counts > 0]
    if len(present) == 0:
        return log
    bounds = [
        float(hyperparameters["min_item_interaction_count_percentile"]),
        float(hyperparameters["max_item_interaction_count_percentile"]),
    ]
    least, most = np.quantile(present, bounds, method="nearest")
    return log.select(((counts >= least) & (counts <= most))[log.items])


RECIPE = Recipe(
    name="aws-sims",
    recipe_type="RELATED_ITEMS",
    description="Finds items that go with a given one, by what the same users interacted with and "
    "in which order.",
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

SIMILAR_ITEMS = Recipe(
    name="aws-similar-items",
    recipe_type="RELATED_ITEMS",
    description="Finds items similar to a given one, by what the same users interacted with and by metadata.",
    hyperparameters=(
        Hyperparameter("item_id_hidden_dimension", "int", 100, 30, 200, tunable=True),
        Hyperparameter("item_metadata_hidden_dimension", "int", 100, 30, 200, tunable=True),
    ),
    fit=fit,
)
