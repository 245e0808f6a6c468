"""`ops forget`: remove users from the raw files, from all that was made of them, and from Personalize."""

from __future__ import annotations

import argparse
import uuid
from pathlib import Path
from typing import Any

from ops import executions
from ops.deployment import Deployment
from ops.errors import OperatorError
from ops.terminal import Terminal


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("forget", help="delete users' data everywhere (then retrain)")
    parser.add_argument("user_ids", nargs="*", metavar="USER_ID")
    parser.add_argument("--file", type=Path, help="a text file with one user id a line")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Forget the users named, and print what was deleted."""
    user_ids = named_users(arguments.user_ids, arguments.file)
    terminal = Terminal()
    forgotten = forget(Deployment(arguments.config), terminal, user_ids)
    rows = [(found["datasetGroup"], found["records"]) for found in forgotten["deleted"].values()]
    terminal.table(("dataset group", "records deleted"), rows)
    terminal.step(
        f"{len(user_ids)} users forgotten; models forget them with their next training: ops retrain"
    )


def forget(deployment: Deployment, terminal: Terminal, user_ids: list[str]) -> dict[str, Any]:
    """Run the forget-users machine on the users; return its output."""
    s3, bucket = deployment.client("s3"), deployment.output("DatasetsBucket")
    key = f"privacy/requests/{uuid.uuid4()}.txt"
    s3.put_object(Bucket=bucket, Key=key, Body="\n".join(user_ids).encode())
    try:
        return dict(
            executions.run(
                deployment,
                terminal,
                output="ForgetUsersStateMachine",
                execution_input={"userIdsUri": f"s3://{bucket}/{key}"},
            )
        )
    finally:
        # the request names those who want to be forgotten
        s3.delete_object(Bucket=bucket, Key=key)


def named_users(user_ids: list[str], file: Path | None) -> list[str]:
    """Return the users named on the command line and in the file.

    Raises OperatorError when the file cannot be read, or nobody is named.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines() if file else []
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(
            f"--file {file}: {error}; it must be a text file with one user id a line"
        ) from error
    named = sorted({user_id.strip() for user_id in [*user_ids, *lines]} - {""})
    if not named:
        raise OperatorError("no user is named: give user ids, or --file with one a line")
    return named
