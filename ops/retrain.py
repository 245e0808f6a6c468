"""`ops retrain`: prepare the data and train on it, as the schedules do, and watch it."""

from __future__ import annotations

import argparse
from typing import Any

from ops import executions
from ops.deployment import Deployment
from ops.terminal import Terminal
from ops.transitions import billed


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("retrain", help="prepare the data and train on it, now")
    parser.add_argument("--recipe", action="append", help="train this recipe only (may be given again)")
    parser.add_argument("--update", action="store_true", help="import what is new, train in UPDATE mode")
    parser.add_argument("--tune", action="store_true", help="search hyperparameters again")
    parser.add_argument("--compare", action="store_true", help="compare the settings of recency_mask again")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Run the machines one after the other and print what each recipe's version came to."""
    terminal, deployment = Terminal(), Deployment(arguments.config)
    states = deployment.client("stepfunctions")
    mode = "UPDATE" if arguments.update else "FULL"
    preparing = executions.start(deployment, "PrepareDataStateMachine", {"mode": mode})
    prepared = executions.follow(states, terminal, preparing)
    training = executions.start(
        deployment,
        "TrainStateMachine",
        wish(arguments, mode) | {"manifestUri": prepared["manifestUri"]},
    )
    trained = executions.follow(states, terminal, training)
    rows = [
        (key, version["promoted"], version["solutionVersionArn"] or "not asked for")
        for key, version in trained["versions"].items()
    ]
    terminal.table(("recipe", "promoted", "version"), rows)
    counts = [billed(states, execution) for execution in (preparing, training)]
    terminal.say(f"\n  {sum(counts)} billed state transitions: {counts[0]} to prepare, {counts[1]} to train")


def wish(arguments: argparse.Namespace, mode: str) -> dict[str, Any]:
    """Return what the command line asks for, as the training's execution input says it."""
    asked: dict[str, Any] = {"mode": mode, "tune": arguments.tune, "compare": arguments.compare}
    return asked | ({"recipes": arguments.recipe} if arguments.recipe else {})
