"""Action recommendations: propensities, what must not be recommended now, exploration."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from localcloud.personalize.action_events import action_event
from localcloud.personalize.avro import ACTIONS, USERS, DatasetSchema
from localcloud.personalize.errors import InvalidInputError
from localcloud.personalize.filters import FilterExpression, allowed
from localcloud.personalize.filters.columns import CategoryColumn, NumberColumn, Value, column_of
from localcloud.personalize.group_data import GroupData
from localcloud.personalize.history import MOST_RECENT, History
from localcloud.personalize.recipes import Exploration
from localcloud.personalize.recipes.action_features import KINDS, ActionQuery
from localcloud.personalize.recipes.next_best_action import NextBestActionModel

Mask = npt.NDArray[np.bool_]
Row = Mapping[str, Any]

_DAY = 86_400
# Actions whose scores are the same to this many digits are equally likely: the more valuable one comes first.
_DIGITS = 4


@dataclass(frozen=True)
class ScoredAction:
    """An action with its propensity, 0 for one without enough interactions."""

    action_id: str
    score: float


@dataclass(frozen=True)
class ActionCandidates:
    """All actions for one request: filters.Candidates."""

    action_ids: Sequence[str]
    rows: Mapping[str, Row]
    schemas: Mapping[str, DatasetSchema]
    history: History
    user: Row = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of actions."""
        return len(self.action_ids)

    def column(self, name: str) -> CategoryColumn | NumberColumn:
        """Return a metadata column."""
        schema = self.schemas[ACTIONS]
        exact = schema.exact_name(name)
        values = [self.rows[action_id].get(exact) for action_id in self.action_ids]
        return column_of(values, schema.column(name))

    def interacted(self, event_types: frozenset[str] | None) -> Mask:
        """Mark the actions of the user's recent interactions of these types, however they are written."""
        wanted = None if event_types is None else {action_event(one) for one in event_types}
        present = self.history.event_types
        kinds = frozenset(kind.lower() for kind in present if wanted is None or action_event(kind) in wanted)
        found = self.history.items_of_types(kinds, MOST_RECENT)
        return np.array([action_id in found for action_id in self.action_ids], dtype=np.bool_)

    def user_value(self, name: str) -> Value:
        """Return an attribute of the user."""
        value: Value = self.user.get(self.schemas[USERS].exact_name(name))
        return value

    def item_value(self, name: str) -> Value:
        """Say that there is no current item."""
        raise ValueError(f"CurrentItem.{name} cannot be used with actions.")


class ActionServer:
    """Answers from one model on the data of its dataset group."""

    def __init__(
        self, model: NextBestActionModel, data: GroupData, schemas: Mapping[str, DatasetSchema]
    ) -> None:
        self._model = model
        self._data = data
        self._schemas = schemas

    def recommend(
        self, user_id: str, expression: FilterExpression | None, values: Mapping[str, str], count: int
    ) -> list[ScoredAction]:
        """Return the actions that the user will most likely take, best first; explored ones have the score 0.

        Raises InvalidInputError for missing or wrong filter values.
        """
        rows = self._data.actions()
        history = self._data.action_history(user_id)
        candidates = ActionCandidates(list(rows), rows, self._schemas, history, self._data.user(user_id))
        mask = np.ones(candidates.size, dtype=np.bool_)
        if expression is not None:
            try:
                mask = allowed(expression, candidates, values)
            except ValueError as error:
                raise InvalidInputError(str(error)) from error
        now = time.time()
        open_ids = [
            action_id
            for action_id, is_allowed in zip(candidates.action_ids, mask, strict=True)
            if is_allowed and _is_open(rows[action_id], history, action_id, now)
        ]
        propensities = dict(zip(self._model.item_ids, self._propensities(user_id, history), strict=True))
        scores = {one: round(float(propensities.get(one, 0.0)), _DIGITS) for one in open_ids}
        chosen = _chosen(scores, {one: rows[one].get("VALUE") or 0 for one in open_ids}, count)
        return [ScoredAction(action_id, scores[action_id]) for action_id in chosen]

    def _propensities(self, user_id: str, history: History) -> npt.NDArray[np.float32]:
        items = self._data.history(user_id)
        known = self._model.known_items
        chosen = [place for place, item_id in enumerate(items.item_ids) if item_id in known]
        index = self._model.item_index
        actions = [place for place, action_id in enumerate(history.item_ids) if action_id in index]
        # The data's own clock: a recording of the past is not an audience that went away.
        newest = max(self._model.settings["newest"], *items.timestamps[-1:], *history.timestamps[-1:], 0)
        query = ActionQuery(
            history=np.array([known[items.item_ids[place]] for place in chosen], dtype=np.int32),
            user=self._data.user(user_id),
            item_times=np.array([items.timestamps[place] for place in chosen], dtype=np.int64),
            actions=np.array([index[history.item_ids[place]] for place in actions], dtype=np.int32),
            action_times=np.array([history.timestamps[place] for place in actions], dtype=np.int64),
            kinds=np.array(
                [KINDS.index(action_event(history.event_types[place])) for place in actions], dtype=np.int32
            ),
            time=int(newest) + 1,
        )
        return self._model.scores(query)


def _is_open(row: Row, history: History, action_id: str, now: float) -> bool:
    """Say whether an action has not expired, and is not to wait until the user may see it again."""
    expires = row.get("EXPIRATION_TIMESTAMP")
    if expires is not None and expires <= now:
        return False
    days = row.get("REPEAT_FREQUENCY")
    if not days:
        return True
    events = zip(history.item_ids, history.timestamps, strict=True)
    times = [timestamp for item_id, timestamp in events if item_id == action_id]
    return not times or now >= max(times) + days * _DAY


def _chosen(scores: Mapping[str, float], values: Mapping[str, float], count: int) -> list[str]:
    """Return `count` actions, by score and value; exploration gives some places to those without a score."""
    random = np.random.default_rng()
    ranked = sorted(
        (one for one in scores if scores[one] > 0), key=lambda one: (-scores[one], -values[one], one)
    )
    new = [one for one in scores if scores[one] <= 0]
    random.shuffle(new)
    explored = int((random.random(min(count, len(scores))) < Exploration().weight ** 2).sum())
    places = min(len(new), max(explored, count - len(ranked)))
    # Of the new ones that fill the list the more valuable come first: nothing else is known of them.
    return ranked[: count - places] + sorted(new[:places], key=lambda one: -values[one])
