"""The versions table: what is known of each solution version, and what was decided about it."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import boto3
from boto3.dynamodb.conditions import Key

VERSION = "arn:"
COMPARISON = "comparison/recency_mask"


def of_recipe(key: str) -> list[dict[str, str]]:
    """Return the records of a recipe's versions, all attributes as texts, oldest first."""
    records: list[dict[str, str]] = []
    condition = Key("recipe_key").eq(key) & Key("solution_version_arn").begins_with(VERSION)
    arguments: dict[str, Any] = {"KeyConditionExpression": condition, "ConsistentRead": True}
    while True:
        page = _table().query(**arguments)
        records += page["Items"]
        if "LastEvaluatedKey" not in page:
            return sorted(records, key=lambda record: record.get("created_at", ""))
        arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def is_compared(key: str) -> bool:
    """Say whether the settings of a recipe's recency_mask were compared before."""
    item = {"recipe_key": key, "solution_version_arn": COMPARISON}
    return "Item" in _table().get_item(Key=item, ConsistentRead=True)


@cache
def _table() -> Any:
    return boto3.resource("dynamodb").Table(os.environ["VERSIONS_TABLE"])
