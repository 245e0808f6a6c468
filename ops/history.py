"""The history of a deployment's solution versions, from its versions table and its campaigns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ops.deployment import Deployment

SHORTEST_METRIC = {"normalized_discounted_cumulative_gain": "NDCG", "mean_reciprocal_rank": "MRR"}


@dataclass(frozen=True)
class Version:
    """One trained solution version: what it is made of, what it measured, what was decided about it."""

    recipe: str
    arn: str
    data_version: str
    purpose: str
    training_mode: str
    created_at: str
    trained_at: str
    metrics: dict[str, float]
    hyperparameters: dict[str, str]
    decision: str
    reason: str
    decided_at: str
    serves: bool

    @property
    def short_name(self) -> str:
        """The solution's and the version's own names."""
        return self.arn.split(":solution/", 1)[-1]

    @property
    def outcome(self) -> str:
        """What became of it, in a word or two."""
        if self.serves:
            return "serves"
        return self.decision or {"tune": "for tuning", "compare": "for comparison"}.get(
            self.purpose, "baseline"
        )


@dataclass(frozen=True)
class Side:
    """One of two versions that differ by a hyperparameter's setting."""

    setting: str
    arn: str
    metrics: dict[str, float]
    age: dict[str, float]


@dataclass(frozen=True)
class Comparison:
    """What the other setting of a hyperparameter changed, on the same data."""

    recipe: str
    hyperparameter: str
    data_version: str
    compared_at: str
    users: int
    in_common: float
    sides: tuple[Side, Side]


def read_comparisons(deployment: Deployment) -> list[Comparison]:
    """Return what was compared, by recipe."""
    found = [_comparison(item) for item in _items(deployment) if "report" in item]
    return sorted(found, key=lambda comparison: comparison.recipe)


def read(deployment: Deployment) -> list[Version]:
    """Return all versions, by recipe, then oldest first."""
    serving = set(serving_versions(deployment).values())
    versions = [_version(item, serving) for item in _items(deployment) if "metrics" in item]
    return sorted(versions, key=lambda version: (version.recipe, version.created_at))


def serving_versions(deployment: Deployment) -> dict[str, str]:
    """Return the ARN of the version that each recipe's campaign serves, by recipe key."""
    personalize = deployment.client("personalize")
    serving = {}
    for recipe in deployment.config.training.recipes:
        try:
            campaign = personalize.describe_campaign(campaignArn=campaign_arn(deployment, recipe.key))
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
        else:
            serving[recipe.key] = campaign["campaign"]["solutionVersionArn"]
    return serving


def campaign_arn(deployment: Deployment, recipe_key: str) -> str:
    """Return the ARN of a recipe's campaign, which its name makes."""
    account = deployment.client("sts").get_caller_identity()["Account"]
    return f"arn:aws:personalize:{deployment.config.region}:{account}:campaign/{deployment.name}-{recipe_key}"


def short_metric(name: str) -> str:
    """Return a metric's name as people say it: `NDCG@10`."""
    stem, _, depth = name.partition("_at_")
    return f"{SHORTEST_METRIC.get(stem, stem)}@{depth}" if depth else name


def _items(deployment: Deployment) -> Iterator[dict[str, str]]:
    pages: Iterable[dict[str, Any]] = (
        deployment.client("dynamodb")
        .get_paginator("scan")
        .paginate(TableName=deployment.output("VersionsTable"), ConsistentRead=True)
    )
    for page in pages:
        for item in page["Items"]:
            yield {name: value.get("S", "") for name, value in item.items()}


def _comparison(item: dict[str, str]) -> Comparison:
    report = json.loads(item["report"])
    first, second = (
        Side(
            setting=side["setting"],
            arn=side["solutionVersionArn"],
            metrics={name: float(value) for name, value in side["metrics"].items()},
            age={name: float(value) for name, value in side["age"].items()},
        )
        for side in (report["configured"], report["turned"])
    )
    return Comparison(
        recipe=item["recipe_key"],
        hyperparameter=report["hyperparameter"],
        data_version=item["data_version"],
        compared_at=item["compared_at"],
        users=int(report["users"]),
        in_common=float(report["inCommon"]),
        sides=(first, second),
    )


def _version(item: dict[str, str], serving: set[str]) -> Version:
    config = json.loads(item["config"])
    hyperparameters = json.loads(item.get("tuned", "null")) or config.get("AlgorithmHyperParameters", {})
    return Version(
        recipe=item["recipe_key"],
        arn=item["solution_version_arn"],
        data_version=item["data_version"],
        purpose=item["purpose"],
        training_mode=item["training_mode"],
        created_at=item["created_at"],
        trained_at=item["trained_at"],
        metrics={name: float(value) for name, value in json.loads(item["metrics"]).items()},
        hyperparameters={name: str(value) for name, value in hyperparameters.items()},
        decision=item.get("decision", ""),
        reason=item.get("reason", ""),
        decided_at=item.get("decided_at", ""),
        serves=item["solution_version_arn"] in serving,
    )
