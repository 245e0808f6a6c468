"""The decisions of the training state machines; the machines themselves do what needs none."""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError
from gate import ROLLED_BACK, Thresholds, decide, held_back_since
from import_jobs import jobs_of, last_seconds
from naming import Place
from pace import pace
from planning import dataset_arns, plan, with_tuned, without_repeated_tuning
from records import is_compared, of_recipe
from versions import find, last_deployment, last_duration
from wish import read_wish

logger = Logger()
NEWEST_VERSIONS = 20


def plan_training(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Plan a run. `event`: what `wish.read_wish` reads, and "manifestUri" (by default the latest data).

    Raises TrainingRefused when it asks for what there is not.
    """
    settings = json.loads(_read(os.environ["SETTINGS_URI"]))
    wish = read_wish(event, settings["recipes"])
    uri = event.get("manifestUri") or json.loads(_read(os.environ["LATEST_URI"]))["manifestUri"]
    manifest = json.loads(_read(uri))
    tuned = {
        key: found
        for recipe in settings["recipes"]
        if (found := _tuned(f"/{settings['name']}/tuned/{(key := recipe['key'])}")) is not None
    }
    settings["import_role_arn"] = os.environ["IMPORT_ROLE_ARN"]
    imported = {
        arn: jobs_of(_client("personalize"), arn) for arn in dataset_arns(settings, manifest, _place())
    }
    compared = {
        recipe["key"]
        for recipe in settings["recipes"]
        if recipe["compare_recency_mask"] and is_compared(recipe["key"])
    }
    result = plan(settings, manifest, tuned, wish, place=_place(), imported=imported, compared=compared)
    result["manifestUri"] = uri
    for dataset in result["datasets"]:
        seconds = last_seconds(imported[dataset["arn"]], dataset["importMode"])
        dataset["pace"] = pace(seconds, _first_wait_seconds())
    for key, recipe in result["recipes"].items():
        if recipe["tune"] and key in tuned:
            result["recipes"][key] = without_repeated_tuning(recipe, of_recipe(key), tuned[key])
    logger.info("planned", data_version=result["dataVersion"], recipes=sorted(wish.recipes), mode=wish.mode)
    return result


def plan_tuned(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Plan the solution with what HPO found. `event`: {"plan": recipe plan, "found": hyperparameters}."""
    return with_tuned(event["plan"], event["found"], place=_place())


def find_version(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Find this data's version of a solution, or say how to train it.

    `event`: {"key", "solutionArn", "versionName", "trainingMode"}; the answer is that of `versions.find`, and
    the pace at which to wait for the training.
    """
    personalize, solution_arn = _client("personalize"), event["solutionArn"]
    pages = personalize.get_paginator("list_solution_versions").paginate(solutionArn=solution_arn)
    listed = [version for page in pages for version in page["solutionVersions"]]
    newest = sorted(listed, key=lambda version: version["creationDateTime"], reverse=True)[:NEWEST_VERSIONS]
    described = [
        personalize.describe_solution_version(solutionVersionArn=version["solutionVersionArn"])[
            "solutionVersion"
        ]
        for version in newest
    ]
    found = find(described, event["versionName"], event["trainingMode"])
    records = of_recipe(event["key"])
    return {
        **found,
        "pace": pace(last_duration(records, solution_arn, found["trainingMode"]), _first_wait_seconds()),
    }


def quality_gate(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Decide on promotion. `event`: {"key", "metrics", "record", "serving", "baseline"}.

    `serving` is the description of the campaign, or the error when there is none; `record` the version's item
    of the versions table. The answer has the pace at which to wait for the campaign's update, too.
    """
    thresholds = Thresholds(**json.loads(os.environ["GATE"]))
    serving, held_back = None, []
    if "Campaign" in event["serving"]:
        serving_arn = event["serving"]["Campaign"]["SolutionVersionArn"]
        serving = _client("personalize").get_solution_metrics(solutionVersionArn=serving_arn)["metrics"]
        itself = event["record"]["solution_version_arn"]["S"]
        others = [one for one in of_recipe(event["key"]) if one["solution_version_arn"] != itself]
        held_back = held_back_since(others, serving_arn, thresholds.metric)
    verdict = decide(
        event["metrics"],
        serving,
        event.get("baseline") or {},
        thresholds=thresholds,
        held_back=held_back,
        was_rolled_back=event["record"].get("decision", {}).get("S") == ROLLED_BACK,
    )
    logger.info("gate", recipe=event["key"], promote=verdict.promote, reason=verdict.reason)
    return {
        "promote": verdict.promote,
        "reason": verdict.reason,
        "pace": pace(last_deployment(event["serving"]), _first_wait_seconds()),
    }


def _tuned(parameter: str) -> dict[str, str] | None:
    try:
        return dict(json.loads(_client("ssm").get_parameter(Name=parameter)["Parameter"]["Value"]))
    except ClientError as error:
        if error.response["Error"]["Code"] == "ParameterNotFound":
            return None
        raise


def _read(uri: str) -> str:
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    return str(_client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode())


def _place() -> Place:
    return Place(region=os.environ["AWS_REGION"], account=os.environ["ACCOUNT_ID"])


def _first_wait_seconds() -> int:
    return int(os.environ["FIRST_WAIT_SECONDS"])


@cache
def _client(service: str) -> Any:
    return boto3.client(service)
