"""The sequential model of aws-user-personalization and aws-personalized-ranking.

A logit for each item is a weighted sum of views of the user's last `bptt` interactions: directed transitions, EASE,
ALS factors of rank `hidden_dimension`, likeness of metadata, popularity (recent or of all times, `recency_mask`), and
whether and how lately the user had the item. The weights are learned from held-out interactions (blend.py).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from localcloud.personalize.interactions import InteractionLog
from localcloud.personalize.recipes import views
from localcloud.personalize.recipes.base import (
    Float32s,
    Hyperparameter,
    Hyperparameters,
    Int32s,
    Model,
    Query,
    Recipe,
    TrainingData,
    history_percentiles,
)
from localcloud.personalize.recipes.blend import hold_out, learn_weights

_TRANSITION_DECAY = 4.0
_EASE_DECAY = 10.0
_FACTOR_DECAY = 20.0
_METADATA_DECAY = 5.0
_OWN_DECAY = 5.0
_DAY = 86_400
# EASE and the factors, which know no order, gain from more of the history.
_LONGER = 2
_SEED = 1
# Above this many interactions the held-out ones are too few to be missed: the model that learned the weights stays.
_ONE_FIT_ABOVE = 500_000


class SequenceModel(Model):
    """Arrays: transitions and metadata features (CSR), EASE, factors, log popularity, and the weights of the views."""

    KIND = "sequence"

    def scores(self, query: Query) -> Float32s:
        """Return logits for all items."""
        result: Float32s = np.asarray(self.arrays["weights"]) @ self.views(query.history)
        return result

    def views(self, whole_history: Int32s) -> Float32s:
        """Return the views of a history, oldest first: shape (views, items)."""
        count = len(self.item_ids)
        result = np.zeros((7, count), dtype=np.float32)
        result[4] = self.arrays["log_popularity"]
        history = whole_history[-int(self.settings["bptt"]) :]
        if len(history) == 0:
            return result
        result[0] = self._gather("transitions", history, _fading(history, _TRANSITION_DECAY), count)
        longer = whole_history[-_LONGER * int(self.settings["bptt"]) :]
        covered, rows = self._ease_rows(longer)
        ease_weights = _fading(longer, _EASE_DECAY)[covered]
        result[1][self.arrays["ease_items"]] = ease_weights @ self.arrays["ease"][rows]
        profile = _fading(longer, _FACTOR_DECAY) @ self.arrays["factors_in"][longer]
        result[2] = self.arrays["factors_out"] @ profile
        result[3] = self._likeness(history)
        result[5][whole_history] = 1.0
        result[6][history] = np.exp(-np.arange(len(history) - 1, -1, -1) / _OWN_DECAY)
        return result

    def _gather(self, name: str, rows: Int32s, weights: Float32s, width: int) -> Float32s:
        """Return the weighted sum of some rows of a CSR matrix, dense."""
        indptr, indices, data = (self.arrays[f"{name}_{part}"] for part in ("indptr", "indices", "data"))
        spans = [(int(indptr[row]), int(indptr[row + 1])) for row in rows]
        places = np.concatenate([indices[start:end] for start, end in spans])
        values = np.concatenate(
            [data[start:end] * weight for (start, end), weight in zip(spans, weights, strict=True)]
        )
        return np.bincount(places, weights=values, minlength=width).astype(np.float32)

    def _ease_rows(self, history: Int32s) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
        """Return which items of the history EASE covers, and their rows in it."""
        covered_items = self.arrays["ease_items"]
        rows = np.minimum(np.searchsorted(covered_items, history), len(covered_items) - 1)
        covered = np.asarray(covered_items)[rows] == history
        return covered, rows[covered]

    def _likeness(self, history: Int32s) -> Float32s:
        width = int(self.settings["features_width"])
        profile = self._gather("features", history, _fading(history, _METADATA_DECAY), width)
        features = sp.csr_matrix(
            tuple(np.asarray(self.arrays[f"features_{part}"]) for part in ("data", "indices", "indptr")),
            shape=(len(self.item_ids), width),
        )
        result: Float32s = features @ profile
        return result


def _fading(history: Int32s, decay: float) -> Float32s:
    """Return weights exp(-lag / decay) that sum to 1, the newest last."""
    weights = np.exp(-np.arange(len(history) - 1, -1, -1, dtype=np.float32) / decay)
    result: Float32s = weights / weights.sum()
    return result


def fit(data: TrainingData, hyperparameters: Hyperparameters) -> SequenceModel:
    """Train a model that finds the likeliest of all items."""
    return _fit(data, hyperparameters, against_popular=False)


def fit_to_rank(data: TrainingData, hyperparameters: Hyperparameters) -> SequenceModel:
    """Train a model that orders items somebody chose, popular ones mostly."""
    return _fit(data, hyperparameters, against_popular=True)


def _fit(data: TrainingData, hyperparameters: Hyperparameters, *, against_popular: bool) -> SequenceModel:
    """Learn the views' weights from held-out interactions, and the views from all of them."""
    keep = history_percentiles(
        data.log,
        float(hyperparameters["min_user_history_length_percentile"]),
        float(hyperparameters["max_user_history_length_percentile"]),
    )
    data = replace(data, log=data.log.select(keep), weights=data.weights[keep])
    remains, users = hold_out(data.log, _SEED)
    model = _fit_views(data, remains, hyperparameters)
    weights = learn_weights(
        data.log,
        remains,
        users,
        lambda _user, history: model.views(history),
        _SEED,
        against_popular=against_popular,
    )
    if len(data.log) <= _ONE_FIT_ABOVE:
        model = _fit_views(data, np.ones(len(data.log), dtype=np.bool_), hyperparameters)
    model.arrays["weights"] = weights.astype(np.float32)
    return model


def _fit_views(
    data: TrainingData, used: npt.NDArray[np.bool_], hyperparameters: Hyperparameters
) -> SequenceModel:
    """Learn the views from the marked interactions."""
    log, weights = data.log.select(used), data.weights[used]
    recency = _recency(log) if hyperparameters["recency_mask"] else np.ones(len(log), dtype=np.float32)
    popularity = np.bincount(log.items, weights=weights, minlength=data.item_count).astype(np.float64)
    recent = np.bincount(log.items, weights=weights * recency, minlength=data.item_count)
    bptt = int(hyperparameters["bptt"])
    arrays = {
        "log_popularity": np.log(recent + 0.1).astype(np.float32),
        "interaction_counts": popularity.astype(np.float32),
        "created": data.created,
        **views.transitions(log, weights * (0.5 + 0.5 * recency), popularity, bptt),
        **views.ease(log, popularity),
        **views.factors(log, data.item_count, int(hyperparameters["hidden_dimension"]), _SEED),
        **views.csr_arrays("features", data.features),
    }
    settings = {
        "bptt": float(bptt),
        "newest": float(log.timestamps.max(initial=0)),
        "features_width": float(data.features.shape[1]),
    }
    return SequenceModel(data.item_ids, arrays, settings)


def _recency(log: InteractionLog) -> Float32s:
    """Return 2^(-age / half-life), the half-life being a tenth of the time that the data covers, at least a day."""
    if len(log) == 0:
        return np.zeros(0, dtype=np.float32)
    newest = log.timestamps.max()
    half_life = max((newest - log.timestamps.min()) / 10, _DAY)
    result: Float32s = np.exp2(-(newest - log.timestamps) / half_life).astype(np.float32)
    return result


_HYPERPARAMETERS = (
    Hyperparameter("hidden_dimension", "int", 149, 32, 256, tunable=True),
    Hyperparameter("bptt", "int", 32, 2, 32, tunable=True),
    Hyperparameter("recency_mask", "bool", default=True, tunable=True),
    Hyperparameter("min_user_history_length_percentile", "float", 0.0, 0.0, 1.0),
    Hyperparameter("max_user_history_length_percentile", "float", 0.99, 0.0, 1.0),
)

USER_PERSONALIZATION = Recipe(
    name="aws-user-personalization",
    recipe_type="USER_PERSONALIZATION",
    description="Predicts the items that a user will interact with, from the order of past interactions and "
    "metadata, and explores new items.",
    hyperparameters=_HYPERPARAMETERS,
    fit=fit,
    explores=True,
    supports_update=True,
    uses_events=True,
)

PERSONALIZED_RANKING = Recipe(
    name="aws-personalized-ranking",
    recipe_type="PERSONALIZED_RANKING",
    description="Ranks a given list of items for a user.",
    hyperparameters=_HYPERPARAMETERS,
    fit=fit_to_rank,
    uses_events=True,
)
