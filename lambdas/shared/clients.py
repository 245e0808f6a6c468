"""AWS clients with bounded waits, made once a container."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

CONNECT_SECONDS = 1.0


@cache
def client(service: str, read_seconds: float = 5.0, attempts: int = 3) -> Any:
    """Return a client that gives up after `attempts` tries of at most `read_seconds` each.

    Parameters are not checked again: what reaches a client has been validated.
    """
    return boto3.client(
        service,
        config=Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=read_seconds,
            retries={"total_max_attempts": attempts, "mode": "standard"},
            parameter_validation=False,
            max_pool_connections=10,
        ),
    )


def read_object(uri: str) -> bytes:
    """Return the content of an `s3://bucket/key`."""
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    body: bytes = client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body
