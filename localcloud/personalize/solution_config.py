"""Checks of a solution's configuration against its recipe and its dataset group."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from localcloud.personalize.avro import DatasetSchema
from localcloud.personalize.errors import InvalidInputError, NotBuiltError
from localcloud.personalize.objective import check_objective
from localcloud.personalize.recipes import Hyperparameter, Recipe

HyperparameterValue = int | float | bool | str

_FEATURES_NOT_BUILT = ("autoMLConfig",)
_RANGE_KINDS = {
    "integerHyperParameterRanges": "int",
    "continuousHyperParameterRanges": "float",
    "categoricalHyperParameterRanges": "bool",
}


def check_config(config: dict[str, Any], recipe: Recipe, schemas: Mapping[str, DatasetSchema]) -> None:
    """Check a solutionConfig.

    Raises InvalidInputError that names the member, the value and what would be right.
    """
    for name in _FEATURES_NOT_BUILT:
        if config.get(name):
            raise NotBuiltError(f"solutionConfig.{name}")
    check_objective(config, recipe, schemas)
    typed_hyperparameters(config, recipe)
    if "hpoConfig" in config:
        _check_hpo(config["hpoConfig"], recipe)
    if "eventValueThreshold" in config:
        number("eventValueThreshold", config["eventValueThreshold"])
    _check_events(config.get("eventsConfig", {}).get("eventParametersList", []))
    _check_columns(config.get("trainingDataConfig", {}), schemas)


def typed_hyperparameters(config: Mapping[str, Any], recipe: Recipe) -> dict[str, HyperparameterValue]:
    """Return algorithmHyperParameters and featureTransformationParameters as typed values, in their ranges.

    Raises InvalidInputError.
    """
    given: dict[str, str] = {
        **config.get("algorithmHyperParameters", {}),
        **config.get("featureTransformationParameters", {}),
    }
    known = {hyperparameter.name: hyperparameter for hyperparameter in recipe.hyperparameters}
    typed: dict[str, HyperparameterValue] = {}
    for name, text in given.items():
        if name not in known:
            raise InvalidInputError(
                f"The recipe {recipe.name} has no hyperparameter {name}; it has {', '.join(sorted(known))}."
            )
        typed[name] = _typed(known[name], text)
    return typed


def number(name: str, text: str) -> float:
    """Return a number given as text, as AWS's configurations give them.

    Raises InvalidInputError that names the member.
    """
    try:
        value = float(text)
    except ValueError as error:
        raise InvalidInputError(f"{name} is '{text}'; it must be a number.") from error
    if not math.isfinite(value):
        raise InvalidInputError(f"{name} is '{text}'; it must be a finite number.")
    return value


def _typed(hyperparameter: Hyperparameter, text: str) -> HyperparameterValue:
    name = hyperparameter.name
    if hyperparameter.kind == "bool":
        if text.lower() not in {"true", "false"}:
            raise InvalidInputError(f"{name} is '{text}'; it must be True or False.")
        return text.lower() == "true"
    if hyperparameter.kind == "choice":
        if text not in hyperparameter.choices:
            raise InvalidInputError(
                f"{name} is '{text}'; it must be one of {', '.join(hyperparameter.choices)}."
            )
        return text
    value = number(name, text)
    if hyperparameter.kind == "int" and not value.is_integer():
        raise InvalidInputError(f"{name} is '{text}'; it must be an integer.")
    low, high = float(hyperparameter.low or 0), float(hyperparameter.high or 0)
    if not low <= value <= high:
        raise InvalidInputError(
            f"{name} is {text}; it must lie in [{hyperparameter.low}, {hyperparameter.high}]."
        )
    return int(value) if hyperparameter.kind == "int" else value


def _check_hpo(config: dict[str, Any], recipe: Recipe) -> None:
    known = {hyperparameter.name: hyperparameter for hyperparameter in recipe.hyperparameters}
    for name, limit in (("maxNumberOfTrainingJobs", 40), ("maxParallelTrainingJobs", 10)):
        text = config.get("hpoResourceConfig", {}).get(name, "1")
        if not text.isdigit() or not 1 <= int(text) <= limit:
            raise InvalidInputError(f"{name} is '{text}'; it must be an integer in [1, {limit}].")
    for kind, ranges in config.get("algorithmHyperParameterRanges", {}).items():
        for one in ranges:
            hyperparameter = known.get(one.get("name", ""))
            if hyperparameter is None or not hyperparameter.tunable:
                tunable = ", ".join(sorted(name for name, found in known.items() if found.tunable))
                raise InvalidInputError(
                    f"{one.get('name')} cannot be tuned with the recipe {recipe.name}; these can: {tunable}."
                )
            if hyperparameter.kind != _RANGE_KINDS[kind]:
                raise InvalidInputError(
                    f"{hyperparameter.name} is of the type {hyperparameter.kind}, not in {kind}."
                )
            _check_range(one, hyperparameter)


def _check_range(given: dict[str, Any], hyperparameter: Hyperparameter) -> None:
    if hyperparameter.kind == "bool":
        for value in given.get("values", []):
            _typed(hyperparameter, value)
        return
    low, high = float(hyperparameter.low or 0), float(hyperparameter.high or 0)
    least, most = given.get("minValue", low), given.get("maxValue", high)
    if not low <= least <= most <= high:
        raise InvalidInputError(
            f"The range [{least}, {most}] of {hyperparameter.name} must lie in "
            f"[{hyperparameter.low}, {hyperparameter.high}]."
        )


def _check_events(events: list[dict[str, Any]]) -> None:
    seen = set()
    for event in events:
        if "eventType" not in event:
            raise InvalidInputError("Each of eventParametersList needs an eventType.")
        if event["eventType"] in seen:
            raise InvalidInputError(
                f"The event type {event['eventType']} is given twice in eventParametersList."
            )
        seen.add(event["eventType"])


def _check_columns(config: dict[str, Any], schemas: Mapping[str, DatasetSchema]) -> None:
    if "excludedDatasetColumns" in config and "includedDatasetColumns" in config:
        raise InvalidInputError("Give excludedDatasetColumns or includedDatasetColumns, not both.")
    for member in ("excludedDatasetColumns", "includedDatasetColumns"):
        for dataset_type, names in config.get(member, {}).items():
            schema = schemas.get(dataset_type.upper())
            if schema is None:
                raise InvalidInputError(f"{member}: the dataset group has no {dataset_type} dataset.")
            for name in names:
                if name not in {column.name for column in schema.metadata}:
                    raise InvalidInputError(f"{member}: {name} is not a metadata column of {dataset_type}.")
