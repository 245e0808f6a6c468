"""A localcloud with a data folder that is killed in the middle of a training, and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.local.conftest import ROOT, LocalCloudServer
from tests.local.test_personalize import wait
from tests.unit.personalize.in_process import INTERACTIONS_SCHEMA, ROLE, interactions_csv


def start(data: Path) -> tuple[subprocess.Popen[str], LocalCloudServer]:
    process = subprocess.Popen(
        [sys.executable, "-m", "localcloud", "--port", "0", "--data", str(data)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    return process, LocalCloudServer(process.stdout.readline().split()[-1])


def import_and_train(server: LocalCloudServer) -> str:
    """Start a long training (an HPO of 40 trials) and return its ARN when the worker runs."""
    s3, personalize = server.client("s3"), server.client("personalize")
    s3.create_bucket(Bucket="raw", CreateBucketConfiguration={"LocationConstraint": "ap-south-1"})
    s3.put_object(Bucket="raw", Key="all.csv", Body=interactions_csv())
    group = personalize.create_dataset_group(name="killed")["datasetGroupArn"]
    wait(personalize.describe_dataset_group, "datasetGroup", datasetGroupArn=group)
    schema = personalize.create_schema(name="killed", schema=INTERACTIONS_SCHEMA)["schemaArn"]
    dataset = personalize.create_dataset(
        name="killed", schemaArn=schema, datasetGroupArn=group, datasetType="Interactions"
    )["datasetArn"]
    wait(personalize.describe_dataset, "dataset", datasetArn=dataset)
    job = personalize.create_dataset_import_job(
        jobName="killed", datasetArn=dataset, dataSource={"dataLocation": "s3://raw/all.csv"}, roleArn=ROLE
    )["datasetImportJobArn"]
    wait(personalize.describe_dataset_import_job, "datasetImportJob", datasetImportJobArn=job)
    solution = personalize.create_solution(
        name="killed",
        datasetGroupArn=group,
        recipeArn="arn:aws:personalize:::recipe/aws-user-personalization",
        performHPO=True,
        performAutoTraining=False,
        solutionConfig={"hpoConfig": {"hpoResourceConfig": {"maxNumberOfTrainingJobs": "40"}}},
    )["solutionArn"]
    wait(personalize.describe_solution, "solution", solutionArn=solution)
    return personalize.create_solution_version(solutionArn=solution)["solutionVersionArn"]


def worker_of(data: Path, version_arn: str) -> int:
    """Return the process id of the training, once it runs."""
    folder = str(data / "personalize" / "ap-south-1" / "models" / version_arn.split(":solution/")[1])
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                command = entry.read_bytes().decode().split("\0")
            except OSError:
                continue
            if folder in command:
                return int(entry.parent.name)
        time.sleep(0.1)
    raise TimeoutError("No training worker started.")


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the worker in /proc")
def test_a_training_that_a_kill_interrupts_has_failed_and_everything_else_is_there(tmp_path):
    process, server = start(tmp_path)
    try:
        version = import_and_train(server)
        worker = worker_of(tmp_path, version)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
    deadline = time.monotonic() + 20
    while is_running(worker) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not is_running(worker)
    process, server = start(tmp_path)
    try:
        personalize = server.client("personalize")
        found = personalize.describe_solution_version(solutionVersionArn=version)["solutionVersion"]
        assert found["status"] == "CREATE FAILED"
        assert found["failureReason"] == "localcloud was stopped while this was under way."
        assert personalize.list_datasets()["datasets"][0]["status"] == "ACTIVE"
        again = personalize.create_solution_version(solutionArn=found["solutionArn"])["solutionVersionArn"]
        personalize.stop_solution_version_creation(solutionVersionArn=again)
        stopped = wait(personalize.describe_solution_version, "solutionVersion", solutionVersionArn=again)
        assert stopped["status"] in {"CREATE STOPPED", "CREATE STOPPING"}
    finally:
        os.kill(process.pid, signal.SIGTERM)
        process.wait(timeout=30)
