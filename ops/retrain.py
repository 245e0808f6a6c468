"""`ops retrain`: prepare the data and train on it, as the schedule does, and watch it."""

from __future__ import annotations

import argparse

from ops import executions
from ops.deployment import Deployment
from ops.terminal import Terminal


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("retrain", help="prepare the data and train on it, now")
    parser.add_argument("--tune", action="store_true", help="search hyperparameters again")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Run the machines one after the other and print what each recipe's version came to."""
    terminal, deployment = Terminal(), Deployment(arguments.config)
    prepared = executions.run(deployment, terminal, output="PrepareDataStateMachine", execution_input={})
    trained = executions.run(
        deployment,
        terminal,
        output="TrainStateMachine",
        execution_input={"manifestUri": prepared["manifestUri"], "tune": arguments.tune},
    )
    rows = [
        (key, version["promoted"], version["solutionVersionArn"])
        for key, version in trained["versions"].items()
    ]
    terminal.table(("recipe", "promoted", "version"), rows)
