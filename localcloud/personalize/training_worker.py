"""The process that trains one solution version: `python -m localcloud.personalize.training_worker FOLDER`.

FOLDER holds `order.json` (what to train); the process writes `model/` and `result.json` into it. A process of
its own keeps the server responsive and can be stopped.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from localcloud.personalize.metrics import evaluate
from localcloud.personalize.recipes import RECIPES, load
from localcloud.personalize.store import Store
from localcloud.personalize.training_data import EventChoice, NotEnoughDataError, prepare
from localcloud.personalize.tuning import tune

_SEED = 20_180_522


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
    data = prepare(Store(Path(order["store"])), choice)
    fixed = order["hyperparameters"]
    tuned = tune(recipe, data, fixed, order["hpo"], _SEED) if order["hpo"] is not None else None
    hyperparameters = recipe.with_defaults({**fixed, **(tuned or {})})
    metrics = evaluate(recipe, data, hyperparameters, _SEED)
    if order["previous"] is not None and recipe.update is not None:
        model = recipe.update(load(Path(order["previous"])), data, hyperparameters)
    else:
        model = recipe.fit(data, hyperparameters)
    model.save(folder / "model")
    return {"metrics": metrics, "tuned": tuned, "seconds": time.monotonic() - started}


def main() -> None:
    """Train and write the result, or the reason why it cannot be done."""
    folder = Path(sys.argv[1])
    try:
        result = train(folder)
    except NotEnoughDataError as error:
        result = {"failure": str(error)}
    (folder / "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main()
