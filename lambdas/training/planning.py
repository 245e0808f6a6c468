"""What a training run needs: names, ARNs and parameters of every Personalize resource.

Names follow from content: the same schema, recipe or hyperparameters give the same name, changed ones a new
name, so that running again creates nothing twice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DATASET_TYPES = {"users": "Users", "items": "Items", "interactions": "Interactions"}
BASELINE_RECIPE = "aws-popularity-count"
EXPLORES = {"aws-user-personalization"}
HASH_LENGTH = 8
LONGEST_NAME = 63


@dataclass(frozen=True)
class Place:
    """Where the resources are: their ARNs are deterministic by name."""

    region: str
    account: str

    def arn(self, kind: str, name: str) -> str:
        """Return the ARN of a Personalize resource."""
        return f"arn:aws:personalize:{self.region}:{self.account}:{kind}/{name}"


def plan(
    settings: Mapping[str, Any],
    manifest: Mapping[str, Any],
    tuned: Mapping[str, Mapping[str, str]],
    *,
    place: Place,
    tune: bool,
) -> dict[str, Any]:
    """Return the plan of one training run, for the state machine to carry out.

    `settings` is the training part of the configuration with the deployment's name and its import role;
    `tuned` holds what HPO found earlier, by recipe key; with `tune` it is searched for again.
    """
    name, version = settings["name"], manifest["dataVersion"]
    groups = {key: name if key == "main" else f"{name}-{key}" for key in manifest["datasetGroups"]}
    datasets = [
        _dataset(settings, group, groups[group], kind, dataset, version=version, place=place)
        for group, members in manifest["datasetGroups"].items()
        for kind, dataset in members.items()
    ]
    recipes = {
        recipe["key"]: recipe_plan(
            name,
            recipe,
            tuned.get(recipe["key"]),
            group=groups[recipe["dataset_group"]],
            schemas=[item["schemaName"] for item in datasets if item["group"] == recipe["dataset_group"]],
            data_version=version,
            place=place,
            tune=tune,
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
        ],
        "datasets": datasets,
        "filters": [
            {
                "name": f"{name}-{item['name']}",
                "arn": place.arn("filter", f"{name}-{item['name']}"),
                "datasetGroupArn": place.arn("dataset-group", groups[item["dataset_group"]]),
                "expression": item["expression"],
            }
            for item in settings["filters"]
        ],
        "recipes": recipes,
    }


def recipe_plan(
    name: str,
    recipe: Mapping[str, Any],
    tuned: Mapping[str, str] | None,
    *,
    group: str,
    schemas: Sequence[str],
    data_version: str,
    place: Place,
    tune: bool,
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
        "selected": True,
        "dataVersion": data_version,
        "trainingMode": "FULL",
        "versionName": f"v-{short_hash(data_version)}",
        "tune": bool(tuning) and (tune or tuned is None),
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
    prefix = plan_of_recipe["solution"]["name"].rsplit("-", 1)[0]
    config = _fixed_config({**found, **plan_of_recipe["pinnedHyperparameters"]})
    solution = _solution(prefix, plan_of_recipe["recipeArn"], plan_of_recipe["schemas"], config, place)
    return {**plan_of_recipe, "tune": False, "solution": solution}


def short_hash(value: Any) -> str:
    """Return a short, stable hash of a JSON value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_LENGTH]


def _dataset(
    settings: Mapping[str, Any],
    key: str,
    group: str,
    kind: str,
    dataset: Mapping[str, Any],
    *,
    version: str,
    place: Place,
) -> dict[str, Any]:
    schema = json.dumps(dataset["schema"], sort_keys=True)
    schema_name = f"{group}-{kind}-{short_hash(dataset['schema'])}"
    job_name = f"{group}-{kind}-{short_hash([version, dataset['location']])}"
    return {
        "group": key,
        "type": DATASET_TYPES[kind],
        "name": f"{group}-{kind}",
        "arn": place.arn("dataset", f"{group}/{kind.upper()}"),
        "datasetGroupArn": place.arn("dataset-group", group),
        "schemaName": schema_name,
        "schemaArn": place.arn("schema", schema_name),
        "schema": schema,
        "location": dataset["location"],
        "importName": job_name,
        "importArn": place.arn("dataset-import-job", job_name),
        "importRoleArn": settings["import_role_arn"],
        "importMode": "FULL",
    }


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
