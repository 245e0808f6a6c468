"""What a training run needs: names, ARNs and parameters of every Personalize resource.

Names follow from content: the same schema, recipe or hyperparameters give the same name, changed ones a new
name, so that running again creates nothing twice.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from imports import Job, plan_import
from naming import Place, short_hash
from wish import BASELINE_RECIPE, UPDATABLE, Wish

DATASET_TYPES = {"users": "Users", "items": "Items", "interactions": "Interactions"}
EXPLORES = {"aws-user-personalization"}
LONGEST_NAME = 63


def plan(
    settings: Mapping[str, Any],
    manifest: Mapping[str, Any],
    tuned: Mapping[str, Mapping[str, str]],
    wish: Wish,
    *,
    place: Place,
    imported: Mapping[str, Sequence[Job]] | None = None,
    compared: Collection[str] = (),
) -> dict[str, Any]:
    """Return the plan of one training run, for the state machine to carry out.

    `settings` is the training part of the configuration with the deployment's name and its import role;
    `tuned` holds what HPO found earlier, by recipe key; `imported` the imports so far, newest first, by
    dataset ARN; `compared` the keys of the recipes whose settings of recency_mask were compared before.
    Dataset groups of which no recipe is to be trained are left as they are.
    """
    name, version = settings["name"], manifest["dataVersion"]
    groups = {key: _group_name(name, key) for key in manifest["datasetGroups"]}
    needed = {recipe["dataset_group"] for recipe in settings["recipes"] if recipe["key"] in wish.recipes}
    datasets = [
        _dataset(
            settings, group, groups[group], kind, dataset,
            version=version, mode=wish.mode, imported=imported or {}, place=place,
        )
        for group, members in manifest["datasetGroups"].items()
        for kind, dataset in members.items()
    ]  # fmt: skip
    recipes = {
        recipe["key"]: recipe_plan(
            name,
            recipe,
            tuned.get(recipe["key"]),
            group=groups[recipe["dataset_group"]],
            schemas=[item["schemaName"] for item in datasets if item["group"] == recipe["dataset_group"]],
            data_version=version,
            place=place,
            wish=wish,
        )
        for recipe in settings["recipes"]
    }
    return {
        "dataVersion": version,
        "datasetGroups": [
            {
                "name": group,
                "arn": place.arn("dataset-group", group),
                "trackerName": f"{group}-events",
                "trackingParameter": f"/{name}/tracking-id/{key}",
            }
            for key, group in groups.items()
            if key in needed
        ],
        "datasets": [dataset for dataset in datasets if dataset["group"] in needed],
        "filters": [
            {
                "name": f"{name}-{item['name']}",
                "arn": place.arn("filter", f"{name}-{item['name']}"),
                "datasetGroupArn": place.arn("dataset-group", groups[item["dataset_group"]]),
                "expression": item["expression"],
            }
            for item in settings["filters"]
            if item["dataset_group"] in needed
        ],
        "recipes": recipes,
        "comparison": _comparison(settings["recipes"], wish, compared),
    }


def dataset_arns(settings: Mapping[str, Any], manifest: Mapping[str, Any], place: Place) -> list[str]:
    """Return the ARNs of all datasets that a manifest has data for."""
    return [
        _dataset_arn(_group_name(settings["name"], key), kind, place)
        for key, members in manifest["datasetGroups"].items()
        for kind in members
    ]


def recipe_plan(
    name: str,
    recipe: Mapping[str, Any],
    tuned: Mapping[str, str] | None,
    *,
    group: str,
    schemas: Sequence[str],
    data_version: str,
    place: Place,
    wish: Wish,
) -> dict[str, Any]:
    """Return the plan of one recipe: tune first when it never was, then train with what is known.

    `group` is the name of its dataset group and `schemas` the names of that group's schemas.
    """
    tuning = recipe.get("tuning")
    pinned = dict(recipe.get("hyperparameters", {}))
    fixed = {**(tuned or {}), **pinned}
    prefix = f"{name}-{recipe['key']}"
    arn = f"arn:aws:personalize:::recipe/{recipe['recipe']}"
    return {
        "key": recipe["key"],
        "recipeArn": arn,
        "datasetGroupArn": place.arn("dataset-group", group),
        # Columns that a schema gains are used by solutions made after it only.
        "schemas": sorted(schemas),
        "selected": recipe["key"] in wish.recipes,
        "dataVersion": data_version,
        "trainingMode": wish.mode if recipe["recipe"] in UPDATABLE else "FULL",
        "versionName": f"v-{short_hash(data_version)}",
        "tune": bool(tuning) and (wish.tune or tuned is None),
        "pinnedHyperparameters": pinned,
        "tunedParameter": f"/{name}/tuned/{recipe['key']}",
        "tuningSolution": _solution(f"{prefix}-hpo", arn, schemas, _hpo_config(tuning), place)
        if tuning
        else None,
        "solution": _solution(prefix, arn, schemas, _fixed_config(fixed), place),
        "campaign": campaign(name, recipe, place),
    }


def campaign(name: str, recipe: Mapping[str, Any], place: Place) -> dict[str, Any] | None:
    """Return a recipe's campaign, or None for a baseline, which is not served."""
    if recipe["recipe"] == BASELINE_RECIPE:
        return None
    campaign_name = f"{name}-{recipe['key']}"
    return {
        "name": campaign_name,
        "arn": place.arn("campaign", campaign_name),
        "minProvisionedTPS": recipe["minimum_provisioned_tps"],
        "config": _campaign_config(recipe),
    }


def with_tuned(
    plan_of_recipe: Mapping[str, Any], found: Mapping[str, str], *, place: Place
) -> dict[str, Any]:
    """Return a recipe's plan with its solution made of the hyperparameters that HPO found."""
    hyperparameters = {**found, **plan_of_recipe["pinnedHyperparameters"]}
    return {
        **plan_of_recipe,
        "tune": False,
        "solution": solution_with(plan_of_recipe, hyperparameters, place=place),
    }


def solution_with(
    plan_of_recipe: Mapping[str, Any], hyperparameters: Mapping[str, str], *, place: Place
) -> dict[str, Any]:
    """Return a recipe's solution made of these hyperparameters."""
    prefix = plan_of_recipe["solution"]["name"].rsplit("-", 1)[0]
    config = _fixed_config(hyperparameters)
    return _solution(prefix, plan_of_recipe["recipeArn"], plan_of_recipe["schemas"], config, place)


def without_repeated_tuning(
    recipe: Mapping[str, Any], records: Iterable[Mapping[str, str]], tuned: Mapping[str, str] | None
) -> dict[str, Any]:
    """Return a recipe's plan that does not search again what was found on the same data and is kept.

    `records` are those of the recipe's versions, `tuned` what is kept of the last search.
    """
    prefix = f"{(recipe['tuningSolution'] or {}).get('arn')}/"
    found = any(
        record["solution_version_arn"].startswith(prefix)
        and record.get("data_version") == recipe["dataVersion"]
        and "tuned" in record
        and json.loads(record["tuned"]) == tuned
        for record in records
    )
    return {**recipe, "tune": recipe["tune"] and not found}


def _dataset(
    settings: Mapping[str, Any],
    key: str,
    group: str,
    kind: str,
    dataset: Mapping[str, Any],
    *,
    version: str,
    mode: str,
    imported: Mapping[str, Sequence[Job]],
    place: Place,
) -> dict[str, Any]:
    schema = json.dumps(dataset["schema"], sort_keys=True)
    schema_name = f"{group}-{kind}-{short_hash(dataset['schema'])}"
    arn = _dataset_arn(group, kind, place)
    return {
        "group": key,
        "type": DATASET_TYPES[kind],
        "name": f"{group}-{kind}",
        "arn": arn,
        "datasetGroupArn": place.arn("dataset-group", group),
        "schemaName": schema_name,
        "schemaArn": place.arn("schema", schema_name),
        "schema": schema,
        "importRoleArn": settings["import_role_arn"],
        **plan_import(
            f"{group}-{kind}",
            kind,
            dataset,
            imported.get(arn, ()),
            version=version,
            mode=mode,
            place=place,
        ),
    }


def _comparison(
    recipes: Iterable[Mapping[str, Any]], wish: Wish, compared: Collection[str]
) -> dict[str, str] | None:
    """Return whose settings to compare: once, or when asked for, after a full training."""
    for recipe in recipes:
        key = recipe["key"]
        is_due = recipe.get("compare_recency_mask") and (wish.compare or key not in compared)
        if is_due and key in wish.recipes and wish.mode == "FULL":
            return {"key": key}
    return None


def _group_name(name: str, key: str) -> str:
    return name if key == "main" else f"{name}-{key}"


def _dataset_arn(group: str, kind: str, place: Place) -> str:
    return place.arn("dataset", f"{group}/{kind.upper()}")


def _solution(
    prefix: str, recipe_arn: str, schemas: Sequence[str], config: dict[str, Any], place: Place
) -> dict[str, Any]:
    """Name a solution from all that it is made of."""
    name = f"{prefix}-{short_hash([recipe_arn, sorted(schemas), config])}"[-LONGEST_NAME:]
    return {"name": name, "arn": place.arn("solution", name), "config": config}


def _fixed_config(hyperparameters: Mapping[str, str]) -> dict[str, Any]:
    return {"AlgorithmHyperParameters": dict(hyperparameters)}


def _hpo_config(tuning: Mapping[str, Any]) -> dict[str, Any]:
    integer = [
        {"Name": key, "MinValue": int(bounds["minimum"]), "MaxValue": int(bounds["maximum"])}
        for key, bounds in tuning["ranges"].items()
        if key != "recency_mask"
    ]
    return {
        "HpoConfig": {
            "HpoResourceConfig": {
                "MaxNumberOfTrainingJobs": str(tuning["maximum_jobs"]),
                "MaxParallelTrainingJobs": str(tuning["parallel_jobs"]),
            },
            "AlgorithmHyperParameterRanges": {"IntegerHyperParameterRanges": integer},
        }
    }


def _campaign_config(recipe: Mapping[str, Any]) -> dict[str, Any]:
    exploration = {"ItemExplorationConfig": {"explorationWeight": "0.3", "explorationItemAgeCutOff": "30"}}
    return {
        "EnableMetadataWithRecommendations": True,
        **(exploration if recipe["recipe"] in EXPLORES else {}),
    }
