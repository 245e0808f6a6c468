"""aws-popularity-count: the items with the most interactions."""

from __future__ import annotations

from typing import cast

import numpy as np

from localcloud.personalize.recipes.base import Float32s, Hyperparameters, Model, Query, Recipe, TrainingData


class PopularityModel(Model):
    """Counts, the same for everybody."""

    KIND = "popularity"

    def scores(self, query: Query) -> Float32s:  # noqa: ARG002 - nobody is different
        """Return the logarithms of the counts: their softmax is each item's share."""
        return cast(Float32s, self.arrays["log_counts"])


def fit(data: TrainingData, hyperparameters: Hyperparameters) -> PopularityModel:  # noqa: ARG001 - it has none
    """Count weighted interactions; an item without any counts as a tenth of one."""
    counts = np.bincount(data.log.items, weights=data.weights, minlength=data.item_count)
    log_counts = np.log(counts + 0.1).astype(np.float32)
    return PopularityModel(data.item_ids, {"log_counts": log_counts}, {})


RECIPE = Recipe(
    name="aws-popularity-count",
    recipe_type="POPULAR_ITEMS",
    description="Returns the most popular items: those with the most interactions, the same for every user.",
    hyperparameters=(),
    fit=fit,
)
