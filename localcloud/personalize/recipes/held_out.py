"""Which interactions a training holds out, to learn from them how much each view of a history counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from localcloud.personalize.interactions import InteractionLog
from localcloud.personalize.recipes.views import user_items

Targets = npt.NDArray[np.int64]

# A user with at most this many interactions is a newcomer.
SHORT = 4
_TARGETS_OF_USER = 4
_MOST_USERS = 1_000
_MOST_NEWCOMERS = 500
_SHARE_OF_NEWCOMERS = 0.1
# The share of a history that is held out, as AWS's metrics do.
_NEWEST = 0.1
_LEAST_HISTORY = 3
# Bounds the time of a large catalogue: lists x items.
_MOST_CELLS = 40_000_000
_FEWEST_USERS = 200


@dataclass(frozen=True)
class HeldOut:
    """What remains for training (a mark of each interaction), and what is to be predicted without the rest.

    Targets are rows of (user, row of the target, end of the history to predict it from): the newest of some
    users, and the first few of others, the newcomers, nothing of whom remains.
    """

    remains: npt.NDArray[np.bool_]
    newest: Targets
    of_newcomers: Targets


def hold_out(
    log: InteractionLog, item_count: int, seed: int, *, ahead: float = 0.0, newcomers: bool = False
) -> HeldOut:
    """Choose users and what to predict of them.

    `ahead` is the share of the targets that lie further ahead (`share_ahead`): the more, the more of each
    history is held out. `newcomers`: also hold out whole histories of others.
    """
    random = np.random.default_rng(seed)
    lengths = np.diff(log.offsets)
    eligible = np.flatnonzero(lengths > _LEAST_HISTORY)
    most = min(_MOST_USERS, max(_MOST_CELLS // (_TARGETS_OF_USER * max(item_count, 1)), _FEWEST_USERS))
    new = eligible[:0]
    if newcomers:
        count = min(_MOST_NEWCOMERS, most // 2, int(len(eligible) * _SHARE_OF_NEWCOMERS))
        new = random.choice(eligible, count, replace=False)
        eligible = np.setdiff1d(eligible, new)
    if len(eligible) > most:
        eligible = random.choice(eligible, most, replace=False)
    remains = np.ones(len(log), dtype=np.bool_)
    for user in new:
        remains[log.offsets[user] : log.offsets[user + 1]] = False
    for user in eligible:
        end = log.offsets[user + 1]
        newest = max(_TARGETS_OF_USER, int(lengths[user] * _NEWEST * ahead))
        remains[end - min(newest, lengths[user] - _LEAST_HISTORY) : end] = False
    rows = [row for user in eligible.tolist() for row in _newest_of(log, remains, user, random, ahead)]
    first = [
        (user, row, row)
        for user in new.tolist()
        for row in range(log.offsets[user] + 1, min(log.offsets[user] + 1 + SHORT, log.offsets[user + 1]))
    ]
    return HeldOut(remains, _targets(rows), _targets(first))


def share_ahead(log: InteractionLog) -> float:
    """Return how many of the targets lie further ahead: twice the share of repeated interactions, at most 1.

    Where people do not repeat items, what comes next follows from what came just before. The more they
    repeat, the more the coming visits matter, and the more the order within one is chance.
    """
    pairs = int(user_items(log, int(log.items.max(initial=0)) + 1).nnz)
    return min(2.0 - 2.0 * pairs / max(len(log), 1), 1.0)


def _newest_of(
    log: InteractionLog,
    remains: npt.NDArray[np.bool_],
    user: int,
    random: np.random.Generator,
    ahead: float,
) -> list[tuple[int, int, int]]:
    """Return a user's targets: each from all before it, or, for a share `ahead`, from what remains."""
    start, end = int(log.offsets[user]), int(log.offsets[user + 1])
    first = start + int(remains[start:end].sum())
    return [
        (user, int(random.integers(first, end)), first) if random.random() < ahead else (user, row, row)
        for row in range(max(end - _TARGETS_OF_USER, first), end)
    ]


def _targets(rows: list[tuple[int, int, int]]) -> Targets:
    return np.array(rows, dtype=np.int64).reshape(-1, 3)
