"""Other methods, written down as published or as measured before: what the recipes are compared with.

Each takes training data and returns a scorer: a history, oldest first, to a score for each item.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from implicit.als import AlternatingLeastSquares

from benchmarks.recommender.protocols import Scorer, Scores
from localcloud.personalize.interactions import InteractionLog
from localcloud.personalize.recipes import TrainingData
from localcloud.personalize.recipes.threads import one_thread

Rival = Callable[[TrainingData], Scorer]


def popularity(data: TrainingData) -> Scorer:
    """Score items by their number of interactions."""
    counts = np.bincount(data.log.items, minlength=data.item_count).astype(np.float32)
    return lambda _history: counts


def als(data: TrainingData) -> Scorer:
    """Score by `implicit`'s ALS, 128 factors, the user recalculated from the history."""
    matrix = _user_items(data.log, data.item_count)
    model = AlternatingLeastSquares(factors=128, random_state=1, num_threads=0)
    with one_thread():
        model.fit(matrix, show_progress=False)
    factors = np.asarray(model.item_factors)
    gram = factors.T @ factors + 0.01 * np.eye(128)

    def scores(history: np.ndarray) -> Scores:
        seen = factors[np.unique(history)]
        user = np.linalg.solve(gram + (model.alpha - 1.0) * seen.T @ seen, model.alpha * seen.sum(axis=0))
        return np.asarray(factors @ user, dtype=np.float32)

    return scores


def cosine(data: TrainingData) -> Scorer:
    """Score by item-item cosine, history weights exp(-lag/3)."""
    return _weighted(_cosines(data), 3.0)


def ease(data: TrainingData) -> Scorer:
    """Score by EASE^R (Steck 2019), history weights exp(-lag/10)."""
    return _weighted(_ease_weights(data), 10.0)


def transitions(data: TrainingData) -> Scorer:
    """Score by directed transitions at lags 1 to 10, weighted exp(-lag/4), history weights exp(-lag/4)."""
    return _weighted(_transition_matrix(data, 10, 4.0), 4.0)


def ridge(data: TrainingData) -> Scorer:
    """Score by a ridge regression of the next item on the history: decay 5, window 30, lambda 50."""
    log, count = data.log, data.item_count
    users = log.users
    inputs = sp.csr_matrix((len(log), count), dtype=np.float32)
    for lag in range(1, 31):
        rows = np.flatnonzero(users[lag:] == users[:-lag]) + lag
        weights = np.full(len(rows), np.exp(-(lag - 1) / 5.0), dtype=np.float32)
        inputs = inputs + sp.csr_matrix((weights, (rows, log.items[rows - lag])), shape=inputs.shape)
    nexts = sp.csr_matrix(
        (np.ones(len(log), dtype=np.float32), (np.arange(len(log)), log.items)), inputs.shape
    )
    gram = (inputs.T @ inputs).toarray().astype(np.float64) + 50.0 * np.eye(count)
    weights = scipy.linalg.solve(gram, (inputs.T @ nexts).toarray(), assume_a="pos").astype(np.float32)
    return _weighted(weights, 5.0, window=30)


def blend(data: TrainingData) -> Scorer:
    """Score by the sum of the z-scored transitions, ridge and EASE."""
    parts = [transitions(data), ridge(data), ease(data)]

    def scores(history: np.ndarray) -> Scores:
        each = [part(history) for part in parts]
        return np.sum([(one - one.mean()) / (one.std() + 1e-9) for one in each], axis=0)

    return scores


def cosine_of_last(data: TrainingData) -> Scorer:
    """Score by the cosine to the last item alone."""
    matrix = _cosines(data)
    return lambda history: matrix[history[-1]]


def transitions_from_last(data: TrainingData) -> Scorer:
    """Score by directed transitions from the last item alone (lags 1 to 5, exp(-lag/2))."""
    matrix = _transition_matrix(data, 5, 2.0)
    return lambda history: matrix[history[-1]]


SEQUENTIAL: dict[str, Rival] = {
    "popularity": popularity,
    "implicit ALS, 128 factors": als,
    "cosine, exp(-lag/3)": cosine,
    "EASE, exp(-lag/10)": ease,
    "directed transitions": transitions,
    "ridge of the next item": ridge,
    "transitions + ridge + EASE": blend,
}
FROM_LAST: dict[str, Rival] = {
    "popularity": popularity,
    "cosine": cosine_of_last,
    "directed transitions": transitions_from_last,
}


def _weighted(matrix: np.ndarray, decay: float, window: int | None = None) -> Scorer:
    def scores(history: np.ndarray) -> Scores:
        recent = history[-window:] if window else history
        weights = np.exp(-np.arange(len(recent) - 1, -1, -1, dtype=np.float32) / decay)
        return np.asarray(weights @ matrix[recent], dtype=np.float32)

    return scores


def _user_items(log: InteractionLog, item_count: int) -> sp.csr_matrix:
    ones = np.ones(len(log), dtype=np.float32)
    matrix = sp.csr_matrix((ones, log.items.copy(), log.offsets.copy()), (len(log.user_ids), item_count))
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix


def _cosines(data: TrainingData) -> np.ndarray:
    matrix = _user_items(data.log, data.item_count)
    lengths = np.sqrt(np.maximum(np.asarray(matrix.sum(axis=0)).ravel(), 1.0))
    together = (matrix.T @ matrix).toarray() / lengths[:, None] / lengths[None, :]
    np.fill_diagonal(together, 0.0)
    return together.astype(np.float32)


def _ease_weights(data: TrainingData) -> np.ndarray:
    matrix = _user_items(data.log, data.item_count)
    gram = (matrix.T @ matrix).toarray().astype(np.float64) + 300.0 * np.eye(data.item_count)
    inverse = scipy.linalg.inv(gram)
    weights = -inverse / np.diag(inverse)[None, :]
    np.fill_diagonal(weights, 0.0)
    return weights.astype(np.float32)


def _transition_matrix(data: TrainingData, lags: int, decay: float) -> np.ndarray:
    log, count = data.log, data.item_count
    counts = np.zeros((count, count), dtype=np.float32)
    for lag in range(1, lags + 1):
        same = np.flatnonzero(log.users[lag:] == log.users[:-lag])
        np.add.at(counts, (log.items[same], log.items[same + lag]), np.float32(np.exp(-lag / decay)))
    popular = np.bincount(log.items, minlength=count)
    return counts / (counts.sum(axis=1, keepdims=True) + 5.0) / (popular + 20.0)[None, :] ** 0.3
