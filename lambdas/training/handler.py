"""The decisions of the training state machines; the machines themselves do what needs none."""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError
from gate import ROLLED_BACK, decide
from pace import Waiting, pace
from planning import Place, plan, with_tuned
from records import of_recipe
from versions import find, last_duration

logger = Logger()
NEWEST_VERSIONS = 20


def plan_training(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Plan a run. `event`: {"manifestUri"?: str, "tune"?: bool}; by default on the latest data."""
    settings = json.loads(_read(os.environ["SETTINGS_URI"]))
    uri = event.get("manifestUri") or json.loads(_read(os.environ["LATEST_URI"]))["manifestUri"]
    tuned = {
        recipe["key"]: _tuned(f"/{settings['name']}/tuned/{recipe['key']}") for recipe in settings["recipes"]
    }
    settings["import_role_arn"] = os.environ["IMPORT_ROLE_ARN"]
    result = plan(
        settings,
        json.loads(_read(uri)),
        {key: value for key, value in tuned.items() if value is not None},
        place=_place(),
        tune=bool(event.get("tune")),
    )
    for dataset in result["datasets"]:
        dataset["pace"] = pace(_last_import_seconds(dataset["arn"]), _waiting())
    logger.info("planned", data_version=result["dataVersion"], recipes=list(result["recipes"]))
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
    return {**found, "pace": pace(last_duration(records, solution_arn, found["trainingMode"]), _waiting())}


def quality_gate(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Decide on promotion. `event`: {"key", "metrics", "record", "serving", "baseline"}.

    `serving` is the description of the campaign, or the error when there is none; `record` the version's item
    of the versions table.
    """
    serving = None
    if "Campaign" in event["serving"]:
        serving_arn = event["serving"]["Campaign"]["SolutionVersionArn"]
        serving = _client("personalize").get_solution_metrics(solutionVersionArn=serving_arn)["metrics"]
    verdict = decide(
        event["metrics"],
        serving,
        event.get("baseline") or {},
        metric=os.environ["GATE_METRIC"],
        tolerance=float(os.environ["GATE_TOLERANCE"]),
        was_rolled_back=event["record"].get("decision", {}).get("S") == ROLLED_BACK,
    )
    logger.info("gate", recipe=event["key"], promote=verdict.promote, reason=verdict.reason)
    return {"promote": verdict.promote, "reason": verdict.reason}


def _last_import_seconds(dataset_arn: str) -> float | None:
    """Return how long the dataset's last import took, or None when there was none."""
    personalize = _client("personalize")
    try:
        pages = list(personalize.get_paginator("list_dataset_import_jobs").paginate(datasetArn=dataset_arn))
    except personalize.exceptions.ResourceNotFoundException:
        return None
    jobs = [job for page in pages for job in page["datasetImportJobs"] if job["status"] == "ACTIVE"]
    if not jobs:
        return None
    newest = max(jobs, key=lambda job: job["creationDateTime"])
    seconds: float = (newest["lastUpdatedDateTime"] - newest["creationDateTime"]).total_seconds()
    return seconds


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


def _waiting() -> Waiting:
    return Waiting(first_seconds=int(os.environ["FIRST_WAIT_SECONDS"]))


@cache
def _client(service: str) -> Any:
    return boto3.client(service)
