"""What is answered when Personalize is not: a user's last answer if it is fresh, else what is popular."""

from __future__ import annotations

import csv
import io
import json
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from deadline import Deadline
from shared.clients import read_object, within

FRESH_SECONDS = 24 * 3600
REWRITE_SECONDS = 600
CATALOGUE_SECONDS = 600
MOST_REMEMBERED = 10_000
MOST_COUPONS = 500
# What can't be read is left alone for a while; a request has at least this much time to try it.
PAUSE_SECONDS = 30
LEAST_SECONDS = 0.05


class LastAnswers:
    """The last answer of each user, in DynamoDB."""

    def __init__(self, table: str) -> None:
        self._table = table
        self._written: dict[str, float] = {}

    def remember(self, user_id: str, item_ids: list[str], deadline: Deadline) -> None:
        """Keep an answer; at most one write a user in ten minutes, and none that fails matters."""
        now = time.time()
        seconds = deadline.left()
        if self._written.get(user_id, 0) > now - REWRITE_SECONDS or seconds < LEAST_SECONDS:
            return
        if len(self._written) > MOST_REMEMBERED:
            self._written.clear()
        self._written[user_id] = now
        item = {
            "user_id": {"S": user_id},
            "item_ids": {"S": json.dumps(item_ids)},
            "expires_at": {"N": str(int(now) + FRESH_SECONDS)},
        }
        try:
            within("dynamodb", seconds / 2).put_item(TableName=self._table, Item=item)
        except (ClientError, BotoCoreError):
            self._written.pop(user_id)

    def recall(self, user_id: str, deadline: Deadline) -> list[str]:
        """Return the items of the user's last answer, or none."""
        try:
            item = (
                within("dynamodb", deadline.left() / 3)
                .get_item(TableName=self._table, Key={"user_id": {"S": user_id}})
                .get("Item")
            )
        except (ClientError, BotoCoreError):
            return []
        if not item or float(item["expires_at"]["N"]) <= time.time():
            return []
        item_ids: list[str] = json.loads(item["item_ids"]["S"])
        return item_ids


class Catalogue:
    """Popular items and coupons of the newest data version, read anew every ten minutes."""

    def __init__(self, latest_uri: str) -> None:
        self._latest_uri = latest_uri
        self._read_next = float("-inf")
        self._popular: list[dict[str, Any]] = []
        self._coupons: list[str] = []

    def popular(self, deadline: Deadline) -> list[dict[str, Any]]:
        """Return items with score and metadata, the most popular first."""
        self.refresh(deadline)
        return self._popular

    def coupons(self, deadline: Deadline) -> list[str]:
        """Return the newest coupons' ids, at most 500."""
        self.refresh(deadline)
        return self._coupons

    def refresh(self, deadline: Deadline) -> None:
        """Read again when it is time; what was read before stays when that fails or takes too long."""
        seconds = deadline.left()
        if time.monotonic() < self._read_next or seconds < LEAST_SECONDS:
            return
        s3 = within("s3", seconds / 6)
        try:
            latest = json.loads(read_object(self._latest_uri, s3))
            manifest = json.loads(read_object(latest["manifestUri"], s3))
            self._popular = json.loads(read_object(manifest["popularItemsUri"], s3))
            self._coupons = _coupons(manifest, s3)
        except (ClientError, BotoCoreError):
            self._read_next = time.monotonic() + PAUSE_SECONDS
            return
        self._read_next = time.monotonic() + CATALOGUE_SECONDS


def _coupons(manifest: dict[str, Any], s3: Any) -> list[str]:
    items = manifest["datasetGroups"].get("coupons", {}).get("items")
    if items is None:
        return []
    bucket, prefix = items["location"].removeprefix("s3://").split("/", 1)
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    rows: list[dict[str, str]] = []
    for entry in listed:
        text = read_object(f"s3://{bucket}/{entry['Key']}", s3).decode()
        rows += csv.DictReader(io.StringIO(text))
    rows.sort(key=lambda row: (-int(row.get("CREATION_TIMESTAMP") or 0), row["ITEM_ID"]))
    return [row["ITEM_ID"] for row in rows[:MOST_COUPONS]]
