"""Kill the training at every one of its states, start it again, and see the same resources as undisturbed.

Two clouds train on the same datasets. In the first nothing goes wrong; there the waiting and the transitions
of a retraining are measured, and the gate is shown. In the second every state of the training machines kills
the execution that enters it first (docs/fault-injection.md), and the next execution has to go on from what
that left. In the end both must have the same resources, and as many.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import urllib3

from benchmarks.aws_lengths import TRANSITIONS_A_LOOK, project
from benchmarks.critical_path import looks, waited_in_vain
from benchmarks.gate_story import GateStory
from benchmarks.report import Figure, write_results
from benchmarks.training_data import Objects, enlarged, read_objects, renamed, write_objects
from ops import executions
from ops.demo import upload
from ops.deployment import Deployment
from ops.local_cloud import ACCOUNT_ID, LocalCloud, run_logged, running, synthesise
from ops.terminal import Terminal
from ops.transitions import billed, events, family

CONFIG = "travel"
USERS = 600
ENLARGED_TIMES = 10
BUILD = Path(__file__).parent.parent / "build" / "resilience"
MACHINES = ("travel-train", "travel-train-recipe", "travel-compare", "travel-retire")
MOST_TRANSITIONS = 400


def main() -> None:
    """Run both clouds and compare."""
    terminal = Terminal()
    assembly = BUILD / "cdk.out"
    synthesise(CONFIG, assembly, BUILD)
    with deployed("undisturbed", assembly) as (cloud, deployment):
        manifest_uri = _prepared(deployment, cloud, terminal)
        objects = read_objects(deployment)
        terminal.step("training undisturbed")
        _, status = _train(deployment, manifest_uri)
        expected = _resources(deployment)
        story = GateStory(deployment, objects, manifest_uri, terminal).tell()
        retraining = _retraining(deployment, objects, manifest_uri, terminal)
    with deployed("disturbed", assembly) as (cloud, deployment):
        write_objects(deployment, objects)
        killed, never = _disturb(deployment, cloud, manifest_uri, terminal)
        _, last = _train(deployment, manifest_uri)
        found = _resources(deployment)
    write_results(
        "resilience",
        [
            Figure("states at which an execution was killed", len(killed), "states"),
            Figure(
                "undisturbed and last execution succeeded",
                float(status == last == "SUCCEEDED"),
                "1 is yes",
                "== 1",
            ),
            Figure("resources as undisturbed", float(found == expected), "1 is yes", "== 1"),
            *story.figures(),
            *retraining,
        ],
        packages=("moto",),
        killed=killed,
        entered_by_no_execution=never,
        gate=story.told,
        resources=dict(found),
        missing=dict(expected - found),
        extra=dict(found - expected),
    )


@contextmanager
def deployed(name: str, assembly: Path) -> Iterator[tuple[LocalCloud, Deployment]]:
    """A fresh localcloud with the training and what it needs deployed, and this process pointed to it."""
    deployment = Deployment(CONFIG)
    with running(port=0, region=deployment.config.region, log_dir=BUILD / name) as cloud:
        region = deployment.config.region
        cloud.cdk("bootstrap", f"aws://{ACCOUNT_ID}/{region}", "--app", str(assembly), log="bootstrap")
        stack, config = f"{deployment.name}-training", f"config={CONFIG}"
        approve = ("--require-approval", "never", "--progress", "events")
        cloud.cdk("deploy", stack, "--app", str(assembly), *approve, "-c", config, log="deploy")
        cloud.point_this_process()
        yield cloud, deployment


def _prepared(deployment: Deployment, cloud: LocalCloud, terminal: Terminal) -> str:
    """Prepare sample data; return the manifest's URI."""
    raw = cloud.log_dir / "raw"
    command = [sys.executable, "-m", "sample_data", CONFIG, "--out", str(raw), "--users", str(USERS)]
    run_logged(command, cloud.log_dir / "sample_data.log", {})
    upload(deployment, raw)
    prepared = executions.run(deployment, terminal, output="PrepareDataStateMachine", execution_input={})
    return str(prepared["manifestUri"])


def _retraining(
    deployment: Deployment, objects: Objects, manifest_uri: str, terminal: Terminal
) -> list[Figure]:
    """Train twice on more data: the second time the waits are learnt, as in all retrainings but the first."""
    for version in ("large-1", "large-2"):
        terminal.step(f"training on {ENLARGED_TIMES} times the users: {version}")
        large, uri = renamed(enlarged(objects, ENLARGED_TIMES), manifest_uri, version)
        write_objects(deployment, large)
        execution, _ = _train(deployment, uri)
    states = deployment.client("stepfunctions")

    @cache
    def history(arn: str) -> list[dict[str, Any]]:
        return events(states, arn)

    described = states.describe_execution(executionArn=execution)
    seconds = (described["stopDate"] - described["startDate"]).total_seconds()
    transitions = billed(states, execution)
    # What comes before and after the work, not counting how often it is looked at.
    fixed = transitions - TRANSITIONS_A_LOOK * looks(history, family(states, execution))
    on_aws = project(deployment.config.training.waiting.first_seconds)
    most = f"<= {MOST_TRANSITIONS}"
    return [
        Figure("seconds of a retraining", seconds, "s"),
        Figure(
            "waiting past the end of a job, on the critical path",
            waited_in_vain(history, execution) / seconds,
            "of the run",
            "<= 0.05",
        ),
        Figure("state transitions of a retraining", transitions, "transitions", most),
        Figure(
            "the same with Amazon's lengths, calculated",
            fixed + TRANSITIONS_A_LOOK * on_aws.looks,
            "transitions",
            most,
        ),
        Figure("waiting with Amazon's lengths, calculated", on_aws.waited_share, "of the run", "<= 0.05"),
    ]


def _disturb(
    deployment: Deployment, cloud: LocalCloud, manifest_uri: str, terminal: Terminal
) -> tuple[list[str], list[str]]:
    """Let every state kill the execution that enters it first; train until none is left to kill.

    Each execution gets one state further than all before it, so there are as many as states that are entered;
    recipes side by side are killed side by side. Returns the states that killed, in that order, and those
    that no execution entered: of failures, and of what only happens when something else does.
    """
    faults = f"{cloud.endpoint_url}/_localcloud/faults"
    for machine, state in _states(deployment):
        urllib3.request("POST", faults, body=json.dumps({"stateMachine": machine, "state": state}))
    killed: list[str] = []
    while True:
        _, status = _train(deployment, manifest_uri)
        listed = urllib3.request("GET", faults).json()["faults"]
        happened = [_named(fault) for fault in listed if fault["happened"]]
        new = [state for state in happened if state not in killed]
        if not new:
            return killed, [_named(fault) for fault in listed if not fault["happened"]]
        killed += new
        terminal.step(f"{status} at {', '.join(new)}")


def _named(fault: dict[str, Any]) -> str:
    return f"{fault['stateMachine']}: {fault['state']}"


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
    execution = executions.start(deployment, "TrainStateMachine", {"manifestUri": manifest_uri})
    while (status := states.describe_execution(executionArn=execution)["status"]) == "RUNNING":
        time.sleep(0.2)
    _let_children_end(states)
    return execution, str(status)


def _let_children_end(states: Any) -> None:
    """Wait for executions that a killed parent left running: nobody starts a training beside another."""
    for page in states.get_paginator("list_state_machines").paginate():
        for machine in page["stateMachines"]:
            arn = machine["stateMachineArn"]
            while states.list_executions(stateMachineArn=arn, statusFilter="RUNNING")["executions"]:
                time.sleep(0.2)


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
        "list_batch_inference_jobs": ("batchInferenceJobs", "jobName"),
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
