"""The decisions of the comparison's state machine."""

from __future__ import annotations

import codecs
import csv
import json
import os
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from comparison import HYPERPARAMETER, ages, answers_of, other_setting, overlap
from naming import Place, short_hash
from planning import solution_with

logger = Logger()
USERS = 500
INPUT = "users.json"


def plan_comparison(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Plan the other setting's solution and choose whom to ask.

    `event`: {"plan": the recipe's, "versionArn", "manifestUri"}. The users are the first ones of the users
    dataset, written as a batch inference's input.
    """
    plan, version = event["plan"], event["versionArn"]
    solution = _client("personalize").describe_solution(solutionArn=version.rsplit("/", 1)[0])["solution"]
    configured = solution["solutionConfig"].get("algorithmHyperParameters", {})
    other = other_setting(configured)
    folder = f"{os.environ['RESULTS_URI']}comparisons/{plan['dataVersion']}/"
    manifest = json.loads(_body(event["manifestUri"]).read())
    group = _group_of(manifest, plan["datasetGroupArn"])
    users = list(_first(_rows(group["users"]["location"]), USERS))
    _write(folder + INPUT, "".join(json.dumps({"userId": row["USER_ID"]}) + "\n" for row in users))
    logger.info("comparison", version=version, other=other, users=len(users))
    return {
        "plan": {**plan, "other": solution_with(plan, other, place=_place())},
        "itemsLocation": group["items"]["location"],
        "input": folder + INPUT,
        "configured": _side("configured", configured | {HYPERPARAMETER: _turned(other)}, version, folder),
        "turned": _side("turned", other, version, folder),
    }


def measure_comparison(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Report what the other setting changes. `event`: what `plan_comparison` answers, and "versions".

    `versions` are the ARNs of the two versions: {"configured", "turned"}.
    """
    created = {
        row["ITEM_ID"]: int(row["CREATION_TIMESTAMP"])
        for row in _rows(event["itemsLocation"])
        if row.get("CREATION_TIMESTAMP")
    }
    sides, answers = {}, {}
    for side, version in event["versions"].items():
        lines = _body(f"{event[side]['output']}{INPUT}.out").iter_lines()
        answers[side] = answers_of(json.loads(line) for line in lines if line)
        metrics = _client("personalize").get_solution_metrics(solutionVersionArn=version)["metrics"]
        sides[side] = {
            "setting": event[side]["setting"],
            "solutionVersionArn": version,
            "metrics": metrics,
            "age": ages(answers[side], created),
        }
    report = {
        "hyperparameter": HYPERPARAMETER,
        "users": len(answers["configured"]),
        "inCommon": overlap(answers["configured"], answers["turned"]),
        **sides,
    }
    logger.info("compared", report=report)
    return report


def _side(name: str, hyperparameters: dict[str, str], version: str, folder: str) -> dict[str, str]:
    """Return the batch job that asks one of the two versions: one job a version and setting."""
    setting = hyperparameters[HYPERPARAMETER]
    job = f"{os.environ['DEPLOYMENT']}-compare-{short_hash([version, setting])}"
    return {
        "setting": setting,
        "jobName": job,
        "jobArn": _place().arn("batch-inference-job", job),
        "output": f"{folder}{name}/",
    }


def _turned(hyperparameters: dict[str, str]) -> str:
    return other_setting(hyperparameters)[HYPERPARAMETER]


def _group_of(manifest: dict[str, Any], group_arn: str) -> dict[str, Any]:
    """Return the manifest's part for a dataset group: `main` has the deployment's own name."""
    name = group_arn.rsplit("/", 1)[1].removeprefix(os.environ["DEPLOYMENT"]).removeprefix("-")
    group: dict[str, Any] = manifest["datasetGroups"][name or "main"]
    return group


def _rows(location: str) -> Iterator[dict[str, str]]:
    """Yield the rows of all CSV files below a location, read as they are needed."""
    bucket, prefix = location.removeprefix("s3://").split("/", 1)
    pages = _client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        for entry in page.get("Contents", []):
            if entry["Key"].endswith(".csv"):
                body = _body(f"s3://{bucket}/{entry['Key']}")
                yield from csv.DictReader(codecs.getreader("utf-8")(body))


def _first(rows: Iterator[dict[str, str]], count: int) -> Iterator[dict[str, str]]:
    for _, row in zip(range(count), rows, strict=False):
        yield row


def _body(uri: str) -> Any:
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    return _client("s3").get_object(Bucket=bucket, Key=key)["Body"]


def _write(uri: str, text: str) -> None:
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    _client("s3").put_object(Bucket=bucket, Key=key, Body=text.encode())


def _place() -> Place:
    return Place(region=os.environ["AWS_REGION"], account=os.environ["ACCOUNT_ID"])


@cache
def _client(service: str) -> Any:
    return boto3.client(service)
