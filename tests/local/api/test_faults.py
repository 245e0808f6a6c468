"""While Personalize throttles, fails or hangs, a deployed API answers every read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import urllib3

from tests.local.deployed_api import DeployedApi

ITEM = quote("DEL|GOI|flight|1", safe="")
READS = [
    ("GET", "/users/eve/recommendations?filter=transport-mode&transportMode=train", None),
    ("GET", f"/items/{ITEM}/similar?metadata=true", None),
    ("POST", "/users/ada/rankings", {"itemIds": ["DEL|GOI|flight|3", "DEL|GOI|flight|1"]}),
    ("GET", "/users/ada/coupons", None),
]
# Thirty seconds are longer than API Gateway waits.
FAULTS: list[dict[str, Any]] = [
    {"throttle": True},
    {"error": "InternalFailure", "status": 500},
    {"seconds": 30},
]


@pytest.fixture
def faults(deployed_api: DeployedApi) -> Iterator[str]:
    url = f"{deployed_api.cloud.endpoint_url}/_localcloud/faults"
    yield url
    urllib3.request("DELETE", url)


@pytest.mark.parametrize("fault", FAULTS)
def test_every_read_answers(deployed_api: DeployedApi, faults: str, fault: dict[str, Any]) -> None:
    for operation in ("GetRecommendations", "GetPersonalizedRanking"):
        wish = {"service": "personalize-runtime", "operation": operation, "times": 20, **fault}
        assert urllib3.request("POST", faults, body=json.dumps(wish)).status == 201
    answers = [deployed_api.call(*read, token=deployed_api.back_end) for read in READS]
    assert [status for status, _ in answers] == [200, 200, 200, 200]
    recommended, similar, ranked, coupons = (answer for _, answer in answers)
    assert (recommended["source"], recommended["filtered"]) == ("popular", True)
    assert {item["itemId"][-1] for item in recommended["items"]} <= set("02468")
    assert len(similar["items"]) == 25
    assert similar["items"][0]["metadata"] == {"transport_mode": "train"}
    assert [item["itemId"] for item in ranked["items"]] == READS[2][2]["itemIds"]  # type: ignore[index]
    assert coupons["items"] == []
