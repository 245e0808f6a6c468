"""`ops redrive`: send events that failed for good into the event queue again."""

from __future__ import annotations

import argparse
from typing import Any

from ops.deployment import Deployment
from ops.errors import OperatorError
from ops.terminal import Terminal

BATCH = 10


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("redrive", help="send dead letters into the event queue again")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Redrive the deployment's dead letters, and say how many there were."""
    deployment = Deployment(arguments.config)
    moved = redrive(
        deployment.client("sqs"),
        dead_letters=deployment.output("EventDeadLetterQueueUrl"),
        queue=deployment.output("EventQueueUrl"),
    )
    Terminal().say(f"{moved} dead letters sent again")


def redrive(sqs: Any, *, dead_letters: str, queue: str) -> int:
    """Move every message of one queue to another; return how many.

    A message leaves the first queue only after the second has it, so none is lost; one may come twice when
    this is interrupted, which event ids make harmless. Raises OperatorError when the queue refuses messages.
    """
    moved = 0
    while messages := sqs.receive_message(
        QueueUrl=dead_letters, MaxNumberOfMessages=BATCH, WaitTimeSeconds=1
    ).get("Messages"):
        entries = [{"Id": str(n), "MessageBody": message["Body"]} for n, message in enumerate(messages)]
        sent = sqs.send_message_batch(QueueUrl=queue, Entries=entries)
        done = {entry["Id"] for entry in sent.get("Successful", [])}
        finished = [
            {"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]}
            for n, message in enumerate(messages)
            if str(n) in done
        ]
        if finished:
            sqs.delete_message_batch(QueueUrl=dead_letters, Entries=finished)
        if sent.get("Failed"):
            raise OperatorError(f"{moved} sent again, then the queue refused: {sent['Failed'][0]['Message']}")
        moved += len(finished)
    return moved
