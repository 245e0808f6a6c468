"""The decisions of the campaign state machine; the machine itself does what needs none."""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from batch_jobs import Place, batch_jobs
from overrides import check_facts, with_defaults
from statements import audience_statement, facts_statement, parts_needed

logger = Logger()
BYTES_A_MEGABYTE = 1_000_000


def check_input(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Check what was asked for, `event` {"input"}, and answer the settings and the statement of the facts."""
    configured = _configured()
    settings = with_defaults(configured["defaults"], event["input"], configured["audienceColumns"])
    logger.info("asked for", settings=settings)
    return {"settings": settings, "facts": facts_statement(configured["statements"]["facts"], settings)}


def plan_audience(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Hold the campaign to the data, and say how to write its audience.

    `event`: {"run", "settings", "queryExecutionId" of the facts}.
    """
    configured, settings = _configured(), event["settings"]
    facts = _facts(event["queryExecutionId"])
    check_facts(settings, facts)
    parts = parts_needed(
        users=int(facts["users"][0]),
        characters=int(facts["characters"][0]),
        coupons=facts["offered"],
        bytes_per_job=configured["megabytesPerJob"] * BYTES_A_MEGABYTE,
    )
    location = f"{os.environ['CAMPAIGNS_URI']}/{event['run']}/input/"
    statement = audience_statement(
        configured["statements"]["audience"], settings, location=location, parts=parts
    )
    # The Spark job takes its settings as one text.
    return {"statement": statement, "parts": parts, "targeting": json.dumps(settings)}


def find_jobs(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Return the batch jobs of the input that was written. `event`: {"run"}."""
    bucket, folder = os.environ["CAMPAIGNS_URI"].removeprefix("s3://").split("/", 1)
    prefix = f"{folder}/{event['run']}/input/"
    pages = _client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    objects = [
        (found["Key"].removeprefix(prefix), found["Size"])
        for page in pages
        for found in page.get("Contents", [])
        if found["Size"]
    ]
    place = Place(
        deployment=os.environ["DEPLOYMENT"],
        region=os.environ["AWS_REGION"],
        account=os.environ["ACCOUNT_ID"],
        campaigns_uri=os.environ["CAMPAIGNS_URI"],
        run=event["run"],
    )
    return {"jobs": batch_jobs(objects, place)}


def _facts(query_execution_id: str) -> dict[str, list[str]]:
    facts: dict[str, list[str]] = {}
    pages = _client("athena").get_paginator("get_query_results").paginate(QueryExecutionId=query_execution_id)
    rows = [row["Data"] for page in pages for row in page["ResultSet"]["Rows"]]
    for fact, value in rows[1:]:
        facts.setdefault(fact["VarCharValue"], []).append(value["VarCharValue"])
    return facts


@cache
def _configured() -> dict[str, Any]:
    bucket, key = os.environ["SETTINGS_URI"].removeprefix("s3://").split("/", 1)
    return dict(json.load(_client("s3").get_object(Bucket=bucket, Key=key)["Body"]))


@cache
def _client(service: str) -> Any:
    return boto3.client(service)
