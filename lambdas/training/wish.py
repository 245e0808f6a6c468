"""What a training's execution input asks for: which recipes, how, and whether to tune or compare again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

BASELINE_RECIPE = "aws-popularity-count"
UPDATABLE = {"aws-user-personalization"}
MODES = ("FULL", "UPDATE")
FIELDS = {"manifestUri", "recipes", "mode", "tune", "compare"}


class TrainingRefused(ValueError):  # noqa: N818 - its name is the error that operators see
    """The input asks for what there is not; the message names the field, its value and what there is."""


@dataclass(frozen=True)
class Wish:
    """The recipes to train by key, their baselines included, and how."""

    recipes: frozenset[str]
    mode: str = "FULL"
    tune: bool = False
    compare: bool = False


def read_wish(given: Mapping[str, Any], recipes: Sequence[Mapping[str, Any]]) -> Wish:
    """Read the execution input; `recipes` are those of the configuration.

    Without `recipes` all are trained, in the mode UPDATE all that can be updated; popularity on the same data
    is always measured with them. Raises TrainingRefused.
    """
    by_key = {recipe["key"]: recipe for recipe in recipes}
    unknown = sorted(set(given) - FIELDS)
    if unknown:
        raise TrainingRefused(
            f"the input has no field {unknown[0]!r}; there are: {', '.join(sorted(FIELDS))}"
        )
    mode = given.get("mode", "FULL")
    if mode not in MODES:
        raise TrainingRefused(f"mode = {mode!r}; it is one of: {', '.join(MODES)}")
    able = [key for key, recipe in by_key.items() if mode == "FULL" or recipe["recipe"] in UPDATABLE]
    keys = given.get("recipes", able)
    if not isinstance(keys, list) or not keys:
        raise TrainingRefused(f"recipes = {keys!r}; it is a list of: {', '.join(able)}")
    for key in keys:
        if key not in by_key:
            raise TrainingRefused(f"recipes names {key!r}; there are: {', '.join(by_key)}")
        if key not in able:
            raise TrainingRefused(
                f"recipes names {key!r}, which is always trained in full; UPDATE is for: {', '.join(able)}"
            )
    groups = {by_key[key]["dataset_group"] for key in keys}
    baselines = {
        key
        for key, recipe in by_key.items()
        if recipe["recipe"] == BASELINE_RECIPE and recipe["dataset_group"] in groups
    }
    return Wish(frozenset(keys) | baselines, mode, bool(given.get("tune")), bool(given.get("compare")))
