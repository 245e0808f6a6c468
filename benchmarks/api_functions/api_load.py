"""Read from a deployed API by several clients at once, while items sell out or Personalize fails."""

from __future__ import annotations

import itertools
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import urllib3

from benchmarks.api_functions.deployment import Deployed

RESULTS = 25
RANKED = 40
RECORDS_IN_A_REQUEST = 100
SOLD_AT_ONCE = 10
FOREVER = 10**9
OPERATIONS = ("GetRecommendations", "GetPersonalizedRanking")

# Sends one request: method, path and body; returns status and decoded answer.
Call = Callable[[str, str, Any], tuple[int, Any]]


@dataclass
class Reads:
    """What reading gave: seconds of each answer, statuses, sources, sold-out items in them, refusals."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    sold_out_items: list[str] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)

    @property
    def failed(self) -> int:
        """How many were not answered with 200."""
        return self.statuses.total() - self.statuses[HTTPStatus.OK]

    def percentile(self, percent: float) -> float:
        """Return a percentile of the answers' times in milliseconds."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] * 1000


class SoldItems:
    """Items whose sell-out the API acknowledged."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._items: frozenset[str] = frozenset()

    def add(self, item_ids: Sequence[str]) -> None:
        """Take acknowledged items in."""
        with self._lock:
            self._items |= set(item_ids)

    def now(self) -> frozenset[str]:
        """Return those acknowledged so far."""
        return self._items


class HttpApi:
    """The API over HTTP, with the deployment's key."""

    def __init__(self, url: str, host: str, api_key: str, clients: int) -> None:
        self._url = url
        self._headers = {"Host": host, "x-api-key": api_key, "Content-Type": "application/json"}
        self._pool = urllib3.PoolManager(maxsize=clients, retries=False)

    def __call__(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Send one request."""
        sent = None if body is None else json.dumps(body)
        answer = self._pool.request(method, f"{self._url}{path}", body=sent, headers=self._headers)
        return answer.status, json.loads(answer.data)


def stock(call: Call, item_ids: Sequence[str]) -> None:
    """Let all items be bookable. Raises RuntimeError when the API refuses."""
    for start in range(0, len(item_ids), RECORDS_IN_A_REQUEST):
        part = item_ids[start : start + RECORDS_IN_A_REQUEST]
        records = [{"itemId": item, "available": True, "seats": 3} for item in part]
        status, answer = call("POST", "/availability", {"items": records})
        if status != HTTPStatus.OK:
            raise RuntimeError(f"availability was not set: {status} {answer}")


def reads(user_ids: Sequence[str], item_ids: Sequence[str], seed: int) -> Iterator[tuple[str, str, Any]]:
    """Yield reads of every route without end."""
    chance = random.Random(seed)  # noqa: S311 - repeatable reads
    for n in itertools.count():
        user, item = quote(chance.choice(user_ids), safe=""), quote(chance.choice(item_ids), safe="")
        yield (
            ("GET", f"/users/{user}/recommendations?numResults={RESULTS}", None),
            ("GET", f"/users/{user}/recommendations?numResults={RESULTS}&metadata=true", None),
            ("GET", f"/items/{item}/similar?numResults={RESULTS}", None),
            ("POST", f"/users/{user}/rankings", {"itemIds": chance.sample(item_ids, RANKED)}),
            ("GET", f"/users/{user}/coupons", None),
        )[n % 5]


def read(
    call: Call,
    requests: Iterator[tuple[str, str, Any]],
    goes_on: Callable[[int], bool],
    sold: SoldItems | None = None,
) -> Reads:
    """Send requests one after another while `goes_on` says so of how many were sent."""
    found = Reads()
    while goes_on(len(found.seconds)):
        sold_before = sold.now() if sold else frozenset()
        request = next(requests)
        began = time.perf_counter()
        status, answer = call(*request)
        found.seconds.append(time.perf_counter() - began)
        found.statuses[status] += 1
        found.sources[answer.get("source", "")] += 1
        if status != HTTPStatus.OK:
            found.refusals[f"{status} {answer.get('detail', answer)}"] += 1
        found.sold_out_items += sorted(sold_before & {item["itemId"] for item in answer.get("items", ())})
    return found


def together(clients: int, work: Callable[[int], Reads]) -> Reads:
    """Let clients read at once; return what they all got."""
    whole = Reads()
    with ThreadPoolExecutor(clients) as pool:
        for part in pool.map(work, range(clients)):
            whole.seconds += part.seconds
            whole.statuses += part.statuses
            whole.sources += part.sources
            whole.sold_out_items += part.sold_out_items
            whole.refusals += part.refusals
    return whole


def sell_out_while_reading(
    call: Call, user_ids: Sequence[str], item_ids: Sequence[str], *, sell_outs: int, clients: int
) -> tuple[Reads, int]:
    """Sell items out, one or ten at a time, while clients read; return the reads and how many were sold."""
    sold, ended = SoldItems(), threading.Event()

    def sell() -> None:
        try:
            for start in range(0, sell_outs, SOLD_AT_ONCE):
                part = item_ids[start : start + SOLD_AT_ONCE]
                if start % (2 * SOLD_AT_ONCE):
                    records = [{"itemId": item, "available": True, "seats": 0} for item in part]
                    _acknowledged(call("POST", "/availability", {"items": records}))
                    sold.add(part)
                    continue
                for item in part:
                    path = f"/availability/{quote(item, safe='')}"
                    _acknowledged(call("PUT", path, {"available": False}))
                    sold.add([item])
        finally:
            ended.set()

    with ThreadPoolExecutor(1) as seller:
        selling = seller.submit(sell)
        found = together(
            clients, lambda n: read(call, reads(user_ids, item_ids, n), lambda _: not ended.is_set(), sold)
        )
        selling.result()
    return found, len(sold.now())


def _acknowledged(answer: tuple[int, Any]) -> None:
    if answer[0] != HTTPStatus.OK:
        raise RuntimeError(f"a sell-out was not acknowledged: {answer}")


@contextmanager
def failing_personalize(faults_url: str, share: float, **fault: Any) -> Iterator[None]:
    """Let a share of the calls for recommendations fail as the fault says."""
    for operation in OPERATIONS:
        wish = {"service": "personalize-runtime", "operation": operation, "share": share, "times": FOREVER}
        answer = urllib3.request("POST", faults_url, body=json.dumps({**wish, **fault}))
        if answer.status != HTTPStatus.CREATED:
            raise RuntimeError(f"no fault was set: {answer.data.decode()}")
    try:
        yield
    finally:
        urllib3.request("DELETE", faults_url)


def longest_milliseconds(deployed: Deployed, since: float) -> float:
    """Return the longest that the API's function took since a moment, by its own clock."""
    logs = deployed.client("logs")
    longest = 0.0
    for group in logs.describe_log_groups()["logGroups"]:
        if "ApiFunction" not in group["logGroupName"]:
            continue
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=group["logGroupName"], startTime=int(since * 1000)
        )
        for page in pages:
            for event in page["events"]:
                if '"milliseconds"' in event["message"]:
                    longest = max(longest, json.loads(event["message"])["milliseconds"])
    return longest
