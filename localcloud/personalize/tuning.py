"""Hyperparameter optimisation: optuna over the ranges of a solution's hpoConfig."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import optuna

from localcloud.personalize.metrics import evaluate
from localcloud.personalize.recipes import Hyperparameters, Recipe, TrainingData
from localcloud.personalize.recipes.base import Value

_DEFAULT_TRIALS = 8
_OBJECTIVE = "normalized_discounted_cumulative_gain_at_25"
# The users that choose the hyperparameters are not those that measure the winner.
_SEED_STEP = 1
# Trials on a sample of the users of a large data set rank hyperparameters as all of it would.
_MOST_INTERACTIONS = 100_000


def tune(
    recipe: Recipe, data: TrainingData, fixed: Hyperparameters, config: Mapping[str, Any], seed: int
) -> dict[str, Value]:
    """Return the tunable hyperparameters that did best on held-out users; the defaults are the first trial.

    `fixed` are algorithmHyperParameters that the solution gives: they are not tuned. `config` is an
    hpoConfig.
    """
    sample = _sample(data, seed)
    resources = config.get("hpoResourceConfig", {})
    trials = int(resources.get("maxNumberOfTrainingJobs", _DEFAULT_TRIALS))
    parallel = min(int(resources.get("maxParallelTrainingJobs", 1)), trials)
    objective = config.get("hpoObjective", {}).get("metricName") or _OBJECTIVE
    ranges = _ranges(recipe, config.get("algorithmHyperParameterRanges", {}), fixed)

    def measure(chosen: dict[str, Value]) -> float:
        hyperparameters = recipe.with_defaults({**fixed, **chosen})
        return evaluate(recipe, sample, hyperparameters, seed + _SEED_STEP)[objective]

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    defaults = {one.name: one.default for one in recipe.hyperparameters if one.name in ranges}
    study.enqueue_trial({name: _inside(value, ranges[name]) for name, value in defaults.items()})
    # Asked for and told in order, whichever trial ends first: the same seed finds the same hyperparameters.
    with ThreadPoolExecutor(parallel) as pool:
        for start in range(0, trials, parallel):
            asked = [study.ask() for _ in range(min(parallel, trials - start))]
            chosen = [{name: _suggest(trial, name, ranges[name]) for name in ranges} for trial in asked]
            for trial, value in zip(asked, pool.map(measure, chosen), strict=True):
                study.tell(trial, value)
    return dict(study.best_params)


def _sample(data: TrainingData, seed: int) -> TrainingData:
    """Return the data of as many users, chosen at random, as make up at most _MOST_INTERACTIONS."""
    if len(data.log) <= _MOST_INTERACTIONS:
        return data
    share = _MOST_INTERACTIONS / len(data.log)
    chosen = np.random.default_rng(seed).random(len(data.log.user_ids)) < share
    return data.select(chosen[data.log.users])


def _ranges(
    recipe: Recipe, given: Mapping[str, Any], fixed: Hyperparameters
) -> dict[str, tuple[str, list[Any]]]:
    """Return (kind, bounds or values) of what to tune: the given ranges, else the recipe's whole ones."""
    ranges: dict[str, tuple[str, list[Any]]] = {}
    for one in recipe.hyperparameters:
        if one.tunable and one.name not in fixed:
            ranges[one.name] = (one.kind, [True, False] if one.kind == "bool" else [one.low, one.high])
    chosen = {}
    for group in given.values():
        for one in group:
            kind = ranges.get(one["name"], ("", []))[0]
            if kind == "bool":
                chosen[one["name"]] = (
                    kind,
                    [value.lower() == "true" for value in one.get("values", ["true", "false"])],
                )
            elif kind:
                low, high = ranges[one["name"]][1]
                chosen[one["name"]] = (kind, [one.get("minValue", low), one.get("maxValue", high)])
    return chosen or ranges


def _suggest(trial: optuna.Trial, name: str, bounds: tuple[str, list[Any]]) -> Value:
    kind, values = bounds
    if kind == "bool":
        return bool(trial.suggest_categorical(name, values))
    if kind == "int":
        return trial.suggest_int(name, int(values[0]), int(values[1]))
    return trial.suggest_float(name, float(values[0]), float(values[1]))


def _inside(value: Value, bounds: tuple[str, list[Any]]) -> Value:
    """Return the default, moved into the range when it lies outside."""
    kind, values = bounds
    if kind == "bool":
        return value if value in values else values[0]
    return type(value)(min(max(value, values[0]), values[1]))
