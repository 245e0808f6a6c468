"""Kill the training at every one of its states, start it again, and see the same resources as undisturbed.

Two clouds train on the same datasets. In the first nothing goes wrong. In the second every state of the
training machines kills the execution that enters it first (docs/fault-injection.md), and the next execution
has to go on from what that left. In the end both must have the same resources, and as many.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import urllib3

from benchmarks.report import Figure, write_results
from ops import executions
from ops.demo import upload
from ops.deployment import Deployment
from ops.local_cloud import LocalCloud, run_logged, running, synthesise
from ops.terminal import Terminal

CONFIG = "travel"
USERS = 600
BUILD = Path(__file__).parent.parent / "build" / "resilience"
MACHINES = ("travel-train", "travel-train-recipe")
MOST_TRANSITIONS = 400

Objects = dict[str, bytes]


def main() -> None:
    """Run both clouds and compare."""
    terminal = Terminal()
    assembly = BUILD / "cdk.out"
    synthesise(CONFIG, assembly, BUILD)
    with deployed("undisturbed", assembly) as (cloud, deployment):
        objects, manifest_uri = _prepared(deployment, cloud, terminal)
        execution_arn, _ = _train(deployment, manifest_uri)
        transitions, waited = _cost(deployment, execution_arn)
        expected = _resources(deployment)
    with deployed("disturbed", assembly) as (cloud, deployment):
        _put_objects(deployment, objects)
        killed = _disturb(deployment, cloud, manifest_uri, terminal)
        _, status = _train(deployment, manifest_uri)
        found = _resources(deployment)
    write_results(
        "resilience",
        [
            Figure("states at which an execution was killed", len(killed), "states"),
            Figure("last execution succeeded", float(status == "SUCCEEDED"), "1 is yes", "== 1"),
            Figure("resources as undisturbed", float(found == expected), "1 is yes", "== 1"),
            Figure("state transitions of a training", transitions, "transitions", f"<= {MOST_TRANSITIONS}"),
            Figure("waiting past the end of a job", waited, "of the run", "<= 0.05"),
        ],
        packages=("moto",),
        killed=killed,
        resources=dict(found),
        missing=dict(expected - found),
        extra=dict(found - expected),
    )


@contextmanager
def deployed(name: str, assembly: Path) -> Iterator[tuple[LocalCloud, Deployment]]:
    """A fresh localcloud with the app deployed, and this process pointed to it."""
    deployment = Deployment(CONFIG)
    with running(port=0, region=deployment.config.region, log_dir=BUILD / name) as cloud:
        cloud.deploy(CONFIG, assembly)
        cloud.point_this_process()
        yield cloud, deployment


def _prepared(deployment: Deployment, cloud: LocalCloud, terminal: Terminal) -> tuple[Objects, str]:
    """Prepare sample data; return what lies in the datasets bucket, and the manifest's URI."""
    raw = cloud.log_dir / "raw"
    command = [sys.executable, "-m", "sample_data", CONFIG, "--out", str(raw), "--users", str(USERS)]
    run_logged(command, cloud.log_dir / "sample_data.log", {})
    upload(deployment, raw)
    prepared = executions.run(deployment, terminal, output="PrepareDataStateMachine", execution_input={})
    s3, bucket = deployment.client("s3"), deployment.output("DatasetsBucket")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    objects = {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}
    return objects, prepared["manifestUri"]


def _put_objects(deployment: Deployment, objects: Objects) -> None:
    s3, bucket = deployment.client("s3"), deployment.output("DatasetsBucket")
    for key, body in objects.items():
        s3.put_object(Bucket=bucket, Key=key, Body=body)


def _disturb(deployment: Deployment, cloud: LocalCloud, manifest_uri: str, terminal: Terminal) -> list[str]:
    """Let every state kill the execution that enters it first; train until none is left to kill.

    Each execution gets one state further than all before it, so there are as many as states that are entered.
    Returns the states that killed, in that order.
    """
    faults = f"{cloud.endpoint_url}/_localcloud/faults"
    for machine, state in _states(deployment):
        urllib3.request("POST", faults, body=json.dumps({"stateMachine": machine, "state": state}))
    killed: list[str] = []
    while True:
        _, status = _train(deployment, manifest_uri)
        happened = [
            f"{fault['stateMachine']}: {fault['state']}"
            for fault in urllib3.request("GET", faults).json()["faults"]
            if fault["happened"]
        ]
        new = [state for state in happened if state not in killed]
        if not new:
            return killed
        killed += new
        terminal.step(f"{status} at {', '.join(new)}")


def _states(deployment: Deployment) -> list[tuple[str, str]]:
    states = deployment.client("stepfunctions")
    machines = {
        machine["name"]: machine["stateMachineArn"]
        for page in states.get_paginator("list_state_machines").paginate()
        for machine in page["stateMachines"]
    }
    return [
        (name, state)
        for name in MACHINES
        for state in _names(
            json.loads(states.describe_state_machine(stateMachineArn=machines[name])["definition"])
        )
    ]


def _names(definition: dict[str, Any]) -> list[str]:
    """Return the names of all states of a definition, those of branches and iterations too."""
    names = []
    for name, state in definition["States"].items():
        names.append(name)
        inner = [*state.get("Branches", []), state.get("ItemProcessor"), state.get("Iterator")]
        names += [found for part in inner if part for found in _names(part)]
    return names


def _train(deployment: Deployment, manifest_uri: str) -> tuple[str, str]:
    """Run a training to its end; return its execution and how it ended."""
    states = deployment.client("stepfunctions")
    execution: str = states.start_execution(
        stateMachineArn=deployment.output("TrainStateMachine"),
        input=json.dumps({"manifestUri": manifest_uri}),
    )["executionArn"]
    while (status := states.describe_execution(executionArn=execution)["status"]) == "RUNNING":
        time.sleep(0.2)
    _let_children_end(states)
    return execution, status


def _let_children_end(states: Any) -> None:
    """Wait for executions that a killed parent left running: nobody starts a training beside another."""
    for page in states.get_paginator("list_state_machines").paginate():
        for machine in page["stateMachines"]:
            arn = machine["stateMachineArn"]
            while states.list_executions(stateMachineArn=arn, statusFilter="RUNNING")["executions"]:
                time.sleep(0.2)


def _cost(deployment: Deployment, execution_arn: str) -> tuple[int, float]:
    """Return the state transitions of a training with its children, and the share of time waited in vain.

    In vain is what of a Wait state came after the thing waited for was done: at most its last round.
    """
    states = deployment.client("stepfunctions")
    transitions, waited = 0, 0.0
    described = states.describe_execution(executionArn=execution_arn)
    total = (described["stopDate"] - described["startDate"]).total_seconds()
    for arn in [execution_arn, *_children(states)]:
        pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
        events = [event for page in pages for event in page["events"]]
        transitions += sum(event["type"].endswith("StateEntered") for event in events)
        waited = max(waited, _last_waits(events))
    return transitions, waited / total


def _children(states: Any) -> list[str]:
    return [
        execution["executionArn"]
        for page in states.get_paginator("list_state_machines").paginate()
        for machine in page["stateMachines"]
        if machine["name"] == MACHINES[1]
        for execution in states.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]
    ]


def _last_waits(events: list[dict[str, Any]]) -> float:
    """Return half of each wait's last round: what, on average, it lasted longer than needed."""
    entered: dict[str, Any] = {}
    last: dict[str, float] = {}
    for event in events:
        if event["type"] == "WaitStateEntered":
            entered[event["stateEnteredEventDetails"]["name"]] = event["timestamp"]
        elif event["type"] == "WaitStateExited":
            name = event["stateExitedEventDetails"]["name"]
            last[name] = (event["timestamp"] - entered[name]).total_seconds()
    return sum(last.values()) / 2


def _resources(deployment: Deployment) -> Counter[str]:
    """Count the deployment's Personalize resources by kind and name; versions by their solution."""
    personalize = deployment.client("personalize")
    lists = {
        "list_dataset_groups": ("datasetGroups", "datasetGroupArn"),
        "list_schemas": ("schemas", "schemaArn"),
        "list_datasets": ("datasets", "datasetArn"),
        "list_dataset_import_jobs": ("datasetImportJobs", "jobName"),
        "list_solutions": ("solutions", "solutionArn"),
        "list_solution_versions": ("solutionVersions", "solutionVersionArn"),
        "list_campaigns": ("campaigns", "campaignArn"),
        "list_filters": ("Filters", "filterArn"),
        "list_event_trackers": ("eventTrackers", "name"),
    }
    found: Counter[str] = Counter()
    for call, (key, field) in lists.items():
        for page in personalize.get_paginator(call).paginate():
            for row in page[key]:
                name = row[field].rsplit("/", 1)[0] if key == "solutionVersions" else row[field]
                found[f"{key}: {name}"] += 1
    return found


if __name__ == "__main__":
    main()
