"""AWS clients with bounded waits, made once a container."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

CONNECT_SECONDS = 1.0
# How long a client of a request with a deadline may take: the longest of these that fits.
BOUNDS = (3.0, 2.0, 1.5, 1.0, 0.7, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05)
CONNECT_SHARE = 0.3


@cache
def client(
    service: str, read_seconds: float = 5.0, attempts: int = 3, connect_seconds: float = CONNECT_SECONDS
) -> Any:
    """Return a client that gives up after `attempts` tries of at most `read_seconds` each.

    Parameters are not checked again: what reaches a client has been validated.
    """
    return boto3.client(
        service,
        config=Config(
            connect_timeout=connect_seconds,
            read_timeout=read_seconds,
            retries={"total_max_attempts": attempts, "mode": "standard"},
            parameter_validation=False,
            max_pool_connections=10,
        ),
    )


def within(service: str, seconds: float) -> Any:
    """Return a client that tries once and gives up within the seconds (but takes 50 ms at the least)."""
    bound = next((bound for bound in BOUNDS if bound <= seconds), BOUNDS[-1])
    connect_seconds = bound * CONNECT_SHARE
    return client(service, bound - connect_seconds, 1, connect_seconds)


def read_object(uri: str, s3: Any = None) -> bytes:
    """Return the content of an `s3://bucket/key`."""
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    body: bytes = (s3 or client("s3")).get_object(Bucket=bucket, Key=key)["Body"].read()
    return body
