"""Training of aws-next-best-action: from the store to the model and its metrics."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import cast

import numpy as np
import numpy.typing as npt

from localcloud.personalize.action_events import ACTION_EVENTS, action_event
from localcloud.personalize.avro import ACTIONS, USERS
from localcloud.personalize.interactions import InteractionLog
from localcloud.personalize.recipes import Hyperparameters, Recipe
from localcloud.personalize.recipes.next_best_action import (
    ActionTrainingData,
    NextBestActionModel,
    examples_of,
)
from localcloud.personalize.store import Store
from localcloud.personalize.training_data import EventChoice, NotEnoughDataError, prepare

# AWS considers this many actions: new ones and those with recent interactions before others.
_MOST_ACTIONS = 1_000
_HELD_OUT = 0.1


def prepare_actions(store: Store, choice: EventChoice) -> ActionTrainingData:
    """Return what to learn from.

    Raises NotEnoughDataError when there are too few item interactions or no actions.
    """
    data = prepare(store, choice)
    actions = store.table(ACTIONS)
    if actions is None or actions.num_rows == 0:
        raise NotEnoughDataError("Create failed. The Actions dataset has no actions.")
    action_ids = _chosen(actions["ACTION_ID"].to_pylist(), store.action_log)
    common = {field.name: getattr(data, field.name) for field in fields(data)}
    return ActionTrainingData(
        **common,
        action_ids=action_ids,
        action_log=_of_actions(store.action_log, action_ids),
        user_rows=_user_rows(store, choice),
    )


def _chosen(action_ids: list[str], log: InteractionLog) -> list[str]:
    latest = np.zeros(len(log.item_ids), dtype=np.int64)
    np.maximum.at(latest, log.items, log.timestamps)
    time_of = dict(zip(log.item_ids, latest.tolist(), strict=True))
    never = np.iinfo(np.int64).max
    return sorted(action_ids, key=lambda action_id: -time_of.get(action_id, never))[:_MOST_ACTIONS]


def _of_actions(log: InteractionLog, action_ids: list[str]) -> InteractionLog:
    """Return the log of these actions; its item numbers are their positions."""
    index = {action_id: place for place, action_id in enumerate(action_ids)}
    place_of = np.array([index.get(action_id, -1) for action_id in log.item_ids] or [-1], dtype=np.int32)
    kinds = [action_event(name) for name in log.event_type_names]
    is_kind = np.array([kind in ACTION_EVENTS for kind in kinds] or [False])
    kept = log.select((place_of[log.items] >= 0) & is_kind[log.event_types])
    names = [kind if kind in ACTION_EVENTS else ACTION_EVENTS[-1] for kind in kinds]
    return replace(kept, item_ids=action_ids, items=place_of[kept.items], event_type_names=names)


def _user_rows(store: Store, choice: EventChoice) -> dict[str, dict[str, object]]:
    users, schema = store.table(USERS), store.schema(USERS)
    if users is None or schema is None:
        return {}
    ignored = choice.ignored_columns.get(USERS, frozenset())
    # As on AWS strings that are not categorical are for filters only.
    names = [
        column.name
        for column in schema.metadata
        if column.name not in ignored and (column.categorical or column.kind != "string")
    ]
    known = set(store.action_log.user_ids)
    return {
        row["USER_ID"]: {name: row[name] for name in names}
        for row in users.select(["USER_ID", *names]).to_pylist()
        if row["USER_ID"] in known
    }


def train_actions(
    recipe: Recipe, data: ActionTrainingData, hyperparameters: Hyperparameters, seed: int
) -> tuple[NextBestActionModel, dict[str, float]]:
    """Return the model, and the metrics of one that has not seen a tenth of the users."""
    held_out = np.random.default_rng(seed).random(len(data.action_log.user_ids)) < _HELD_OUT
    of_held_out = held_out[data.action_log.users]
    blind = recipe.fit(replace(data, action_log=data.action_log.select(~of_held_out)), hyperparameters)
    metrics = measure(
        cast(NextBestActionModel, blind), replace(data, action_log=data.action_log.select(of_held_out))
    )
    return cast(NextBestActionModel, recipe.fit(data, hyperparameters)), metrics


def measure(model: NextBestActionModel, data: ActionTrainingData) -> dict[str, float]:
    """Return the mean over actions of the area under the ROC curve, and the share of actions with a score.

    `data` has the action interactions of the held-out users only.
    """
    examples = examples_of(data, model.features, model.known_items)
    areas = []
    for action in np.flatnonzero(model.arrays["scored"]):
        chosen = examples.actions == action
        scaled = (examples.features[chosen] - model.arrays["means"]) / model.arrays["deviations"]
        logits = scaled @ model.arrays["weights"][action, 1:]
        area = _area(logits, examples.successes[chosen])
        if area is not None:
            areas.append(area)
    metrics = {"coverage": round(float(model.arrays["scored"].mean()), 6)}
    if areas:
        metrics["average_auc"] = round(float(np.mean(areas)), 6)
    return metrics


def _area(scores: npt.NDArray[np.float64], successes: npt.NDArray[np.bool_]) -> float | None:
    """Return the chance that a success is scored above a failure, ties counting half; None without both."""
    good, bad = scores[successes], scores[~successes]
    if len(good) == 0 or len(bad) == 0:
        return None
    order = np.sort(bad)
    below = np.searchsorted(order, good, side="left")
    not_above = np.searchsorted(order, good, side="right")
    return float((below + not_above).mean() / 2 / len(bad))
