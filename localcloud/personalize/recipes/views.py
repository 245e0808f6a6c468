"""The views of a history that the sequential model adds up: each gives every item a number."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.linalg
import scipy.sparse as sp
from implicit.als import AlternatingLeastSquares
from sklearn.utils.extmath import randomized_svd

from localcloud.personalize.interactions import InteractionLog
from localcloud.personalize.recipes.threads import one_thread
from localcloud.personalize.recipes.transitions import count_transitions, keep_strongest, normalise

Arrays = dict[str, npt.NDArray[Any]]
Float32s = npt.NDArray[np.float32]

_LAG_DECAY = 4.0
_MOST_LAGS = 10
_NEIGHBOURS = 400
_STEPS = 3
_STEP_DECAY = 1.0
_STEP_NEIGHBOURS = 200
_DIRECTED_RANK = 64
_DIRECTED_LAGS = 5
_DIRECTED_DECAY = 2.0
_LIFT_SMOOTHING = 20.0
# EASE inverts a matrix of this many items at most: the most popular ones, which carry nearly all
# interactions.
_EASE_ITEMS = 4_000
_EASE_RIDGE = 300.0
_ALS_REGULARISATION = 0.05
_ALS_CONFIDENCE = 10.0
_ALS_ITERATIONS = 7
# ALS learns items from as many interactions, of users chosen at random, at most.
_ALS_INTERACTIONS = 400_000


def transitions(
    log: InteractionLog, weights: Float32s, popularity: npt.NDArray[np.float64], lags: int
) -> Arrays:
    """Return the normalised transitions over at most `lags` steps (CSR).

    `transitions`: C[i, j] / (row sum + 5) / (popularity j + 20)^0.3; `preceding`: the same of the transposed
    C; `steps`: of three steps at most, fading faster, the row sum + 2.
    """
    counts = count_transitions(log, len(popularity), weights, min(lags, _MOST_LAGS), _LAG_DECAY)
    forward = keep_strongest(normalise(counts, popularity, 5.0, 0.3), _NEIGHBOURS)
    backward = keep_strongest(normalise(counts.T.tocsr(), popularity, 5.0, 0.3), _NEIGHBOURS)
    steps = near_transitions(log, weights, popularity, lags)
    return csr_arrays("transitions", forward) | csr_arrays("preceding", backward) | csr_arrays("steps", steps)


def near_transitions(
    log: InteractionLog, weights: Float32s, popularity: npt.NDArray[np.float64], lags: int = _STEPS
) -> sp.csr_matrix:
    """Return the normalised transitions of at most `lags` steps, and of three: they fade fast."""
    counts = count_transitions(log, len(popularity), weights, min(lags, _STEPS), _STEP_DECAY)
    return keep_strongest(normalise(counts, popularity, 2.0, 0.3), _STEP_NEIGHBOURS)


def directed_factors(
    log: InteractionLog, weights: Float32s, item_count: int, seed: int
) -> tuple[Float32s, Float32s]:
    """Return item factors whose products are near the logarithm of the transitions' lifts.

    The truncated singular value decomposition of log(1 + C[i, j] * sum / (row sum + 20) / (column sum + 20)),
    C over five steps: transitions that nobody made yet get what alike items let expect.
    """
    counts = count_transitions(log, item_count, weights, _DIRECTED_LAGS, _DIRECTED_DECAY)
    before = np.asarray(counts.sum(axis=1)).ravel() + _LIFT_SMOOTHING
    after = np.asarray(counts.sum(axis=0)).ravel() + _LIFT_SMOOTHING
    lifts = (sp.diags(counts.sum() / before) @ counts @ sp.diags(1.0 / after)).tocsr().astype(np.float32)
    lifts = keep_strongest(lifts.log1p(), _NEIGHBOURS)
    rank = min(_DIRECTED_RANK, item_count - 1)
    if lifts.nnz == 0 or rank < 1:
        nothing = np.zeros((item_count, 1), dtype=np.float32)
        return nothing, nothing
    left, sizes, right = randomized_svd(lifts, rank, n_iter=3, random_state=seed)
    return (left * sizes).astype(np.float32), right.T.astype(np.float32)


def ease(log: InteractionLog, popularity: npt.NDArray[np.float64]) -> Arrays:
    """Return EASE^R (Steck 2019): the closed-form item-to-item regression with a zero diagonal.

    `ease_items` are the items it covers, `ease` the weights, shape (items, items).
    """
    chosen = np.sort(np.argsort(-popularity, kind="stable")[:_EASE_ITEMS])
    matrix = user_items(log, len(popularity))[:, chosen]
    gram = np.asarray((matrix.T @ matrix).todense(), dtype=np.float64)
    gram[np.diag_indices_from(gram)] += _EASE_RIDGE
    weights = -_inverse(gram)
    weights /= -np.diag(weights)[None, :]
    weights[np.diag_indices_from(weights)] = 0.0
    return {"ease": weights.astype(np.float32), "ease_items": chosen.astype(np.int32)}


def _inverse(matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the inverse of a symmetric positive definite matrix, by Cholesky."""
    triangle, _ = scipy.linalg.lapack.dpotrf(matrix, lower=1, overwrite_a=1)
    half, _ = scipy.linalg.lapack.dpotri(triangle, lower=1, overwrite_c=1)
    inverse: npt.NDArray[np.float64] = np.tril(half) + np.tril(half, -1).T
    return inverse


def factors(log: InteractionLog, item_count: int, dimension: int, seed: int) -> tuple[Float32s, Float32s]:
    """Return item factors of implicit ALS (Hu, Koren, Volinsky 2008): for histories, for items.

    A history h scores items by the second @ the mean of the first over h: the ALS solution for a user of
    which only the item Gramian counts.
    """
    matrix = user_items(_sampled(log, seed), item_count)
    model = AlternatingLeastSquares(
        factors=dimension,
        regularization=_ALS_REGULARISATION,
        alpha=_ALS_CONFIDENCE,
        iterations=_ALS_ITERATIONS,
        random_state=seed,
        num_threads=1,
    )
    with one_thread():
        model.fit(matrix, show_progress=False)
    items = np.asarray(model.item_factors, dtype=np.float32)
    gram = items.T @ items + np.eye(dimension, dtype=np.float32) * _ALS_REGULARISATION * _ALS_CONFIDENCE
    return items, (items @ np.linalg.inv(gram)).astype(np.float32)


def user_items(log: InteractionLog, item_count: int) -> sp.csr_matrix:
    """Return users x items, 1 where there is an interaction."""
    shape = (len(log.user_ids), item_count)
    # Copies: sum_duplicates sorts in place.
    matrix = sp.csr_matrix(
        (np.ones(len(log), dtype=np.float32), log.items.copy(), log.offsets.copy()), shape=shape
    )
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix


def csr_arrays(name: str, matrix: sp.csr_matrix) -> Arrays:
    """Return the three arrays of a CSR matrix under `name`."""
    return {
        f"{name}_data": matrix.data.astype(np.float32),
        f"{name}_indices": matrix.indices.astype(np.int32),
        f"{name}_indptr": matrix.indptr.astype(np.int64),
    }


def _sampled(log: InteractionLog, seed: int) -> InteractionLog:
    if len(log) <= _ALS_INTERACTIONS:
        return log
    chosen = np.random.default_rng(seed).random(len(log.user_ids)) < _ALS_INTERACTIONS / len(log)
    return log.select(chosen[log.users])
