"""How much each view of a history counts: a softmax regression of the next item on the views."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from localcloud.personalize.interactions import InteractionLog

Views = npt.NDArray[np.float32]

TARGETS_OF_USER = 4
MOST_USERS = 500
_HARD = 100
_RANDOM = 150
_SEEN = 8
_RIDGE = 1e-3
_LEAST_HISTORY = 3
_LEAST_SPREAD = 1e-12


def hold_out(log: InteractionLog, seed: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Choose users and their newest interactions to learn the weights from.

    Returns the mark of the interactions that remain for training, and the chosen users.
    """
    lengths = np.diff(log.offsets)
    eligible = np.flatnonzero(lengths > _LEAST_HISTORY)
    if len(eligible) > MOST_USERS:
        eligible = np.random.default_rng(seed).choice(eligible, MOST_USERS, replace=False)
    remains = np.ones(len(log), dtype=np.bool_)
    for user in eligible:
        end = log.offsets[user + 1]
        remains[end - min(TARGETS_OF_USER, lengths[user] - _LEAST_HISTORY) : end] = False
    return remains, eligible


def learn_weights(
    log: InteractionLog,
    remains: npt.NDArray[np.bool_],
    users: npt.NDArray[np.int64],
    views_of: Callable[[int, npt.NDArray[np.int32]], Views],
    seed: int,
    *,
    against_popular: bool = False,
) -> npt.NDArray[np.float64]:
    """Return the weight of each view.

    `views_of(user, history)` gives the views of a history, shape (views, items). Each held-out interaction competes
    with all items (of which a sample stands for the others) or, `against_popular`, with items drawn by popularity.
    """
    random = np.random.default_rng(seed)
    interactions = np.asarray(log.items)
    lists, offsets = [], []
    for user in users:
        start, end = int(log.offsets[user]), int(log.offsets[user + 1])
        first = start + int(remains[start:end].sum())
        for target in range(first, end):
            history = interactions[start:target]
            views = views_of(int(user), history)
            if against_popular:
                chosen = _popular_competitors(int(log.items[target]), history, interactions, random)
                offset = np.zeros(len(chosen))
            else:
                chosen, offset = _competitors(views, int(log.items[target]), history, random)
            lists.append(views[:, chosen].T)
            offsets.append(offset)
    if not lists:
        return np.ones(len(views_of(0, np.zeros(0, dtype=np.int32))), dtype=np.float64)
    competing = np.stack(lists)
    spread = competing.std(axis=1).mean(axis=0)
    scale = np.where(spread > _LEAST_SPREAD, spread, 1.0)
    return _fit((competing / scale).astype(np.float32), np.stack(offsets).astype(np.float32)) / scale


def _popular_competitors(
    target: int,
    history: npt.NDArray[np.int32],
    interactions: npt.NDArray[np.int32],
    random: np.random.Generator,
) -> npt.NDArray[np.int64]:
    """Return the target and items drawn by their popularity, those of the history replaced by any others."""
    drawn = interactions[random.integers(0, len(interactions), _RANDOM)].astype(np.int64)
    taken = np.isin(drawn, history) | (drawn == target)
    drawn[taken] = random.integers(0, int(interactions.max()) + 1, int(taken.sum()))
    return np.concatenate([[target], drawn])


def _competitors(
    views: Views, target: int, history: npt.NDArray[np.int32], random: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return the target, then samples of three strata, and the logarithm of how many items each one stands for.

    The strata are the items that the plain sum of the views ranks highest (all of them), those of the history, and the
    rest: with the offsets, the softmax over the sample estimates the one over all items without bias.
    """
    total = (views / np.maximum(views.std(axis=1), _LEAST_SPREAD)[:, None]).sum(axis=0)
    seen = np.unique(history)
    total[seen] = -np.inf
    total[target] = -np.inf
    count = min(_HARD, len(total) - 1)
    hard = np.argpartition(-total, count)[:count]
    rest = max(len(total) - count - len(seen) - 1, 1)
    drawn = random.integers(0, len(total), _RANDOM)
    chosen = np.concatenate([np.array([target]), hard, random.choice(seen, _SEEN), drawn])
    stands_for = np.repeat([1.0, len(seen) / _SEEN, rest / _RANDOM], [1 + count, _SEEN, _RANDOM])
    return chosen, np.log(stands_for)


def _fit(competing: Views, offsets: Views) -> npt.NDArray[np.float64]:
    """Maximise the mean log likelihood of the first place of each list.

    `competing` has the shape (lists, places, views), `offsets` (lists, places).
    """
    lists, places, width = competing.shape
    flat = np.ascontiguousarray(competing.reshape(lists * places, width), dtype=np.float32)
    first = competing[:, 0, :].mean(axis=0)

    def loss(weights: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        scores = (flat @ weights.astype(np.float32)).reshape(lists, places) + offsets
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        likelihood = float(np.log(shares[:, 0] + 1e-30).mean())
        gradient = first - (shares.reshape(-1) @ flat) / lists
        return -likelihood + _RIDGE * float(weights @ weights), 2 * _RIDGE * weights - gradient

    found = minimize(loss, np.full(width, 0.2), jac=True, method="L-BFGS-B", options={"maxiter": 60})
    return np.asarray(found.x, dtype=np.float64)
