"""100,000 events while PutEvents fails half the time, the consumer is killed and duplicates are sent.

Every accepted event has to be in Personalize in the end, and once in the raw archive after deduplication by
event id. One user's PutEvents fail always, so that there are dead letters; `ops redrive` sends them again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.api_functions import event_delivery
from benchmarks.api_functions.deployment import deployed_api, make_tracker
from benchmarks.report import Figure, write_results
from ops.api_client import ApiClient

BUILD = Path(__file__).parent.parent / "build" / "events"
EVENTS = 100_000
KILLS = 25


def main() -> None:
    """Deploy, send, disturb, redrive, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS)
    events = parser.parse_args().events
    BUILD.mkdir(parents=True, exist_ok=True)
    with deployed_api(BUILD) as (cloud, deployment):
        dataset, api = make_tracker(deployment), ApiClient.of(deployment)
        found = event_delivery.deliver(
            deployment,
            dataset,
            send=lambda batch: api.call("POST", "/events", {"events": batch}),
            faults_url=f"{cloud.endpoint_url}/_localcloud/faults",
            events=events,
            kills=KILLS,
        )
    archived = set(found.archived)
    write_results(
        "events",
        [
            Figure("events accepted", len(found.sent), "events", f">= {events}"),
            Figure("duplicates accepted", found.duplicates, "events"),
            Figure("calls of PutEvents that failed", found.failed_calls, "calls"),
            Figure("times the consumer was killed", found.kills, "times", ">= 10"),
            Figure("dead letters redriven", found.dead_letters, "messages", ">= 1"),
            Figure("events missing in Personalize", len(found.sent - found.in_personalize), "events", "== 0"),
            Figure("events missing in the archive", len(found.sent - archived), "events", "== 0"),
            Figure("events in the archive that nobody sent", len(archived - found.sent), "events", "== 0"),
            Figure("events archived otherwise than sent", found.differing, "events", "== 0"),
            Figure("lines in the archive before deduplication", found.archived.total(), "lines"),
            Figure("objects in the archive", found.archive_objects, "objects"),
            Figure("check-outs counted too often", found.counted - found.check_outs, "events", "<= 0"),
            Figure("share of check-outs counted", found.counted / found.check_outs, "of 1", ">= 0.999"),
            Figure("messages left in the queues", found.left_over, "messages", "== 0"),
            Figure("time", found.seconds, "s"),
        ],
        packages=("moto", "boto3"),
        failing_share=event_delivery.FAILING_SHARE,
        duplicated_share=event_delivery.DUPLICATED_SHARE,
    )


if __name__ == "__main__":
    main()
