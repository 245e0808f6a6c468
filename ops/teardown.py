"""`ops teardown`: remove what the state machines made, in the order of its dependencies."""

from __future__ import annotations

import argparse
from typing import Any

from ops import executions
from ops.deployment import Deployment
from ops.terminal import Terminal


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "teardown", help="remove every Personalize resource of the deployment (then: npx cdk destroy --all)"
    )
    parser.add_argument("--empty-buckets", action="store_true", help="also delete everything in the buckets")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Let the teardown machine delete what is in Personalize and Parameter Store; then empty the buckets."""
    terminal, deployment = Terminal(), Deployment(arguments.config)
    executions.run(deployment, terminal, output="TeardownStateMachine", execution_input={})
    if arguments.empty_buckets:
        empty_buckets(deployment)
        terminal.step("emptied the buckets")
    terminal.step("nothing is left in Personalize")


def empty_buckets(deployment: Deployment) -> None:
    """Delete every version of every object, so that `cdk destroy` can remove the buckets."""
    s3 = deployment.client("s3")
    for output in ("RawBucket", "DatasetsBucket", "ResultsBucket"):
        bucket = deployment.output(output)
        # What is deleted from here on would be logged into the bucket that is to be emptied last.
        s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={})
        _empty(s3, bucket)
    _empty(s3, deployment.output("AccessLogsBucket"))


def _empty(s3: Any, bucket: str) -> None:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        objects = [
            {"Key": version["Key"], "VersionId": version["VersionId"]}
            for version in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        ]
        if objects:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
