"""The process that trains a solution version: `python -m localcloud.personalize.training_worker FOLDER PID`.

FOLDER holds `order.json` (what to train); the process writes `model/` and `result.json` into it, and for
recipes with UPDATE trainings `measured/`, the model of which the metrics are. PID is the process that waits
for it. A process of its own keeps the server responsive and can be stopped.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from localcloud.personalize.action_training import prepare_actions, train_actions
from localcloud.personalize.metrics import hold_out_users, measure, without_users
from localcloud.personalize.objective import ItemValues
from localcloud.personalize.recipes import RECIPES, load, trending
from localcloud.personalize.segment_metrics import evaluate_segments
from localcloud.personalize.store import Store
from localcloud.personalize.training_data import EventChoice, NotEnoughDataError, item_numbers, prepare
from localcloud.personalize.tuning import tune

_SEED = 20_180_522
_MODEL, _MEASURED = "model", "measured"
_LOOK_SECONDS = 0.5


def train(folder: Path) -> dict[str, Any]:
    """Train as ordered and return what to tell: metrics, the hyperparameters that HPO chose, seconds."""
    started = time.monotonic()
    order = json.loads((folder / "order.json").read_text())
    recipe = RECIPES[order["recipe"]]
    choice = EventChoice(
        event_type=order["eventType"],
        value_threshold=order["eventValueThreshold"],
        events=tuple(order["events"]),
        ignored_columns={kind: frozenset(names) for kind, names in order["ignoredColumns"].items()},
    )
    store = Store(Path(order["store"]))
    fixed = order["hyperparameters"]
    if recipe.recipe_type == "PERSONALIZED_ACTIONS":
        actions = prepare_actions(store, choice)
        best_actions, metrics = train_actions(recipe, actions, recipe.with_defaults(fixed), _SEED)
        best_actions.save(folder / _MODEL)
        return {"metrics": metrics, "tuned": None, "seconds": time.monotonic() - started}
    data = prepare(store, choice)
    tuned = tune(recipe, data, fixed, order["hpo"], _SEED) if order["hpo"] is not None else None
    hyperparameters = recipe.with_defaults({**fixed, **(tuned or {})})
    if recipe.recipe_type == "USER_SEGMENTATION":
        recipe.fit(data, hyperparameters).save(folder / _MODEL)
        metrics = evaluate_segments(recipe, data, hyperparameters, _SEED)
        return {"metrics": metrics, "tuned": tuned, "seconds": time.monotonic() - started}
    held_out = hold_out_users(data, _SEED)
    others = without_users(data, held_out)
    if order["previous"] is not None and recipe.update is not None:
        previous = Path(order["previous"])
        # The model that was measured before is updated too: it has not seen the held-out users either.
        measured = recipe.update(load(previous / _MEASURED), others, hyperparameters)
        model = recipe.update(load(previous / _MODEL), data, hyperparameters)
    else:
        measured = recipe.fit(others, hyperparameters)
        model = recipe.fit(data, hyperparameters)
        if recipe.supports_update:
            measured.save(folder / _MEASURED)
    model.save(folder / _MODEL)
    objective = order["objective"]
    values = None
    if objective is not None:
        values = ItemValues(item_numbers(store, data.item_ids, objective["column"]), objective["emphasis"])
    metrics = measure(recipe, measured, data, held_out, values)
    if recipe is trending.RECIPE:
        metrics["trend_prediction_accuracy"] = round(trending.prediction_accuracy(data, hyperparameters), 6)
    return {"metrics": metrics, "tuned": tuned, "seconds": time.monotonic() - started}


def end_with_parent(parent: int) -> None:
    """End this process when localcloud, which waits for its result, was killed."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    """Train and write the result, or the reason why it cannot be done."""
    end_with_parent(int(sys.argv[2]))
    folder = Path(sys.argv[1])
    try:
        result = train(folder)
    except NotEnoughDataError as error:
        result = {"failure": str(error)}
    (folder / "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main()
