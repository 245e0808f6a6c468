"""`ops teardown`: remove what the state machines made, in the order of its dependencies."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from ops.deployment import Deployment
from ops.errors import OperatorError
from ops.terminal import Terminal

WAIT_SECONDS = 1800
POLL_SECONDS = 0.5


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "teardown", help="remove every Personalize resource of the deployment (then: npx cdk destroy --all)"
    )
    parser.add_argument("--empty-buckets", action="store_true", help="also delete everything in the buckets")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Remove campaigns, filters, trackers, solutions, datasets, schemas, dataset groups; then parameters."""
    terminal, deployment = Terminal(), Deployment(arguments.config)
    removed = remove_personalize(deployment, terminal)
    removed += remove_parameters(deployment)
    if arguments.empty_buckets:
        empty_buckets(deployment)
        terminal.step("emptied the buckets")
    terminal.step(f"{removed} resources removed")


def remove_personalize(deployment: Deployment, terminal: Terminal) -> int:
    """Delete the deployment's Personalize resources, each kind before what it depends on; return how many.

    Raises OperatorError when a resource is still there after half an hour.
    """
    personalize = deployment.client("personalize")
    names = {deployment.name, f"{deployment.name}-coupons"}
    groups = [
        group["datasetGroupArn"]
        for group in _all(personalize, "list_dataset_groups", "datasetGroups")
        if group["name"] in names
    ]
    removed = 0
    for kind, arns in _by_dependency(personalize, groups, deployment.name):
        for arn in arns:
            getattr(personalize, f"delete_{kind}")(**{f"{_camel(kind)}Arn": arn})
            terminal.step(f"deleting {arn}")
        for arn in arns:
            _wait_until_gone(personalize, kind, arn)
        removed += len(arns)
    return removed


def remove_parameters(deployment: Deployment) -> int:
    """Delete the tracking ids and tuned hyperparameters; return how many."""
    ssm = deployment.client("ssm")
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=f"/{deployment.name}/", Recursive=True)
    names = [parameter["Name"] for page in pages for parameter in page["Parameters"]]
    for name in names:
        ssm.delete_parameter(Name=name)
    return len(names)


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


def _by_dependency(personalize: Any, groups: list[str], name: str) -> Iterator[tuple[str, list[str]]]:
    """Yield (kind, ARNs), what depends on others first; each list is read when its turn comes."""

    def of_groups(operation: str, key: str, arn: str) -> list[str]:
        return [
            item[arn] for group in groups for item in _all(personalize, operation, key, datasetGroupArn=group)
        ]

    solutions = of_groups("list_solutions", "solutions", "solutionArn")
    campaigns = [
        campaign["campaignArn"]
        for solution in solutions
        for campaign in _all(personalize, "list_campaigns", "campaigns", solutionArn=solution)
    ]
    yield "campaign", sorted(set(campaigns))
    yield "filter", of_groups("list_filters", "Filters", "filterArn")
    yield "event_tracker", of_groups("list_event_trackers", "eventTrackers", "eventTrackerArn")
    yield "solution", solutions
    yield "dataset", of_groups("list_datasets", "datasets", "datasetArn")
    schemas = _all(personalize, "list_schemas", "schemas")
    yield "schema", [schema["schemaArn"] for schema in schemas if schema["name"].startswith(f"{name}-")]
    yield "dataset_group", groups


def _all(personalize: Any, operation: str, key: str, **arguments: str) -> Iterator[dict[str, Any]]:
    for page in personalize.get_paginator(operation).paginate(**arguments):
        yield from page[key]


def _wait_until_gone(personalize: Any, kind: str, arn: str) -> None:
    describe: Callable[..., Any] = getattr(personalize, f"describe_{kind}")
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        try:
            describe(**{f"{_camel(kind)}Arn": arn})
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return
            raise
        time.sleep(POLL_SECONDS)
    raise OperatorError(f"{arn} is still there after {WAIT_SECONDS} s; run the command again")


def _camel(kind: str) -> str:
    first, *rest = kind.split("_")
    return first + "".join(part.capitalize() for part in rest)
