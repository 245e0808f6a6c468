"""The app deployed once to a localcloud of its own, for all tests that need the whole of it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ops import executions
from ops.api_client import ApiClient
from ops.demo import upload
from ops.deployment import Deployment
from ops.local_cloud import LocalCloud, run_logged, running, synthesise
from ops.terminal import Terminal

SAMPLE_USERS = 600


@dataclass
class DeployedApp:
    """A deployment on localcloud and what has been run on it so far."""

    deployment: Deployment
    cloud: LocalCloud
    assembly: Path
    prepared: dict[str, Any] = field(default_factory=dict)
    trained: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.deployment.name

    @property
    def data_version(self) -> str:
        return str(self.prepared["dataVersion"])

    @property
    def manifest(self) -> dict[str, Any]:
        return dict(json.loads(self.read_text(self.prepared["manifestUri"])))

    @property
    def api(self) -> ApiClient:
        return ApiClient.of(self.deployment)

    def client(self, service: str) -> Any:
        return self.deployment.client(service)

    def output(self, key: str) -> str:
        return self.deployment.output(key)

    def read_text(self, uri: str) -> str:
        bucket, key = uri.removeprefix("s3://").split("/", 1)
        return str(self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode())

    def read_json(self, bucket: str, key: str) -> Any:
        return json.loads(self.read_text(f"s3://{bucket}/{key}"))

    def execute(self, machine: str, execution_input: dict[str, Any]) -> dict[str, Any]:
        return dict(
            executions.run(self.deployment, Terminal(), output=machine, execution_input=execution_input)
        )

    def personalize_resources(self) -> dict[str, list[str]]:
        """Every ARN of the deployment's solutions, versions, campaigns, filters and trackers."""
        personalize = self.client("personalize")
        lists = {
            "list_solutions": ("solutions", "solutionArn"),
            "list_solution_versions": ("solutionVersions", "solutionVersionArn"),
            "list_campaigns": ("campaigns", "campaignArn"),
            "list_dataset_import_jobs": ("datasetImportJobs", "datasetImportJobArn"),
            "list_filters": ("Filters", "filterArn"),
            "list_event_trackers": ("eventTrackers", "eventTrackerArn"),
        }
        return {
            key: sorted(row[arn] for page in personalize.get_paginator(call).paginate() for row in page[key])
            for call, (key, arn) in lists.items()
        }


@pytest.fixture(scope="session")
def deployed_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedApp]:
    """The travel app deployed by the CDK command line, with a small travel history in its raw bucket."""
    log_dir = tmp_path_factory.mktemp("deployed")
    deployment = Deployment("travel")
    environment = dict(os.environ)
    with running(port=0, region=deployment.config.region, log_dir=log_dir) as cloud:
        assembly = log_dir / "cdk.out"
        synthesise("travel", assembly, log_dir)
        cloud.deploy("travel", assembly)
        cloud.point_this_process()
        _fill_raw_bucket(deployment, log_dir)
        yield DeployedApp(deployment, cloud, assembly)
    os.environ.clear()
    os.environ.update(environment)


@pytest.fixture(scope="session")
def prepared_app(deployed_app: DeployedApp) -> DeployedApp:
    """The deployed app after its prepare-data machine has run."""
    deployed_app.prepared = deployed_app.execute("PrepareDataStateMachine", {})
    return deployed_app


@pytest.fixture(scope="session")
def trained_app(prepared_app: DeployedApp) -> DeployedApp:
    """The deployed app after its training machine has run."""
    prepared_app.trained = prepared_app.execute(
        "TrainStateMachine", {"manifestUri": prepared_app.prepared["manifestUri"]}
    )
    return prepared_app


def _fill_raw_bucket(deployment: Deployment, log_dir: Path) -> None:
    raw_dir = log_dir / "raw"
    command = [
        sys.executable,
        "-m",
        "sample_data",
        "travel",
        "--out",
        str(raw_dir),
        "--users",
        str(SAMPLE_USERS),
    ]
    run_logged(command, log_dir / "sample_data.log", {})
    upload(deployment, raw_dir)
