"""`ops rollback`: the campaign of a recipe goes back to an earlier version."""

from __future__ import annotations

import argparse

from ops import executions
from ops.deployment import Deployment
from ops.terminal import Terminal


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("rollback", help="let a recipe's campaign serve an earlier version again")
    parser.add_argument("--recipe", required=True, help="the recipe's key, as user-personalization")
    parser.add_argument(
        "--to", help="the version, as `ops report` names it (default: the one promoted before)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Run the rollback machine and say what serves now."""
    terminal, deployment = Terminal(), Deployment(arguments.config)
    wish = {"recipe": arguments.recipe, **({"to": arguments.to} if arguments.to else {})}
    done = executions.run(deployment, terminal, output="RollbackStateMachine", execution_input=wish)
    terminal.say(f"\n{done['recipe']} serves {done['solutionVersionArn']} again, not {done['replaced']}.")
