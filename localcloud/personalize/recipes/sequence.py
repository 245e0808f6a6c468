"""The sequential model of aws-user-personalization and aws-personalized-ranking.

A user's next item is scored by three views of the history, each standardised over the items and added up:
directed transitions from the last `bptt` items (count i -> j at lags 1..10, divided by row sum and popularity), the
likeness of metadata to that of the history, and popularity, recent or of all times (`recency_mask`).
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
    standardised,
)
from localcloud.personalize.recipes.transitions import count_transitions, keep_strongest, normalise

_LAGS = 10
_LAG_DECAY = 4.0
_READ_DECAY = 4.0
_NEIGHBOURS = 400
_DAY = 86_400


class SequenceModel(Model):
    """Arrays: transitions (CSR), features (CSR) and log popularity."""

    KIND = "sequence"

    def scores(self, query: Query) -> Float32s:
        """Return logits for all items."""
        popularity = np.asarray(self.arrays["log_popularity"])
        bptt = int(self.settings["bptt"])
        history = query.history[-bptt:]
        if len(history) == 0:
            return popularity
        weights = np.exp(-np.arange(len(history) - 1, -1, -1, dtype=np.float32) / _READ_DECAY)
        total = self.settings["transition_weight"] * standardised(
            self._gather("transitions", history, weights)
        )
        total += self.settings["metadata_weight"] * standardised(self._likeness(history, weights))
        total += self.settings["popularity_weight"] * standardised(popularity)
        return total

    def _gather(self, name: str, rows: np.ndarray, weights: Float32s) -> Float32s:
        """Return the weighted sum of some rows of a CSR matrix, dense."""
        indptr, indices, data = (self.arrays[f"{name}_{part}"] for part in ("indptr", "indices", "data"))
        result = np.zeros(int(self.settings[f"{name}_width"]), dtype=np.float32)
        for row, weight in zip(rows, weights, strict=True):
            start, end = indptr[row], indptr[row + 1]
            result[indices[start:end]] += weight * data[start:end]
        return result

    def _likeness(self, history: np.ndarray, weights: Float32s) -> Float32s:
        profile = self._gather("features", history, weights)
        features = sp.csr_matrix(
            tuple(np.asarray(self.arrays[f"features_{part}"]) for part in ("data", "indices", "indptr")),
            shape=(len(self.item_ids), len(profile)),
        )
        result: Float32s = features @ profile
        return result


def fit(data: TrainingData, hyperparameters: Hyperparameters) -> SequenceModel:
    """Count what follows what, and what is popular."""
    keep = history_percentiles(
        data.log,
        float(hyperparameters["min_user_history_length_percentile"]),
        float(hyperparameters["max_user_history_length_percentile"]),
    )
    log, weights = data.log.select(keep), data.weights[keep]
    recency = (
        _recency(log.timestamps) if hyperparameters["recency_mask"] else np.ones(len(log), dtype=np.float32)
    )
    popularity = np.bincount(log.items, weights=weights, minlength=data.item_count).astype(np.float64)
    recent = np.bincount(log.items, weights=weights * recency, minlength=data.item_count)
    lags = min(_LAGS, int(hyperparameters["bptt"]))
    counts = count_transitions(log, data.item_count, weights * (0.5 + 0.5 * recency), lags, _LAG_DECAY)
    transitions = keep_strongest(normalise(counts, popularity, 5.0, 0.3), _NEIGHBOURS)
    arrays = {
        "log_popularity": np.log(recent + 0.1).astype(np.float32),
        "interaction_counts": popularity.astype(np.float32),
        "created": data.created,
        **_parts("transitions", transitions),
        **_parts("features", data.features),
    }
    settings = {
        "bptt": float(hyperparameters["bptt"]),
        "newest": float(log.timestamps.max(initial=0)),
        "transition_weight": 1.0,
        "metadata_weight": 0.2,
        "popularity_weight": 0.2,
        "transitions_width": float(data.item_count),
        "features_width": float(data.features.shape[1]),
    }
    return SequenceModel(data.item_ids, arrays, settings)


def _recency(timestamps: np.ndarray) -> Float32s:
    """Return 2^(-age / half-life), the half-life being a tenth of the time that the data covers, at least a day."""
    if len(timestamps) == 0:
        return np.zeros(0, dtype=np.float32)
    newest = timestamps.max()
    half_life = max((newest - timestamps.min()) / 10, _DAY)
    result: Float32s = np.exp2(-(newest - timestamps) / half_life).astype(np.float32)
    return result


def _parts(name: str, matrix: sp.csr_matrix) -> dict[str, np.ndarray]:
    return {
        f"{name}_data": matrix.data.astype(np.float32),
        f"{name}_indices": matrix.indices.astype(np.int32),
        f"{name}_indptr": matrix.indptr.astype(np.int64),
    }


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
    description="Predicts the items that a user will interact with, from the order of past interactions and metadata, "
    "and explores new items.",
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
    fit=fit,
    uses_events=True,
)
