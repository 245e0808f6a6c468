"""The recipes by AWS's names. One algorithm, one file."""

from __future__ import annotations

from pathlib import Path

from localcloud.personalize.recipes import (
    affinity,
    next_best_action,
    popularity,
    sequence,
    sequence_model,
    sims,
    sims_model,
    trending,
)
from localcloud.personalize.recipes.base import (
    Hyperparameter,
    Hyperparameters,
    Model,
    OtherFormatError,
    Query,
    Recipe,
    TrainingData,
    read_model,
)
from localcloud.personalize.recipes.exploration import Exploration, explore

__all__ = [
    "RECIPES",
    "Exploration",
    "Hyperparameter",
    "Hyperparameters",
    "Model",
    "OtherFormatError",
    "Query",
    "Recipe",
    "TrainingData",
    "explore",
    "load",
]

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        sequence.USER_PERSONALIZATION,
        sequence.USER_PERSONALIZATION_V2,
        sequence.PERSONALIZED_RANKING,
        sequence.PERSONALIZED_RANKING_V2,
        sims.RECIPE,
        sims.SIMILAR_ITEMS,
        popularity.RECIPE,
        affinity.ITEM_AFFINITY,
        affinity.ITEM_ATTRIBUTE_AFFINITY,
        next_best_action.RECIPE,
        trending.RECIPE,
    )
}

_KINDS: dict[str, type[Model]] = {
    kind.KIND: kind
    for kind in (
        sequence_model.SequenceModel,
        sims_model.SimsModel,
        popularity.PopularityModel,
        next_best_action.NextBestActionModel,
        trending.TrendingModel,
    )
}


def load(folder: Path) -> Model:
    """Open a model that was saved to a folder, memory-mapped."""
    return read_model(folder, _KINDS)
