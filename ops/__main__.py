"""`python -m ops`: one sub-command a module, each with `register(subparsers)`."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from ops.errors import OperatorError

COMMANDS = (
    "demo",
    "local",
    "recommend",
    "retrain",
    "report",
    "rollback",
    "campaign",
    "forget",
    "redrive",
    "estimate",
    "teardown",
)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; a problem the operator can act on is one message and exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m ops", description=__doc__)
    parser.add_argument("--config", default="travel", help="configuration file in config/ (default: travel)")
    subparsers = parser.add_subparsers(required=True, metavar="command")
    for name in COMMANDS:
        import_module(f"ops.{name}").register(subparsers)
    parsed = parser.parse_args(arguments)
    try:
        result = parsed.run(parsed)
    except OperatorError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return int(result or 0)


if __name__ == "__main__":
    sys.exit(main())
