"""aws-trending-now: the items whose interactions grow fastest, by the interval of trend discovery.

An item's growth is its interactions in the newest interval less those in the interval before, divided by the
square root of their sum: so far as chance alone goes, growth has the deviation 1 whatever the popularity.
Items that do not differ in that are ordered by their recent interactions.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
import numpy.typing as npt

from localcloud.personalize.interactions import InteractionLog
from localcloud.personalize.recipes.base import (
    Float32s,
    Hyperparameter,
    Hyperparameters,
    Model,
    Query,
    Recipe,
    TrainingData,
)

FREQUENCY = "trend_discovery_frequency"
_SECONDS = {"30 minutes": 1_800, "1 hour": 3_600, "3 hours": 10_800, "1 day": 86_400}
# Interactions fade by half each interval in what orders items of the same growth.
_RECENT_WEIGHT = 1e-3
_DEPTH = 25

Counts = npt.NDArray[np.float64]


class TrendingModel(Model):
    """Growth, the same for everybody."""

    KIND = "trending"

    def scores(self, query: Query) -> Float32s:  # noqa: ARG002 - nobody is different
        """Return the growth of each item."""
        return cast(Float32s, self.arrays["growth"])


def fit(data: TrainingData, hyperparameters: Hyperparameters) -> TrendingModel:
    """Compare the newest interval with the one before."""
    seconds = _SECONDS[str(hyperparameters[FREQUENCY])]
    newest = int(data.log.timestamps.max(initial=0))
    now = _counts(data.log, data.item_count, newest - seconds, newest)
    before = _counts(data.log, data.item_count, newest - 2 * seconds, newest - seconds)
    ages = (newest - data.log.timestamps) / seconds
    recent = np.bincount(data.log.items, weights=np.exp2(-ages), minlength=data.item_count)
    growth = (now - before) / np.sqrt(now + before + 1.0) + _RECENT_WEIGHT * np.log1p(recent)
    return TrendingModel(data.item_ids, {"growth": growth.astype(np.float32)}, {})


def prediction_accuracy(data: TrainingData, hyperparameters: Hyperparameters) -> float:
    """Return AWS's trend prediction accuracy, 0 to 1.

    How much the interactions of the 25 items grew in the newest interval that a model without that interval
    recommends, as a share of the growth of the 25 that grew most.
    """
    seconds = _SECONDS[str(hyperparameters[FREQUENCY])]
    newest = int(data.log.timestamps.max(initial=0))
    earlier = data.log.timestamps <= newest - seconds
    if not earlier.any():
        return 0.0
    past = replace(data, log=data.log.select(earlier), weights=data.weights[earlier])
    increase = np.maximum(
        _counts(data.log, data.item_count, newest - seconds, newest)
        - _counts(data.log, data.item_count, newest - 2 * seconds, newest - seconds),
        0.0,
    )
    most = np.sort(increase)[-_DEPTH:].sum()
    growth = fit(past, hyperparameters).arrays["growth"]
    found = increase[np.argsort(-growth, kind="stable")[:_DEPTH]].sum()
    return float(found / most) if most else 0.0


def _counts(log: InteractionLog, item_count: int, after: int, until: int) -> Counts:
    inside = (log.timestamps > after) & (log.timestamps <= until)
    return np.bincount(log.items[inside], minlength=item_count).astype(np.float64)


RECIPE = Recipe(
    name="aws-trending-now",
    recipe_type="POPULAR_ITEMS",
    description="Returns the items whose interactions grow fastest, the same for every user.",
    hyperparameters=(Hyperparameter(FREQUENCY, "choice", "3 hours", choices=tuple(_SECONDS)),),
    fit=fit,
)
