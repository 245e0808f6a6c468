"""What is known of a user at a moment, as numbers: the input of the propensities of actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from localcloud.personalize.recipes.base import Float32s, Int32s, Query

Int64s = npt.NDArray[np.int64]
Float64s = npt.NDArray[np.float64]

_DAY = 86_400.0
_NO_TIMES = np.zeros(0, dtype=np.int64)
_NO_PLACES = np.zeros(0, dtype=np.int32)
KINDS = ("TAKEN", "NOT_TAKEN", "VIEWED")
_TAKEN, _NOT_TAKEN = 0, 1
# Counts of all actions' events; then of this action's three kinds, and how lately it was taken or declined.
_SHARED_COUNTS, _OWN = 5, 5


@dataclass(frozen=True)
class ActionQuery(Query):
    """A user before the time `time` (epoch seconds).

    `history` are positions of items and `item_times` their times; `actions` are positions of actions,
    `action_times` their times and `kinds` positions in KINDS; all oldest first.
    """

    item_times: Int64s = field(default_factory=lambda: _NO_TIMES)
    actions: Int32s = field(default_factory=lambda: _NO_PLACES)
    action_times: Int64s = field(default_factory=lambda: _NO_TIMES)
    kinds: Int32s = field(default_factory=lambda: _NO_PLACES)
    time: int = 0


@dataclass(frozen=True)
class ActionFeatures:
    """Turns a query into numbers. `item_vectors` is items x factors; a token is COLUMN=value or COLUMN."""

    item_vectors: Float32s
    tokens: Sequence[str]
    period_days: float

    def of(self, query: ActionQuery, action_count: int) -> Float64s:
        """Return the features of the user with each action, shape (actions, features)."""
        shared = np.concatenate([self._activity(query), self._taste(query), self._attributes(query.user)])
        own = self._own(query, action_count)
        return np.hstack([np.broadcast_to(shared, (action_count, len(shared))), own])

    def _activity(self, query: ActionQuery) -> Float64s:
        """Return how much the user did, and how lately, with items and with actions."""
        ages = (query.time - query.item_times) / _DAY
        recent = np.count_nonzero(ages <= self.period_days)
        kinds = np.bincount(query.kinds, minlength=len(KINDS))
        return np.array(
            [
                np.log1p(len(ages)),
                np.log1p(recent),
                np.exp(-ages.min(initial=np.inf) / self.period_days),
                np.log1p(kinds[_TAKEN]),
                np.log1p(kinds[_NOT_TAKEN]),
            ]
        )

    def _taste(self, query: ActionQuery) -> Float64s:
        """Return the mean factors of the items, later ones weighing more."""
        width = self.item_vectors.shape[1]
        if len(query.history) == 0:
            return np.zeros(width)
        weights = np.exp(-(query.time - query.item_times) / _DAY / (2 * self.period_days)) + 1e-6
        mean: Float64s = weights @ self.item_vectors[query.history].astype(np.float64) / weights.sum()
        return mean

    def _attributes(self, user: Mapping[str, object]) -> Float64s:
        values = np.zeros(len(self.tokens))
        for place, token in enumerate(self.tokens):
            column, is_category, value = token.partition("=")
            given = user.get(column)
            if is_category:
                values[place] = given is not None and value in str(given).split("|")
            elif isinstance(given, int | float):
                values[place] = float(given)
        return values

    def _own(self, query: ActionQuery, action_count: int) -> Float64s:
        own = np.zeros((action_count, _OWN))
        for kind in range(len(KINDS)):
            of_kind = query.actions[query.kinds == kind]
            own[:, kind] = np.log1p(np.bincount(of_kind, minlength=action_count))
        for column, kind in ((3, _TAKEN), (4, _NOT_TAKEN)):
            chosen = query.kinds == kind
            # Oldest first: the latest of each action is what stays.
            ages = (query.time - query.action_times[chosen]) / _DAY
            own[query.actions[chosen], column] = np.exp(-ages / self.period_days)
        return own
