"""A load run over HTTP on localcloud: how fast reads are answered, with sell-outs and Personalize failing.

localcloud is one process on the same machine: the figures say how the whole behaves, not how fast AWS is.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from benchmarks.api_functions import api_load
from benchmarks.api_functions.deployment import deployed_api, make_campaign, make_tracker, store_catalogue
from benchmarks.report import Figure, write_results

BUILD = Path(__file__).parent.parent / "build" / "load"
ITEMS = [
    f"DEL|{city}|{mode}|{n}" for city in ("GOI", "BOM") for mode in ("train", "flight") for n in range(375)
]
USERS = [f"user-{n}" for n in range(100)]
SELL_OUTS = 1_000
CLIENTS = 4
SECONDS = 20
READS_A_FAULT = 40
SHARES = (0.1, 0.5, 0.9, 1.0)
FAULTS: dict[str, dict[str, Any]] = {
    "throttled": {"throttle": True},
    "broken": {"error": "InternalServerException", "status": 500},
    "slow by 0.3 s": {"seconds": 0.3},
    "stalled for 30 s": {"seconds": 30},
}


def main() -> None:
    """Deploy the API with a campaign, read, sell out, let Personalize fail, and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of reading undisturbed")
    parser.add_argument("--sell-outs", type=int, default=SELL_OUTS, help=f"at most {len(ITEMS)}")
    parser.add_argument("--reads", type=int, default=READS_A_FAULT, help="while Personalize fails, each time")
    asked = parser.parse_args()
    BUILD.mkdir(parents=True, exist_ok=True)
    with deployed_api(BUILD) as (cloud, deployment):
        store_catalogue(deployment, ITEMS)
        make_campaign(deployment, make_tracker(deployment), ITEMS, USERS)
        call = api_load.HttpApi(*deployment.api_address, deployment.api_key, CLIENTS + 1)
        api_load.stock(call, ITEMS)
        plain = _read_for(call, asked.seconds)
        selling, sold = api_load.sell_out_while_reading(
            call, USERS, ITEMS, sell_outs=asked.sell_outs, clients=CLIENTS
        )
        api_load.stock(call, ITEMS)
        began, faulty = time.time(), {}
        for name, fault in FAULTS.items():
            for share in SHARES:
                url = f"{cloud.endpoint_url}/_localcloud/faults"
                with api_load.failing_personalize(url, share, **fault):
                    faulty[f"{share:.0%} {name}"] = _read_times(call, asked.reads)
        longest = api_load.longest_milliseconds(deployment, began)
    budget = deployment.config.serving.time_budget_seconds * 1000
    write_results(
        "load",
        [
            Figure("requests a second", len(plain.seconds) / asked.seconds, "requests/s"),
            Figure("p50 over HTTP", plain.percentile(50), "ms"),
            Figure("p99 over HTTP", plain.percentile(99), "ms"),
            Figure("answers other than 200", plain.failed, "answers", "== 0"),
            Figure("sell-outs acknowledged", sold, "items", f">= {asked.sell_outs}"),
            Figure("reads meanwhile", len(selling.seconds), "requests"),
            Figure("answers other than 200 meanwhile", selling.failed, "answers", "== 0"),
            Figure("sold-out items returned", len(selling.sold_out_items), "items", "== 0"),
            Figure("reads while Personalize fails", sum(len(r.seconds) for r in faulty.values()), "requests"),
            Figure("of these other than 200", sum(r.failed for r in faulty.values()), "answers", "== 0"),
            Figure("of these the longest in the function", longest, "ms", f"<= {budget}"),
        ],
        packages=("moto", "boto3"),
        clients=CLIENTS,
        refusals=dict(plain.refusals + selling.refusals),
        faults={name: dict(found.sources) for name, found in faulty.items()},
    )


def _read_for(call: api_load.Call, seconds: float) -> api_load.Reads:
    until = time.monotonic() + seconds
    return api_load.together(
        CLIENTS,
        lambda n: api_load.read(call, api_load.reads(USERS, ITEMS, n), lambda _: time.monotonic() < until),
    )


def _read_times(call: api_load.Call, times: int) -> api_load.Reads:
    return api_load.together(
        CLIENTS,
        lambda n: api_load.read(call, api_load.reads(USERS, ITEMS, n), lambda sent: sent < times // CLIENTS),
    )


if __name__ == "__main__":
    main()
