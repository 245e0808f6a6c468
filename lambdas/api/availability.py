"""Live availability in DynamoDB, read after its last acknowledged write."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

import reading
from botocore.exceptions import BotoCoreError, ClientError
from deadline import Deadline
from shared.clients import client, within

MOST_READ = 100
MOST_WRITTEN = 25
READS = 3
# Of the time that is left, how much a read may take that can be done again.
TRIED_SHARE = 0.5


class UnreadError(Exception):
    """DynamoDB kept back some of a batch, several times."""


class Availability:
    """Which items can be booked now."""

    def __init__(self, table: str, *, unknown_is_available: bool) -> None:
        self._table = table
        self._unknown_is_available = unknown_is_available

    def available(self, item_ids: Iterable[str], deadline: Deadline) -> Iterator[str]:
        """Yield the items that can be booked, in their order; reads only as far as the caller goes.

        Raises UnreadError when that can't be known in time.
        """
        ids = list(item_ids)
        for start in range(0, len(ids), MOST_READ):
            yield from self._open(ids[start : start + MOST_READ], deadline)

    def _open(self, item_ids: list[str], deadline: Deadline) -> list[str]:
        """Return those of up to 100 items that can be booked: one plain loop, which most requests spend."""
        now = time.time()
        records = self._read(item_ids, deadline)
        bookable = []
        for item_id in item_ids:
            record = records.get(item_id)
            if record is None or ("expires_at" in record and _is_past(record["expires_at"], now)):
                is_open = self._unknown_is_available
            else:
                is_open = record["available"]["BOOL"] and (
                    "seats" not in record or record["seats"]["N"] != "0"
                )
            if is_open:
                bookable.append(item_id)
        return bookable

    def _read(self, item_ids: list[str], deadline: Deadline) -> dict[str, dict[str, Any]]:
        """Return the records of up to 100 items, raw, by id; what fails is read again while there is time."""
        keys: Any = {self._table: {"Keys": [{"item_id": {"S": i}} for i in item_ids], "ConsistentRead": True}}
        found: dict[str, dict[str, Any]] = {}
        reason: Exception | None = None
        for attempt in range(READS):
            seconds = deadline.left()
            if seconds <= 0:
                break
            share = 1 if attempt == READS - 1 else TRIED_SHARE
            try:
                answer = within("dynamodb", seconds * share).batch_get_item(RequestItems=keys)
            except (ClientError, BotoCoreError) as error:
                reason = error
                continue
            for item in answer["Responses"].get(self._table, ()):
                found[item["item_id"]["S"]] = item
            keys = answer.get("UnprocessedKeys")
            if not keys:
                return found
        raise UnreadError("DynamoDB did not return all availability records") from reason

    def read(self, item_id: str) -> dict[str, Any] | None:
        """Return an item's record as the API shows it, or None when nothing is known of it."""
        answer = _client().get_item(
            TableName=self._table, Key={"item_id": {"S": item_id}}, ConsistentRead=True
        )
        item = answer.get("Item")
        if not item or ("expires_at" in item and _is_past(item["expires_at"], time.time())):
            return None
        return _shown(item)

    def write(self, records: list[dict[str, Any]]) -> int:
        """Write records; return how many, once all are acknowledged. An item's last record counts."""
        newest = list({record["itemId"]: record for record in records}.values())
        for start in range(0, len(newest), MOST_WRITTEN):
            requests = [{"PutRequest": {"Item": _stored(r)}} for r in newest[start : start + MOST_WRITTEN]]
            waiting: Any = {self._table: requests}
            for attempt in range(5):
                waiting = _client().batch_write_item(RequestItems=waiting).get("UnprocessedItems")
                if not waiting:
                    break
                time.sleep(0.05 * 2**attempt)
            else:
                raise UnreadError("DynamoDB did not take all availability records")
        return len(newest)


def _client() -> Any:
    return client("dynamodb", read_seconds=1.0)


def _is_past(moment: dict[str, str], now: float) -> bool:
    """DynamoDB removes expired records late, so the time is looked at here."""
    return float(moment["N"]) <= now


def _stored(record: dict[str, Any]) -> dict[str, Any]:
    item: dict[str, Any] = {"item_id": {"S": record["itemId"]}, "available": {"BOOL": record["available"]}}
    for name in ("seats", "price"):
        if name in record:
            item[name] = {"N": str(Decimal(str(record[name])))}
    if "expiresAt" in record:
        item["expires_at"] = {"N": str(reading.seconds(record["expiresAt"]))}
        item["expires_text"] = {"S": str(record["expiresAt"])}
    return item


def _shown(item: dict[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = {"itemId": item["item_id"]["S"], "available": item["available"]["BOOL"]}
    if "seats" in item:
        record["seats"] = int(item["seats"]["N"])
    if "price" in item:
        record["price"] = float(item["price"]["N"])
    if "expires_text" in item:
        record["expiresAt"] = item["expires_text"]["S"]
    return record
