"""Dead letters come back without loss."""

from __future__ import annotations

import boto3
import pytest
from moto import mock_aws

from ops.__main__ import main
from ops.redrive import redrive


@mock_aws
def test_every_dead_letter_is_sent_again() -> None:
    sqs = boto3.client("sqs", region_name="ap-south-1")
    dead, queue = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("dead", "queue"))
    for number in range(23):
        sqs.send_message(QueueUrl=dead, MessageBody=f"event {number}")
    assert redrive(sqs, dead_letters=dead, queue=queue) == 23
    bodies: set[str] = set()
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        bodies |= {message["Body"] for message in messages}
    assert bodies == {f"event {number}" for number in range(23)}
    assert redrive(sqs, dead_letters=dead, queue=queue) == 0


def test_it_is_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["redrive", "--help"])
    assert ended.value.code == 0
    assert "redrive" in capsys.readouterr().out
