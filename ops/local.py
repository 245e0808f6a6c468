"""`ops local`: leave localcloud running with the app deployed, and say how to use it."""

from __future__ import annotations

import argparse
import signal
import sys

from ops.deployment import Deployment
from ops.local_cloud import ROOT, LocalCloud, running, synthesise
from ops.terminal import Terminal


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("local", help="run localcloud with the app deployed, until Ctrl-C")
    parser.add_argument("--port", type=int, default=4566)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Start localcloud, deploy the app, print the environment, and stay."""
    terminal = Terminal()
    log_dir = ROOT / "build" / "local"
    deployment = Deployment(arguments.config)
    with running(port=arguments.port, region=deployment.config.region, log_dir=log_dir) as cloud:
        terminal.step(f"localcloud is up at {cloud.endpoint_url}")
        deploy(arguments.config, cloud, terminal)
        _explain(deployment, cloud, terminal)
        _wait_for_interrupt()
    terminal.step("stopped")


def deploy(config_name: str, cloud: LocalCloud, terminal: Terminal) -> None:
    """Synthesise and deploy the app, and point this process's AWS clients at the cloud."""
    assembly = cloud.log_dir / "cdk.out"
    with terminal.timed("cdk synth"):
        synthesise(config_name, assembly, cloud.log_dir)
    with terminal.timed("cdk bootstrap and cdk deploy --all"):
        cloud.deploy(config_name, assembly)
    cloud.point_this_process()


def _explain(deployment: Deployment, cloud: LocalCloud, terminal: Terminal) -> None:
    terminal.heading("Use it from another terminal")
    for name, value in cloud.environment.items():
        terminal.say(f"export {name}={value}")
    url, host = deployment.api_address
    terminal.say(f"export API_HOST={host}\nexport API_URL={url}\nexport API_KEY={deployment.api_key}")
    machine = deployment.output("RetrainStateMachine")
    terminal.heading("For example")
    terminal.say(
        f"{sys.executable} -m sample_data {deployment.config_name} --upload s3://{deployment.output('RawBucket')}/"
    )
    terminal.say(f"aws stepfunctions start-execution --state-machine-arn {machine}")
    terminal.say("aws personalize list-campaigns")
    terminal.say('curl -H "Host: $API_HOST" -H "x-api-key: $API_KEY" "$API_URL/users/u1/recommendations"')
    terminal.say("\nCtrl-C stops it.")


def _wait_for_interrupt() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        signal.pause()
    except KeyboardInterrupt:
        return
