"""aws-next-best-action: the actions that a user will most likely take within the action optimization period.

The propensity of an action is a logistic regression, with a ridge penalty, on what is known of the user just
before an interaction with that action: activity and taste in items (factors of the item interactions),
attributes, and earlier interactions with this and other actions. An interaction is a success when it is Taken
or is followed by Taken within the period. As on AWS only the six weeks before the newest action interaction
count, and an action has a score when there are 50 of Taken and 50 of Not taken or Viewed among them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import cast

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from localcloud.personalize.interactions import InteractionLog
from localcloud.personalize.recipes.action_features import (
    KINDS,
    ActionFeatures,
    ActionQuery,
    Float64s,
    Int64s,
)
from localcloud.personalize.recipes.base import (
    Float32s,
    Hyperparameter,
    Hyperparameters,
    Int32s,
    Model,
    Query,
    Recipe,
    TrainingData,
)
from localcloud.personalize.recipes.threads import one_thread

_DAY = 86_400
_WEEKS_SECONDS = 42 * _DAY
_LEAST_OF_EACH = 50
_MOST_ITEMS = 20_000
_FACTORS = 16
_MOST_TOKENS = 32
_RIDGE = 1.0
_NEWTON_STEPS = 30
_SEED = 1
# A deviation below this is that of a feature which does not vary.
_CONSTANT = 1e-9


@dataclass(frozen=True)
class ActionTrainingData(TrainingData):
    """Training data with actions: `action_log`'s items are positions in `action_ids`.

    `user_rows` are the attributes of users by their id.
    """

    action_ids: Sequence[str] = ()
    action_log: InteractionLog = field(default_factory=lambda: InteractionLog.from_table(None))
    user_rows: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


class NextBestActionModel(Model):
    """Its `item_ids` are the ids of actions."""

    KIND = "next-best-action"

    def scores(self, query: Query) -> Float32s:
        """Return the propensity, 0 to 1, of each action; 0 for actions with too few interactions."""
        assert isinstance(query, ActionQuery)  # noqa: S101 - the only query for actions
        features = self.features.of(query, len(self.item_ids))
        scaled = (features - self.arrays["means"]) / self.arrays["deviations"]
        weights = np.asarray(self.arrays["weights"])
        logits = (scaled * weights[:, 1:]).sum(axis=1) + weights[:, 0]
        propensities = np.where(self.arrays["scored"], 1.0 / (1.0 + np.exp(-logits)), 0.0)
        return cast(Float32s, propensities.astype(np.float32))

    @cached_property
    def features(self) -> ActionFeatures:
        """What the propensities are computed from."""
        tokens = [str(token) for token in self.arrays["tokens"]]
        return ActionFeatures(np.asarray(self.arrays["item_vectors"]), tokens, self.settings["period"])

    @cached_property
    def known_items(self) -> dict[str, int]:
        """Position of each item that has factors."""
        return {str(item_id): place for place, item_id in enumerate(self.arrays["known_items"])}


@dataclass(frozen=True)
class Examples:
    """Interactions with actions as what to learn from: features, the action, whether it was a success."""

    features: Float64s
    actions: Int32s
    successes: npt.NDArray[np.bool_]


def fit(data: TrainingData, hyperparameters: Hyperparameters) -> NextBestActionModel:
    """Learn the propensities of all actions."""
    assert isinstance(data, ActionTrainingData)  # noqa: S101 - action_training prepares nothing else
    period = float(hyperparameters["action_optimization_period"])
    with one_thread():
        known_items, vectors = _item_factors(data.log)
        features = ActionFeatures(vectors, _tokens(data.user_rows), period)
        examples = examples_of(data, features, known_items)
        means, deviations = _scale(examples.features)
        count = len(data.action_ids)
        weights = np.zeros((count, examples.features.shape[1] + 1), dtype=np.float64)
        scored = np.zeros(count, dtype=np.bool_)
        for action in _actions_with_enough(data):
            of_action = examples.actions == action
            scaled = (examples.features[of_action] - means) / deviations
            weights[action] = _logistic(scaled, examples.successes[of_action])
            scored[action] = True
    arrays = {
        "item_vectors": vectors,
        "known_items": np.array(list(known_items), dtype=np.str_),
        "tokens": np.array(features.tokens, dtype=np.str_),
        "means": means,
        "deviations": deviations,
        "weights": weights,
        "scored": scored,
    }
    return NextBestActionModel(list(data.action_ids), arrays, {"period": period, "newest": _newest(data)})


def examples_of(
    data: ActionTrainingData, features: ActionFeatures, known_items: Mapping[str, int]
) -> Examples:
    """Return the interactions of the last six weeks with what was known before each of them."""
    rows = list(_example_rows(data, features, known_items))
    width = features.of(ActionQuery(np.zeros(0, dtype=np.int32)), 1).shape[1]
    return Examples(
        features=np.array([row[0] for row in rows]).reshape(len(rows), width),
        actions=np.array([row[1] for row in rows], dtype=np.int32),
        successes=np.array([row[2] for row in rows], dtype=np.bool_),
    )


def _example_rows(
    data: ActionTrainingData, features: ActionFeatures, known_items: Mapping[str, int]
) -> Iterator[tuple[Float64s, int, bool]]:
    log = data.action_log
    kinds_of = _kinds(log)
    since = _newest(data) - _WEEKS_SECONDS
    for user, user_id in enumerate(log.user_ids):
        rows = slice(int(log.offsets[user]), int(log.offsets[user + 1]))
        whole = ActionQuery(
            *_items_of(data.log, user_id, known_items),
            actions=np.asarray(log.items[rows]),
            action_times=np.asarray(log.timestamps[rows]),
            kinds=kinds_of[rows],
        )
        whole = replace(whole, user=data.user_rows.get(user_id, {}))
        for place, (action, time) in enumerate(zip(whole.actions, whole.action_times, strict=True)):
            if time < since:
                continue
            later = slice(place, None)
            within = whole.action_times[later] <= time + features.period_days * _DAY
            same = whole.actions[later] == action
            success = bool((within & same & (whole.kinds[later] == 0)).any())
            known = features.of(_before(whole, int(time), place), len(data.action_ids))[action]
            yield known, int(action), success


def _before(query: ActionQuery, time: int, actions: int) -> ActionQuery:
    """Return what was known at a time, before the user's action interaction number `actions`."""
    items = int(np.searchsorted(query.item_times, time))
    return replace(
        query,
        history=query.history[:items],
        item_times=query.item_times[:items],
        actions=query.actions[:actions],
        action_times=query.action_times[:actions],
        kinds=query.kinds[:actions],
        time=time,
    )


def _items_of(
    log: InteractionLog, user_id: str, known_items: Mapping[str, int]
) -> tuple[Int32s, None, dict[str, object], dict[str, object], Int64s]:
    """Return the first five members of an ActionQuery: items, no item, no attributes, no context, times."""
    rows = log.rows_of(user_id)
    places = np.array([known_items.get(log.item_ids[item], -1) for item in log.items[rows]], dtype=np.int32)
    return places[places >= 0], None, {}, {}, np.asarray(log.timestamps[rows])[places >= 0]


def _kinds(log: InteractionLog) -> Int32s:
    position = {kind: place for place, kind in enumerate(KINDS)}
    of_code = np.array([position[name] for name in log.event_type_names] or [0], dtype=np.int32)
    kinds: Int32s = of_code[log.event_types]
    return kinds


def _newest(data: ActionTrainingData) -> float:
    return float(data.action_log.timestamps.max(initial=0))


def _actions_with_enough(data: ActionTrainingData) -> list[int]:
    log = data.action_log
    recent = log.timestamps >= _newest(data) - _WEEKS_SECONDS
    taken = _kinds(log) == 0
    count = len(data.action_ids)
    yes = np.bincount(log.items[recent & taken], minlength=count)[:count]
    no = np.bincount(log.items[recent & ~taken], minlength=count)[:count]
    return [int(action) for action in np.flatnonzero((yes >= _LEAST_OF_EACH) & (no >= _LEAST_OF_EACH))]


def _item_factors(log: InteractionLog) -> tuple[dict[str, int], Float32s]:
    """Return the commonest items' positions and factors: those of the log counts of users x items."""
    counts = np.bincount(log.items, minlength=len(log.item_ids))
    chosen = np.argsort(-counts, kind="stable")[:_MOST_ITEMS]
    chosen = chosen[counts[chosen] > 0]
    known = {log.item_ids[item]: place for place, item in enumerate(chosen.tolist())}
    ones = np.ones(len(log), dtype=np.float32)
    matrix = sp.csr_matrix((ones, (log.users, log.items)), shape=(len(log.user_ids), len(log.item_ids)))
    matrix = matrix[:, chosen].log1p()
    rank = min(_FACTORS, min(matrix.shape) - 1)
    if rank < 1:
        return known, np.zeros((len(known), 1), dtype=np.float32)
    start = np.random.default_rng(_SEED).standard_normal(min(matrix.shape))
    _, _, factors = sp.linalg.svds(matrix.astype(np.float64), k=rank, v0=start)
    return known, np.ascontiguousarray(factors.T * np.sqrt(len(known)), dtype=np.float32)


def _tokens(user_rows: Mapping[str, Mapping[str, object]]) -> list[str]:
    """Return the columns of numbers and the commonest categories of users' attributes."""
    counts: dict[str, int] = {}
    for row in user_rows.values():
        for column, value in row.items():
            if value is None:
                continue
            is_number = isinstance(value, int | float)
            for name in [column] if is_number else [f"{column}={one}" for one in str(value).split("|")]:
                counts[name] = counts.get(name, 0) + 1
    return sorted(counts, key=lambda name: (-counts[name], name))[:_MOST_TOKENS]


def _scale(features: Float64s) -> tuple[Float64s, Float64s]:
    if len(features) == 0:
        return np.zeros(features.shape[1]), np.ones(features.shape[1])
    deviations = features.std(axis=0)
    return features.mean(axis=0), np.where(deviations > _CONSTANT, deviations, 1.0)


def _logistic(features: Float64s, successes: npt.NDArray[np.bool_]) -> Float64s:
    """Return intercept and weights by Newton's method; the intercept has no penalty."""
    inputs = np.hstack([np.ones((len(features), 1)), features])
    penalty = np.full(inputs.shape[1], _RIDGE)
    penalty[0] = 1e-6
    weights = np.zeros(inputs.shape[1])
    for _ in range(_NEWTON_STEPS):
        chances = 1.0 / (1.0 + np.exp(-np.clip(inputs @ weights, -30, 30)))
        gradient = inputs.T @ (chances - successes) + penalty * weights
        curvature = (inputs * (chances * (1 - chances))[:, None]).T @ inputs + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        weights -= step
        if np.abs(step).max() < 1e-6:  # noqa: PLR2004 - converged
            break
    return weights


RECIPE = Recipe(
    name="aws-next-best-action",
    recipe_type="PERSONALIZED_ACTIONS",
    description="Predicts the actions that a user will most likely take, and explores new actions.",
    hyperparameters=(Hyperparameter("action_optimization_period", "int", 14, 7, 28),),
    fit=fit,
    uses_events=True,
)
