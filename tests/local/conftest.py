"""A localcloud for the tests: one process for the whole session, on a free port."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.local.deployed_api import deployed_api, interactions
from tests.local.deployed_app import deployed_app, prepared_app, trained_app

__all__ = ["deployed_api", "deployed_app", "interactions", "prepared_app", "trained_app"]

ROOT = Path(__file__).parent.parent.parent
REGION = "ap-south-1"


@dataclass
class LocalCloudServer:
    """A running localcloud and the environment that sends clients to it."""

    endpoint_url: str
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": "localcloud",
            "AWS_SECRET_ACCESS_KEY": "localcloud",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.endpoint_url,
            aws_access_key_id="localcloud",
            aws_secret_access_key="localcloud",
        )


@pytest.fixture(scope="session")
def localcloud_server() -> Iterator[LocalCloudServer]:
    """Start localcloud, wait for its ready line, and see it stop cleanly at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "localcloud", "--port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("localcloud ready at "), line
    yield LocalCloudServer(line.split()[-1])
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
