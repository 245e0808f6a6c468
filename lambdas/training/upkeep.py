"""What the rollback and teardown machines, and the retiring of old solutions, have to know."""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from naming import Place
from planning import campaign
from records import is_compared, of_recipe
from remaining import Remaining
from retirement import needed_versions, retired
from rollback import RollbackRefused, choose, promoted_before

logger = Logger()
TRAINING_MACHINES = ("retrain", "train", "train-recipe", "compare")
# Those that make solutions and schemas.
MAKERS = ("train", "train-recipe", "compare")


class TeardownRefused(RuntimeError):  # noqa: N818 - its name is the error that operators see
    """A training would make again what the teardown deletes."""


def find_rollback(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Find the version to go back to. `event`: {"recipe", "to"?}.

    Raises RollbackRefused with what is possible.
    """
    settings, key = _settings(), str(event.get("recipe"))
    campaigns = {
        recipe["key"]: planned
        for recipe in settings["recipes"]
        if (planned := campaign(settings["name"], recipe, _place()))
    }
    if key not in campaigns:
        raise RollbackRefused(f"recipe = {key!r} has no campaign; there are: {', '.join(campaigns)}")
    planned = campaigns[key]
    personalize = _client("personalize")
    described = personalize.describe_campaign(campaignArn=planned["arn"])["campaign"]
    serving = described["solutionVersionArn"]
    records = of_recipe(key)
    there = [r["solution_version_arn"] for r in records if _could_serve(r["solution_version_arn"])]
    version = choose(key, event.get("to"), records, serving=serving, there=there)
    logger.info("rollback", recipe=key, to=version, replaced=serving)
    return {
        "recipe": key,
        "versionArn": version,
        "replacedArn": serving,
        "campaign": {**planned, "minProvisionedTPS": described["minProvisionedTPS"]},
    }


def find_remaining(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """List what the deployment has of a kind: `event` {"kind"}, answer {"arns"}.

    Asked for what is being trained, which comes first, it raises TeardownRefused while a machine trains.
    """
    if event["kind"] == "training":
        _refuse_while_training()
    arns = Remaining(_client("personalize"), _client("ssm"), os.environ["DEPLOYMENT"]).of(event["kind"])
    logger.info("remaining", kind=event["kind"], arns=arns)
    return {"arns": arns}


def find_retired(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """List what nothing needs any more. `event`: {"recipes", "schemas", "comparison", "execution"}.

    `execution` is the training that asks, the others are of its plan. While another training runs, whose plan
    may differ, nothing is retired: it will ask itself. Answer: {"solutions", "schemas"}.
    """
    others = [arn for machine in MAKERS for arn in _running(machine) if arn != event["execution"]]
    if others:
        logger.info("nothing is retired while another training runs", execution=others[0])
        return {"solutions": [], "schemas": []}
    remaining = Remaining(_client("personalize"), _client("ssm"), os.environ["DEPLOYMENT"])
    needed = {*remaining.served_versions(), *remaining.of("training")}
    planned = set()
    for recipe in event["recipes"].values():
        planned.add(recipe["solution"]["arn"])
        if recipe["tune"]:
            planned.add(recipe["tuningSolution"]["arn"])
        if recipe["campaign"]:
            needed |= _needed(recipe["key"], recipe["campaign"]["arn"])
    there = remaining.solutions()
    comparison = event["comparison"]
    if comparison and not is_compared(comparison["key"]):
        # What was trained to compare with is not known by name before the tuning.
        recipe_prefix = f":solution/{os.environ['DEPLOYMENT']}-{comparison['key']}-"
        planned |= {arn for arn in there if recipe_prefix in arn}
    solutions = retired(there, planned=planned, needed=needed)
    stay = {*remaining.schemas_in_use(), *(_place().arn("schema", name) for name in event["schemas"])}
    schemas = sorted(set(remaining.schemas()) - stay)
    logger.info("retired", solutions=solutions, schemas=schemas)
    return {"solutions": solutions, "schemas": schemas}


def _needed(key: str, campaign_arn: str) -> set[str]:
    personalize, records = _client("personalize"), of_recipe(key)
    try:
        serving = personalize.describe_campaign(campaignArn=campaign_arn)["campaign"]["solutionVersionArn"]
    except personalize.exceptions.ResourceNotFoundException:
        serving = None
    earlier = promoted_before(records, serving or "")
    previous = next((arn for arn in earlier if _could_serve(arn)), None)
    return needed_versions(records, serving=serving, previous=previous)


def _refuse_while_training() -> None:
    for machine in TRAINING_MACHINES:
        for execution in _running(machine):
            raise TeardownRefused(f"{execution} is running; stop it first")


def _running(machine: str) -> list[str]:
    """Return the executions of one of the deployment's machines that are running."""
    place = _place()
    arn = f"arn:aws:states:{place.region}:{place.account}:stateMachine:{os.environ['DEPLOYMENT']}-{machine}"
    pages = (
        _client("stepfunctions")
        .get_paginator("list_executions")
        .paginate(stateMachineArn=arn, statusFilter="RUNNING")
    )
    return [execution["executionArn"] for page in pages for execution in page["executions"]]


def _could_serve(version_arn: str) -> bool:
    personalize = _client("personalize")
    try:
        answer = personalize.describe_solution_version(solutionVersionArn=version_arn)
    except personalize.exceptions.ResourceNotFoundException:
        return False
    return bool(answer["solutionVersion"]["status"] == "ACTIVE")


def _settings() -> dict[str, Any]:
    bucket, key = os.environ["SETTINGS_URI"].removeprefix("s3://").split("/", 1)
    settings: dict[str, Any] = json.loads(_client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    return settings


def _place() -> Place:
    return Place(region=os.environ["AWS_REGION"], account=os.environ["ACCOUNT_ID"])


@cache
def _client(service: str) -> Any:
    return boto3.client(service)
