"""What is answered when Personalize is not: a user's last answer if it is fresh, else what is popular."""

from __future__ import annotations

import csv
import io
import json
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from shared.clients import client, read_object

FRESH_SECONDS = 24 * 3600
REWRITE_SECONDS = 600
CATALOGUE_SECONDS = 600
MOST_REMEMBERED = 10_000
MOST_COUPONS = 500


class LastAnswers:
    """The last answer of each user, in DynamoDB."""

    def __init__(self, table: str) -> None:
        self._table = table
        self._client = client("dynamodb", read_seconds=1.0, attempts=2)
        self._written: dict[str, float] = {}

    def remember(self, user_id: str, item_ids: list[str]) -> None:
        """Keep an answer; at most one write a user in ten minutes, and none that fails matters."""
        now = time.time()
        if self._written.get(user_id, 0) > now - REWRITE_SECONDS:
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
            self._client.put_item(TableName=self._table, Item=item)
        except (ClientError, BotoCoreError):
            self._written.pop(user_id)

    def recall(self, user_id: str) -> list[str]:
        """Return the items of the user's last answer, or none."""
        try:
            item = self._client.get_item(TableName=self._table, Key={"user_id": {"S": user_id}}).get("Item")
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
        self._read_at = float("-inf")
        self._popular: list[dict[str, Any]] = []
        self._coupons: list[str] = []

    @property
    def popular(self) -> list[dict[str, Any]]:
        """Items with score and metadata, the most popular first."""
        self._refresh()
        return self._popular

    @property
    def coupons(self) -> list[str]:
        """The newest coupons' ids, at most 500."""
        self._refresh()
        return self._coupons

    def _refresh(self) -> None:
        """Read again when it is time; what was read before stays when that fails."""
        if time.monotonic() - self._read_at < CATALOGUE_SECONDS and self._popular:
            return
        try:
            latest = json.loads(read_object(self._latest_uri))
            manifest = json.loads(read_object(latest["manifestUri"]))
            self._popular = json.loads(read_object(manifest["popularItemsUri"]))
            self._coupons = _coupons(manifest)
        except (ClientError, BotoCoreError):
            return
        self._read_at = time.monotonic()


def _coupons(manifest: dict[str, Any]) -> list[str]:
    items = manifest["datasetGroups"].get("coupons", {}).get("items")
    if items is None:
        return []
    bucket, prefix = items["location"].removeprefix("s3://").split("/", 1)
    listed = client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    rows: list[dict[str, str]] = []
    for entry in listed:
        text = read_object(f"s3://{bucket}/{entry['Key']}").decode()
        rows += csv.DictReader(io.StringIO(text))
    rows.sort(key=lambda row: (-int(row.get("CREATION_TIMESTAMP") or 0), row["ITEM_ID"]))
    return [row["ITEM_ID"] for row in rows[:MOST_COUPONS]]
