"""The decisions of the training state machines; the machines themselves do what needs none."""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError
from gate import decide
from planning import Place, plan, with_tuned

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
    logger.info("planned", data_version=result["dataVersion"], recipes=list(result["recipes"]))
    return result


def plan_tuned(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Plan the solution with what HPO found. `event`: {"plan": recipe plan, "found": hyperparameters}."""
    return with_tuned(event["plan"], event["found"], place=_place())


def find_version(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Find a version by name. `event`: {"solutionArn", "versionName"}; answers {"arn": str or ""}."""
    personalize = _client("personalize")
    pages = personalize.get_paginator("list_solution_versions").paginate(solutionArn=event["solutionArn"])
    versions = [version for page in pages for version in page["solutionVersions"]]
    newest = sorted(versions, key=lambda version: version["creationDateTime"], reverse=True)[:NEWEST_VERSIONS]
    for version in newest:
        arn = version["solutionVersionArn"]
        described = personalize.describe_solution_version(solutionVersionArn=arn)["solutionVersion"]
        usable = described["status"] in {"CREATE PENDING", "CREATE IN_PROGRESS", "ACTIVE"}
        if usable and described.get("name") == event["versionName"]:
            return {"arn": arn}
    return {"arn": ""}


def quality_gate(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Decide on promotion. `event`: {"key", "metrics", "servingVersionArn", "newVersionArn", "baseline"}."""
    serving = None
    if event.get("servingVersionArn"):
        answer = _client("personalize").get_solution_metrics(solutionVersionArn=event["servingVersionArn"])
        serving = answer["metrics"]
    verdict = decide(
        event["metrics"],
        serving,
        event.get("baseline") or {},
        metric=os.environ["GATE_METRIC"],
        tolerance=float(os.environ["GATE_TOLERANCE"]),
    )
    logger.info("gate", recipe=event["key"], promote=verdict.promote, reason=verdict.reason)
    return {"promote": verdict.promote, "reason": verdict.reason}


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


@cache
def _client(service: str) -> Any:
    return boto3.client(service)
