"""What `make bench NAME=load` measures, in short: reads are right while things sell out or fail."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.api_functions import api_load
from benchmarks.api_functions.deployment import make_campaign
from tests.local.deployed_api import TIME_BUDGET_SECONDS, DeployedApi

# None of the popular items, which other tests need.
ITEMS = [f"DEL|BOM|train|{n}" for n in range(120)]
USERS = [f"traveller-{n}" for n in range(40)]
BUDGET_MILLISECONDS = TIME_BUDGET_SECONDS * 1000
# A campaign that has just been made loads its model first.
WARM_SECONDS = 60
READS = 10
SHARES_AND_FAULTS: list[tuple[float, dict[str, Any]]] = [
    (0.3, {"throttle": True}),
    (0.5, {"seconds": 30}),
    (0.7, {"error": "InternalServerException", "status": 500}),
    (0.9, {"seconds": 0.3}),
]


@pytest.fixture(scope="module")
def call(deployed_api: DeployedApi, interactions: str) -> api_load.Call:
    """The API with a campaign, and all items bookable."""
    make_campaign(deployed_api, interactions, ITEMS, USERS)
    token = deployed_api.back_end

    def send(method: str, path: str, body: Any) -> tuple[int, Any]:
        return deployed_api.call(method, path, body, token=token)

    api_load.stock(send, ITEMS)
    until = time.monotonic() + WARM_SECONDS
    while send("GET", f"/users/{USERS[0]}/recommendations", None)[1].get("source") != "personalize":
        assert time.monotonic() < until, "the campaign does not answer"
        time.sleep(0.5)
    return send


def test_no_item_is_returned_once_its_sell_out_is_acknowledged(call: api_load.Call) -> None:
    found, sold = api_load.sell_out_while_reading(call, USERS, ITEMS, sell_outs=60, clients=2)
    assert sold == 60
    assert found.failed == 0
    assert found.sold_out_items == []
    assert found.sources["personalize"] > 0
    api_load.stock(call, ITEMS)


@pytest.mark.parametrize(("share", "fault"), SHARES_AND_FAULTS)
def test_reads_answer_within_the_budget_whatever_share_of_calls_fails(
    deployed_api: DeployedApi, call: api_load.Call, share: float, fault: dict[str, Any]
) -> None:
    began = time.time()
    with api_load.failing_personalize(deployed_api.faults_url, share, **fault):
        found = api_load.read(call, api_load.reads(USERS, ITEMS, seed=3), lambda sent: sent < READS)
    assert found.failed == 0
    assert api_load.longest_milliseconds(deployed_api, began) <= BUDGET_MILLISECONDS


def test_no_log_says_who_asked(deployed_api: DeployedApi, call: api_load.Call) -> None:
    assert call("GET", "/users/ada-lovelace-1815/recommendations", None)[0] == 200
    lines = list(_log_lines(deployed_api))
    assert any('"message":"answered"' in line for line in lines)
    assert not [line for line in lines if "ada-lovelace-1815" in line or USERS[0] in line]


def test_pages_are_counted_by_what_answered(deployed_api: DeployedApi, call: api_load.Call) -> None:
    call("GET", f"/users/{USERS[0]}/recommendations", None)
    metrics = deployed_api.client("cloudwatch").list_metrics(Namespace="travel", MetricName="Pages")
    dimensions = [{d["Name"]: d["Value"] for d in metric["Dimensions"]} for metric in metrics["Metrics"]]
    assert {"Recipe": "user-personalization", "Source": "personalize", "Variant": "none"} in dimensions


def test_an_unchanged_answer_is_not_sent_again(deployed_api: DeployedApi, call: api_load.Call) -> None:
    del call
    headers = {"Authorization": f"Bearer {deployed_api.back_end}"}
    url = f"{deployed_api.url}/items/unheard-of/similar"
    first = deployed_api.pool.request("GET", url, headers=headers)
    again = deployed_api.pool.request("GET", url, headers={**headers, "If-None-Match": first.headers["ETag"]})
    assert json.loads(first.data)["items"]
    assert (again.status, again.data) == (304, b"")


def _log_lines(deployed_api: DeployedApi) -> Iterator[str]:
    logs = deployed_api.client("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
        for page in pages:
            yield from (event["message"] for event in page["events"])
