"""aws-item-affinity and aws-item-attribute-affinity: users who will interact with an item or a kind.

Both train the sequential model; a batch segment job reads it the other way round, for all users at once.
"""

from __future__ import annotations

from localcloud.personalize.recipes import sequence
from localcloud.personalize.recipes.base import Hyperparameters, Model, Recipe, TrainingData


def fit(data: TrainingData, hyperparameters: Hyperparameters) -> Model:  # noqa: ARG001 - these recipes have none
    """Train the sequential model with its defaults."""
    return sequence.fit(data, sequence.USER_PERSONALIZATION.with_defaults({}))


ITEM_AFFINITY = Recipe(
    name="aws-item-affinity",
    recipe_type="USER_SEGMENTATION",
    description="Finds the users most likely to interact with an item.",
    hyperparameters=(),
    fit=fit,
)

ITEM_ATTRIBUTE_AFFINITY = Recipe(
    name="aws-item-attribute-affinity",
    recipe_type="USER_SEGMENTATION",
    description="Finds the users most likely to interact with items that have given attributes.",
    hyperparameters=(),
    fit=fit,
)
