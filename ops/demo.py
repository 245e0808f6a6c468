"""`ops demo`: the whole product on one machine, from raw data to a coupon campaign, in one command."""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ops import executions
from ops.api_client import ApiClient
from ops.campaign import show
from ops.demo_story import tell
from ops.deployment import Deployment
from ops.local_cloud import ROOT, LocalCloud, run_logged, running, synthesise
from ops.memory import PeakMemory
from ops.terminal import Terminal

METRICS = (
    "normalized_discounted_cumulative_gain_at_10",
    "precision_at_10",
    "mean_reciprocal_rank_at_25",
    "coverage",
)
GIB = 2**30


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("demo", help="run the whole flow on localcloud and show what comes out")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Start localcloud on a free port, deploy, run every step, print the results and write summary.json."""
    terminal = Terminal()
    demo_dir = ROOT / "build" / "demo"
    deployment = Deployment(arguments.config)
    with (
        PeakMemory().watching() as memory,
        running(port=0, region=deployment.config.region, log_dir=demo_dir) as cloud,
    ):
        terminal.step(f"localcloud is up at {cloud.endpoint_url}")
        summary = {"config": arguments.config, **_whole_flow(deployment, cloud, terminal)}
    summary |= {
        "seconds": round(terminal.elapsed_seconds, 1),
        "peakMemoryGiB": round(memory.peak_bytes / GIB, 2),
    }
    path = demo_dir / "summary.json"
    path.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    terminal.heading("Done")
    terminal.say(f"  {summary['seconds']} s, peak memory {summary['peakMemoryGiB']} GiB")
    terminal.say(f"  everything above, and where each artefact lies: {path.relative_to(ROOT)}")


def _whole_flow(deployment: Deployment, cloud: LocalCloud, terminal: Terminal) -> dict[str, Any]:
    _deploy_beside_sample_data(deployment, cloud, terminal)
    terminal.step(f"{upload(deployment, _raw_dir(cloud))} raw files uploaded")
    terminal.step("preparing the data: curate, attribute statistics, Athena statements, export")
    prepared = executions.run(deployment, terminal, output="PrepareDataStateMachine", execution_input={})
    terminal.step("training the recipes side by side, the first time with HPO")
    trained = executions.run(
        deployment,
        terminal,
        output="TrainStateMachine",
        execution_input={"manifestUri": prepared["manifestUri"]},
    )
    metrics = _show_metrics(deployment, terminal, trained["versions"])
    story = tell(deployment, ApiClient.of(deployment), terminal)
    terminal.step("running the coupon campaign: batch ranking, then targeting under the budget")
    campaign = executions.run(deployment, terminal, output="CampaignStateMachine", execution_input={})
    report = show(deployment, terminal, campaign)
    return {"data": prepared, "metrics": metrics, **story, "campaign": {**campaign, **report}}


def _deploy_beside_sample_data(deployment: Deployment, cloud: LocalCloud, terminal: Terminal) -> None:
    """Make the raw data while the app is synthesised and deployed: neither needs the other."""
    assembly = cloud.log_dir / "cdk.out"
    with ThreadPoolExecutor() as pool:
        generated: Future[None] = pool.submit(
            run_logged,
            [sys.executable, "-m", "sample_data", deployment.config_name, "--out", str(_raw_dir(cloud))],
            cloud.log_dir / "sample_data.log",
            {},
        )
        with terminal.timed("cdk synth, with cdk-nag (and the raw data beside it)"):
            synthesise(deployment.config_name, assembly, cloud.log_dir)
        with terminal.timed("cdk bootstrap and cdk deploy --all"):
            cloud.deploy(deployment.config_name, assembly)
        generated.result()
    cloud.point_this_process()


def upload(deployment: Deployment, raw_dir: Path) -> int:
    """Copy a folder of raw files to the raw bucket under the same names; return how many."""
    s3, bucket = deployment.client("s3"), deployment.output("RawBucket")
    files = sorted(path for path in raw_dir.rglob("*") if path.is_file())
    for path in files:
        s3.upload_file(str(path), bucket, path.relative_to(raw_dir).as_posix())
    return len(files)


def _raw_dir(cloud: LocalCloud) -> Path:
    return cloud.log_dir / "raw"


def _show_metrics(
    deployment: Deployment, terminal: Terminal, versions: dict[str, Any]
) -> dict[str, dict[str, float]]:
    terminal.heading("Offline metrics, by Amazon Personalize's split (10% of users held out)")
    personalize = deployment.client("personalize")
    metrics: dict[str, dict[str, float]] = {
        key: personalize.get_solution_metrics(solutionVersionArn=version["solutionVersionArn"])["metrics"]
        for key, version in versions.items()
    }
    terminal.table(
        ("recipe", *METRICS), [(key, *(row[name] for name in METRICS)) for key, row in metrics.items()]
    )
    return metrics
