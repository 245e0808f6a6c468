"""What the rollback and teardown machines, and the retiring of old solutions, have to know."""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from planning import Place, campaign
from records import of_recipe
from remaining import Remaining
from rollback import RollbackRefused, choose

logger = Logger()
TRAINING_MACHINES = ("retrain", "train", "train-recipe")


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


def _refuse_while_training() -> None:
    states, place = _client("stepfunctions"), _place()
    for machine in TRAINING_MACHINES:
        name = f"{os.environ['DEPLOYMENT']}-{machine}"
        arn = f"arn:aws:states:{place.region}:{place.account}:stateMachine:{name}"
        running = states.list_executions(stateMachineArn=arn, statusFilter="RUNNING")["executions"]
        if running:
            raise TeardownRefused(f"{running[0]['executionArn']} is running; stop it first")


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
