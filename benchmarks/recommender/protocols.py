"""How methods are compared: the last interaction of each user is predicted from those before it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from benchmarks.recommender.sequences import Sequences
from localcloud.personalize.interactions import InteractionLog

Scores = npt.NDArray[np.float32]
Scorer = Callable[[npt.NDArray[np.int32]], Scores]
_NEGATIVES = 99
_MOST_USERS = 3_000


def users_to_test(sequences: Sequences) -> npt.NDArray[np.int64]:
    """Return the users with a target, a sample of the same ones for every method where there are many."""
    users = np.flatnonzero(sequences.targets() >= 0)
    if len(users) <= _MOST_USERS:
        return users
    return np.sort(np.random.default_rng(0).choice(users, _MOST_USERS, replace=False))


def rank_all(sequences: Sequences, scorer: Scorer) -> dict[str, float]:
    """Rank all items not in the history (Protocol S; the target keeps its score), ties at mid rank."""
    targets, ranks = sequences.targets(), []
    for user in users_to_test(sequences):
        history = _history(sequences.log, int(user))
        scores, target = scorer(history), int(targets[user])
        rivals = np.ones(len(scores), dtype=np.bool_)
        rivals[history] = False
        rivals[target] = False
        ranks.append(_mid_rank(scores[rivals], float(scores[target])))
    return _metrics(np.array(ranks))


def rank_among_popular(sequences: Sequences, scorer: Scorer) -> dict[str, float]:
    """Rank the target among itself and 99 unseen items that are drawn by their popularity."""
    random = np.random.default_rng(0)
    targets, ranks = sequences.targets(), []
    data = sequences.without_newest()
    popularity = np.bincount(data.log.items, minlength=data.item_count).astype(np.float64)
    for user in users_to_test(sequences):
        history, target = _history(sequences.log, int(user)), int(targets[user])
        shares = popularity.copy()
        shares[history] = 0
        shares[target] = 0
        count = min(_NEGATIVES, int((shares > 0).sum()))
        rivals = random.choice(len(shares), count, replace=False, p=shares / shares.sum())
        scores = scorer(history)
        ranks.append(_mid_rank(scores[rivals], float(scores[target])))
    return _metrics(np.array(ranks))


def _history(log: InteractionLog, user: int) -> npt.NDArray[np.int32]:
    return np.asarray(log.items[log.offsets[user] : log.offsets[user + 1] - 1])


def _mid_rank(rivals: Scores, score: float) -> float:
    """Return the place of a score among its rivals, the first place being 0."""
    return float((rivals > score).sum()) + float((rivals == score).sum()) / 2


def _metrics(ranks: npt.NDArray[np.float64]) -> dict[str, float]:
    gains = np.where(ranks < 10, 1.0 / np.log2(ranks + 2.0), 0.0)
    reciprocal = np.where(ranks < 25, 1.0 / (ranks + 1.0), 0.0)
    return {
        "NDCG@10": float(gains.mean()),
        "HR@10": float((ranks < 10).mean()),
        "MRR@25": float(reciprocal.mean()),
    }
