"""The API on a localcloud of its own: its stacks, a catalogue, and what of Personalize it needs."""

from __future__ import annotations

import csv
import io
import json
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from ops.deployment import Deployment
from ops.local_cloud import ACCOUNT_ID, LocalCloud, running, synthesise

CONFIG = "travel"
STACKS = ("travel-storage", "travel-inference")
ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role/personalize"
SCHEMA = {
    "type": "record",
    "name": "Interactions",
    "namespace": "com.amazonaws.personalize.schema",
    "version": "1.0",
    "fields": [
        {"name": "USER_ID", "type": "string"},
        {"name": "ITEM_ID", "type": "string"},
        {"name": "TIMESTAMP", "type": "long"},
        {"name": "EVENT_TYPE", "type": "string"},
    ],
}
TRACKING_ID = f"/{CONFIG}/tracking-id/main"
LONGEST_WAIT_SECONDS = 300


class Deployed(Protocol):
    """What is known of a deployment: its name, its outputs and clients of its cloud."""

    @property
    def name(self) -> str: ...

    def client(self, service: str) -> Any: ...

    def output(self, key: str) -> str: ...


@contextmanager
def deployed_api(folder: Path) -> Iterator[tuple[LocalCloud, Deployment]]:
    """Deploy the API's stacks to a fresh localcloud, and point this process to it."""
    deployment, assembly = Deployment(CONFIG), folder / "cdk.out"
    synthesise(CONFIG, assembly, folder)
    with running(port=0, region=deployment.config.region, log_dir=folder) as cloud:
        cloud.cdk("bootstrap", f"aws://{ACCOUNT_ID}/{cloud.region}", "--app", str(assembly), log="bootstrap")
        cloud.cdk("deploy", *STACKS, "--app", str(assembly), "--require-approval", "never", log="deploy")
        cloud.point_this_process()
        yield cloud, deployment


def store_catalogue(deployment: Deployed, item_ids: list[str]) -> None:
    """Store popular items, the first the most popular, as the preprocessing would."""
    s3, bucket = deployment.client("s3"), deployment.output("DatasetsBucket")
    items = [
        {"itemId": item_id, "score": 1 / place, "transport_mode": item_id.split("|")[2]}
        for place, item_id in enumerate(item_ids, start=1)
    ]
    popular, manifest = "personalize/popular_items.json", "personalize/manifest.json"
    documents = {
        popular: items,
        manifest: {"popularItemsUri": f"s3://{bucket}/{popular}", "datasetGroups": {}},
        "personalize/latest.json": {"dataVersion": "one", "manifestUri": f"s3://{bucket}/{manifest}"},
    }
    for key, document in documents.items():
        s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(document).encode())


def make_tracker(deployment: Deployed) -> str:
    """Make the main dataset group with its interactions and event tracker; return the dataset's ARN."""
    personalize = deployment.client("personalize")
    group = personalize.create_dataset_group(name=deployment.name)["datasetGroupArn"]
    _wait(personalize.describe_dataset_group, "datasetGroup", datasetGroupArn=group)
    schema = personalize.create_schema(name=deployment.name, schema=json.dumps(SCHEMA))["schemaArn"]
    dataset: str = personalize.create_dataset(
        name=deployment.name, schemaArn=schema, datasetGroupArn=group, datasetType="Interactions"
    )["datasetArn"]
    _wait(personalize.describe_dataset, "dataset", datasetArn=dataset)
    tracker = personalize.create_event_tracker(name=deployment.name, datasetGroupArn=group)
    _wait(personalize.describe_event_tracker, "eventTracker", eventTrackerArn=tracker["eventTrackerArn"])
    deployment.client("ssm").put_parameter(Name=TRACKING_ID, Value=tracker["trackingId"], Type="String")
    return dataset


def make_campaign(deployment: Deployed, dataset: str, item_ids: list[str], user_ids: list[str]) -> None:
    """Import random history, train User-Personalization on it and serve it under the API's name for it."""
    personalize, bucket = deployment.client("personalize"), deployment.output("DatasetsBucket")
    chance, now = random.Random(7), int(time.time())  # noqa: S311 - made-up history
    rows = [
        f"{user},{item},{now - chance.randrange(10**6)},view"
        for user in user_ids
        for item in chance.sample(item_ids, 30)
    ]
    text = "\n".join(["USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE", *rows])
    deployment.client("s3").put_object(Bucket=bucket, Key="personalize/history/all.csv", Body=text.encode())
    job = personalize.create_dataset_import_job(
        jobName=deployment.name,
        datasetArn=dataset,
        dataSource={"dataLocation": f"s3://{bucket}/personalize/history"},
        roleArn=ROLE,
    )["datasetImportJobArn"]
    _wait(personalize.describe_dataset_import_job, "datasetImportJob", datasetImportJobArn=job)
    solution = personalize.create_solution(
        name=deployment.name,
        datasetGroupArn=dataset.replace(":dataset/", ":dataset-group/").removesuffix("/INTERACTIONS"),
        recipeArn="arn:aws:personalize:::recipe/aws-user-personalization",
        performAutoTraining=False,
    )["solutionArn"]
    _wait(personalize.describe_solution, "solution", solutionArn=solution)
    version = personalize.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    _wait(personalize.describe_solution_version, "solutionVersion", solutionVersionArn=version)
    campaign = personalize.create_campaign(
        name=f"{deployment.name}-user-personalization", solutionVersionArn=version
    )["campaignArn"]
    _wait(personalize.describe_campaign, "campaign", campaignArn=campaign)


def export_streamed(deployment: Deployed, dataset: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a dataset that came by PutEvents, exported as Personalize exports them."""
    personalize, s3 = deployment.client("personalize"), deployment.client("s3")
    bucket, prefix = deployment.output("DatasetsBucket"), f"export-{int(time.time())}/"
    job = personalize.create_dataset_export_job(
        jobName=f"{deployment.name}-{int(time.time())}",
        datasetArn=dataset,
        ingestionMode="PUT",
        roleArn=ROLE,
        jobOutput={"s3DataDestination": {"path": f"s3://{bucket}/{prefix}"}},
    )["datasetExportJobArn"]
    _wait(personalize.describe_dataset_export_job, "datasetExportJob", datasetExportJobArn=job)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            text = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read().decode()
            yield from csv.DictReader(io.StringIO(text))


def _wait(describe: Any, member: str, **request: str) -> None:
    """Wait until a resource is ACTIVE. Raises RuntimeError when it fails or takes too long."""
    until = time.monotonic() + LONGEST_WAIT_SECONDS
    while time.monotonic() < until:
        resource = describe(**request)[member]
        if resource["status"] == "ACTIVE":
            return
        if "FAILED" in resource["status"]:
            raise RuntimeError(f"{request} failed: {resource.get('failureReason')}")
        time.sleep(0.2)
    raise RuntimeError(f"{request} is not ACTIVE after {LONGEST_WAIT_SECONDS} s")
