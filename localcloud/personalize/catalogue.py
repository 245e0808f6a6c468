"""What AWS provides: recipes, algorithms and feature transformations, as the recipes declare them."""

from __future__ import annotations

from typing import Any

from localcloud.personalize.errors import ResourceNotFoundError
from localcloud.personalize.listing import describe, page
from localcloud.personalize.operations import Answer, Request, operation
from localcloud.personalize.recipes import RECIPES, Hyperparameter, Recipe
from localcloud.personalize.region import Region

# The day on which Amazon Personalize became generally available: when AWS's own resources were created.
_CREATED = 1_560_124_800.0
_RECIPE = "arn:aws:personalize:::recipe/"
_ALGORITHM = "arn:aws:personalize:::algorithm/"
_TRANSFORMATION = "arn:aws:personalize:::feature-transformation/"
# Featurization hyperparameters by the ends of their names.
_FEATURE_ENDS = ("_percentile", "_period", "_frequency")
_RANGE_MEMBERS = {"int": "integerHyperParameterRanges", "float": "continuousHyperParameterRanges"}


def find_recipe(arn: str) -> Recipe:
    """Return the recipe with this ARN.

    Raises ResourceNotFoundError that lists the recipes there are.
    """
    recipe = RECIPES.get(arn.removeprefix(_RECIPE)) if arn.startswith(_RECIPE) else None
    if recipe is None:
        raise ResourceNotFoundError(
            f"The given recipe Arn does not exist: {arn}. localcloud has {', '.join(sorted(RECIPES))}."
        )
    return recipe


@operation("DescribeRecipe")
def describe_recipe(_region: Region, request: Request) -> Answer:
    """Return a recipe."""
    return describe("DescribeRecipe", "recipe", _recipe_record(find_recipe(request["recipeArn"])))


@operation("ListRecipes")
def list_recipes(_region: Region, request: Request) -> Answer:
    """Return the recipes, page by page; there are none of a domain."""
    recipes = [] if "domain" in request else [_recipe_record(recipe) for recipe in RECIPES.values()]
    return page("ListRecipes", "recipes", request, recipes)


@operation("DescribeAlgorithm")
def describe_algorithm(_region: Region, request: Request) -> Answer:
    """Return the algorithm of a recipe with its hyperparameters."""
    recipe = _named(request["algorithmArn"], _ALGORITHM, "algorithm")
    record = {
        "name": recipe.name,
        "algorithmArn": request["algorithmArn"],
        "defaultHyperParameters": {one.name: _text(one) for one in recipe.hyperparameters},
        "defaultHyperParameterRanges": _default_ranges(recipe),
        "trainingInputMode": "File",
        "creationDateTime": _CREATED,
        "lastUpdatedDateTime": _CREATED,
    }
    return describe("DescribeAlgorithm", "algorithm", record)


@operation("DescribeFeatureTransformation")
def describe_feature_transformation(_region: Region, request: Request) -> Answer:
    """Return the feature transformation of a recipe: its percentiles of history lengths."""
    recipe = _named(request["featureTransformationArn"], _TRANSFORMATION, "feature transformation")
    parameters = {one.name: _text(one) for one in recipe.hyperparameters if one.name.endswith(_FEATURE_ENDS)}
    record = {
        "name": recipe.name,
        "featureTransformationArn": request["featureTransformationArn"],
        "defaultParameters": parameters,
        "status": "ACTIVE",
        "creationDateTime": _CREATED,
        "lastUpdatedDateTime": _CREATED,
    }
    return describe("DescribeFeatureTransformation", "featureTransformation", record)


def _named(arn: str, prefix: str, label: str) -> Recipe:
    recipe = RECIPES.get(arn.removeprefix(prefix)) if arn.startswith(prefix) else None
    if recipe is None:
        raise ResourceNotFoundError(f"The given {label} Arn does not exist: {arn}")
    return recipe


def _recipe_record(recipe: Recipe) -> dict[str, Any]:
    return {
        "name": recipe.name,
        "recipeArn": _RECIPE + recipe.name,
        "algorithmArn": _ALGORITHM + recipe.name,
        "featureTransformationArn": _TRANSFORMATION + recipe.name,
        "status": "ACTIVE",
        "description": recipe.description,
        "recipeType": recipe.recipe_type,
        "creationDateTime": _CREATED,
        "lastUpdatedDateTime": _CREATED,
    }


def _text(hyperparameter: Hyperparameter) -> str:
    return str(hyperparameter.default)


def _default_ranges(recipe: Recipe) -> dict[str, list[dict[str, Any]]]:
    ranges: dict[str, list[dict[str, Any]]] = {
        "integerHyperParameterRanges": [],
        "continuousHyperParameterRanges": [],
        "categoricalHyperParameterRanges": [],
    }
    for one in recipe.hyperparameters:
        if one.kind in {"bool", "choice"}:
            values = list(one.choices) or ["True", "False"]
            record = {"name": one.name, "values": values, "isTunable": one.tunable}
            ranges["categoricalHyperParameterRanges"].append(record)
        else:
            record = {"name": one.name, "minValue": one.low, "maxValue": one.high, "isTunable": one.tunable}
            ranges[_RANGE_MEMBERS[one.kind]].append(record)
    return ranges
