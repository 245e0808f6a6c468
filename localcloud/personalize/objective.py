"""optimizationObjective: more for items with higher values of a numeric column of the Items dataset.

To each logit is added the item's value as a z-score, in units of the logits' own deviation over all items: at
MEDIUM a deviation of value counts as much as one of relevance, at LOW a quarter and at HIGH twice as much.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from localcloud.personalize.avro import ITEMS, DatasetSchema
from localcloud.personalize.errors import InvalidInputError
from localcloud.personalize.recipes import Recipe

Float32s = npt.NDArray[np.float32]

_EMPHASIS = {"LOW": 0.25, "MEDIUM": 1.0, "HIGH": 2.0}
_RECIPES = ("aws-user-personalization", "aws-personalized-ranking")
# A few extreme values must not make all others the same.
_MOST_DEVIATIONS = 3.0


@dataclass(frozen=True)
class Objective:
    """The column, and how many deviations of relevance one deviation of its values is worth."""

    column: str
    emphasis: float


@dataclass(frozen=True)
class ItemValues:
    """The objective's column of the items of a training, NaN where unknown, and its emphasis."""

    values: npt.NDArray[np.float64]
    emphasis: float

    def applied_to(self, logits: Float32s) -> Float32s:
        """Return logits, shape (..., items), with the emphasis on higher values."""
        return with_objective(logits, self.values, self.emphasis)

    def share_won(self, recommended: npt.NDArray[np.int64], taken: npt.NDArray[np.int32]) -> float:
        """Return the share of the value of all items taken that recommended ones among them have.

        Source: developer guide, average_rewards_at_k. 0 where what was taken has no value above 0.
        """
        worth = np.nan_to_num(self.values[taken]).clip(0)
        total = float(worth.sum())
        return float(worth[np.isin(taken, recommended)].sum()) / total if total > 0 else 0.0


def objective_of(config: Mapping[str, Any]) -> Objective | None:
    """Return the objective of a solutionConfig, None when it is off."""
    given = config.get("optimizationObjective", {})
    emphasis = _EMPHASIS.get(given.get("objectiveSensitivity", "OFF"))
    return None if emphasis is None else Objective(given["itemAttribute"], emphasis)


def check_objective(config: Mapping[str, Any], recipe: Recipe, schemas: Mapping[str, DatasetSchema]) -> None:
    """Check an optimizationObjective.

    Raises InvalidInputError.
    """
    given = config.get("optimizationObjective", {})
    if given.get("objectiveSensitivity", "OFF") == "OFF":
        return
    if recipe.name not in _RECIPES:
        raise InvalidInputError(
            f"The recipe {recipe.name} takes no optimizationObjective; these do: {', '.join(_RECIPES)}."
        )
    name = given.get("itemAttribute")
    if not name:
        raise InvalidInputError("An optimizationObjective needs an itemAttribute.")
    schema = schemas.get(ITEMS)
    column = schema.column(name) if schema else None
    if column is None or not column.is_number or column.nullable:
        raise InvalidInputError(
            f"optimizationObjective.itemAttribute is {name}; it must be a column of numbers of the Items "
            "dataset that does not allow null."
        )


def with_objective(logits: Float32s, values: npt.NDArray[np.float64], emphasis: float) -> Float32s:
    """Return logits, shape (..., items), with the emphasis on higher values; NaN counts as the mean."""
    known = values[~np.isnan(values)]
    deviation = known.std() if len(known) else 0.0
    if deviation == 0:
        return logits
    scores = np.nan_to_num((values - known.mean()) / deviation).clip(-_MOST_DEVIATIONS, _MOST_DEVIATIONS)
    spread = logits.std(axis=-1, keepdims=True)
    result: Float32s = (logits + emphasis * spread * scores).astype(np.float32)
    return result
