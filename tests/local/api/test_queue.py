"""What `make bench NAME=events` proves of 100,000 events, with a few: nothing accepted is lost."""

from __future__ import annotations

from typing import Any

from benchmarks.api_functions import event_delivery
from ops.errors import OperatorError
from tests.local.deployed_api import DeployedApi

EVENTS = 300


def test_every_accepted_event_arrives_whatever_fails(deployed_api: DeployedApi, interactions: str) -> None:
    api, token = deployed_api, deployed_api.back_end

    def send(events: list[dict[str, Any]]) -> None:
        status, answer = api.call("POST", "/events", {"events": events}, token=token)
        if status != 202:
            raise OperatorError(str(answer))

    queue, sqs = api.output("EventQueueUrl"), api.client("sqs")
    # Other tests send what is never taken: users and items, of which this deployment has no dataset.
    for url in (queue, api.output("EventDeadLetterQueueUrl")):
        sqs.purge_queue(QueueUrl=url)
    # Of a killed function the messages come again after this time; six time-outs would make the test long.
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "10"})
    found = event_delivery.deliver(
        api, interactions, send=send, faults_url=api.faults_url, events=EVENTS, kills=2
    )
    assert len(found.sent) == EVENTS
    assert found.duplicates > 0
    assert found.failed_calls > 5
    assert found.kills > 0
    assert found.dead_letters > 0
    assert found.sent <= found.in_personalize
    assert set(found.archived) >= found.sent
    assert found.differing == 0
    assert found.left_over == 0
    assert found.counted == found.check_outs
