"""Personalize without a server: calls go through the wire format, S3 is a folder."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from localcloud.personalize import register_operations
from localcloud.personalize.s3 import Bucket, Location, S3Error, StoredFile
from localcloud.personalize.service import Personalize
from localcloud.personalize.wire import SERVICES, service_model

ROLE = "arn:aws:iam::123456789012:role/personalize"
INTERACTIONS_SCHEMA = json.dumps(
    {
        "type": "record",
        "name": "Interactions",
        "fields": [
            {"name": "USER_ID", "type": "string"},
            {"name": "ITEM_ID", "type": "string"},
            {"name": "TIMESTAMP", "type": "long"},
            {"name": "EVENT_TYPE", "type": "string"},
            {"name": "EVENT_VALUE", "type": ["null", "float"]},
        ],
    }
)
ITEMS_SCHEMA = json.dumps(
    {
        "type": "record",
        "name": "Items",
        "fields": [
            {"name": "ITEM_ID", "type": "string"},
            {"name": "CATEGORY", "type": ["null", "string"], "categorical": True},
            {"name": "PRICE", "type": ["null", "float"]},
        ],
    }
)
USERS_SCHEMA = json.dumps(
    {
        "type": "record",
        "name": "Users",
        "fields": [
            {"name": "USER_ID", "type": "string"},
            {"name": "AGE", "type": ["null", "int"]},
            {"name": "TIER", "type": ["null", "string"], "categorical": True},
        ],
    }
)


class AwsError(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class FolderBucket(Bucket):
    """Buckets that are folders."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, uri: str) -> list[StoredFile]:
        location = Location.parse(uri)
        path = self.root / location.bucket / location.key
        paths = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
        if not paths:
            raise S3Error(f"There is no data at {uri}.")
        base = self.root / location.bucket
        return [StoredFile(location.bucket, str(one.relative_to(base)), one.stat().st_size) for one in paths]

    @contextmanager
    def local_copies(self, files: list[StoredFile]) -> Iterator[list[Path]]:
        yield [self.root / file.bucket / file.key for file in files]

    def upload(self, path: Path, uri: str) -> None:
        self.write(path.read_bytes(), uri)

    def write(self, body: bytes, uri: str) -> None:
        location = Location.parse(uri)
        path = self.root / location.bucket / location.key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    @contextmanager
    def scratch_folder(self) -> Iterator[Path]:
        folder = self.root / "scratch"
        folder.mkdir(parents=True, exist_ok=True)
        yield folder

    def read(self, uri: str) -> str:
        location = Location.parse(uri)
        return (self.root / location.bucket / location.key).read_text()


class InProcess:
    """One region; `call` raises AwsError."""

    def __init__(self, folder: Path) -> None:
        register_operations()
        self.folder = folder
        self.service = Personalize(folder / "data", "http://127.0.0.1:1")
        self.region = self.service.region("ap-south-1")
        self.bucket = FolderBucket(folder / "s3")
        self.region.bucket = self.bucket

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        service = next(name for name in SERVICES if operation in service_model(name).operation_names)
        http = service_model(service).operation_model(operation).http
        target = f"AmazonPersonalize.{operation}" if service == "personalize" else ""
        path = http["requestUri"]
        status, _, body = self.service.answer(
            self.region, http["method"], path, target, json.dumps(request).encode()
        )
        answer: dict[str, Any] = json.loads(body)
        if status != 200:
            raise AwsError(answer["__type"], answer["message"])
        return answer

    def settled(self, operation: str, member: str, **request: Any) -> dict[str, Any]:
        """Describe until no work is under way."""
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline:
            resource: dict[str, Any] = self.call(operation, **request)[member]
            if not resource["status"].endswith(("PENDING", "IN_PROGRESS", "STOPPING")):
                return resource
            time.sleep(0.01)
        raise TimeoutError(f"{operation} {request}: still {resource['status']}")

    def group(self, name: str = "shop") -> str:
        arn: str = self.call("CreateDatasetGroup", name=name)["datasetGroupArn"]
        self.settled("DescribeDatasetGroup", "datasetGroup", datasetGroupArn=arn)
        return arn

    def dataset(self, group_arn: str, dataset_type: str, schema: str) -> str:
        name = f"{group_arn.rsplit('/', 1)[1]}-{dataset_type.lower()}"
        schema_arn = self.call("CreateSchema", name=name, schema=schema)["schemaArn"]
        arn: str = self.call(
            "CreateDataset",
            name=name,
            schemaArn=schema_arn,
            datasetGroupArn=group_arn,
            datasetType=dataset_type,
        )["datasetArn"]
        self.settled("DescribeDataset", "dataset", datasetArn=arn)
        return arn

    def import_rows(self, dataset_arn: str, text: str, job: str, **more: Any) -> dict[str, Any]:
        self.bucket.write(text.encode(), f"s3://raw/{job}.csv")
        arn = self.call(
            "CreateDatasetImportJob",
            jobName=job,
            datasetArn=dataset_arn,
            dataSource={"dataLocation": f"s3://raw/{job}.csv"},
            roleArn=ROLE,
            **more,
        )["datasetImportJobArn"]
        return self.settled("DescribeDatasetImportJob", "datasetImportJob", datasetImportJobArn=arn)

    def solution(self, group_arn: str, recipe: str, name: str | None = None, **more: Any) -> str:
        arn: str = self.call(
            "CreateSolution",
            name=name or recipe,
            datasetGroupArn=group_arn,
            recipeArn=f"arn:aws:personalize:::recipe/aws-{recipe}",
            **{"performAutoTraining": False, **more},
        )["solutionArn"]
        self.settled("DescribeSolution", "solution", solutionArn=arn)
        return arn

    def version(self, solution_arn: str, **more: Any) -> dict[str, Any]:
        arn = self.call("CreateSolutionVersion", solutionArn=solution_arn, **more)["solutionVersionArn"]
        return self.settled("DescribeSolutionVersion", "solutionVersion", solutionVersionArn=arn)

    def versions(self, solution_arns: list[str]) -> list[dict[str, Any]]:
        """Train solutions side by side."""
        arns = [
            self.call("CreateSolutionVersion", solutionArn=arn)["solutionVersionArn"] for arn in solution_arns
        ]
        return [
            self.settled("DescribeSolutionVersion", "solutionVersion", solutionVersionArn=arn) for arn in arns
        ]

    def campaign(self, name: str, version_arn: str, **config: Any) -> str:
        arn: str = self.call(
            "CreateCampaign", name=name, solutionVersionArn=version_arn, campaignConfig=config
        )["campaignArn"]
        self.settled("DescribeCampaign", "campaign", campaignArn=arn)
        return arn


def interactions_csv(users: int = 120, per_user: int = 20, items: int = 60, seed: int = 7) -> str:
    """Users walk around rings of 20 items, with some noise: the next item follows from the last one."""
    chance = random.Random(seed)  # noqa: S311 - data, not secrets
    rows = ["USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE"]
    for user in range(users):
        ring, place = chance.randrange(items // 20), chance.randrange(20)
        for step in range(per_user):
            place = (place + 1) % 20 if chance.random() < 0.8 else chance.randrange(20)
            kind, value = ("view", "") if chance.random() < 0.8 else ("purchase", "2.5")
            rows.append(f"u{user},i{ring * 20 + place},{1_700_000_000 + step * 3600 + user},{kind},{value}")
    return "\n".join(rows) + "\n"


def items_csv(items: int = 60) -> str:
    rows = [f"i{item},ring{item // 20}{'|even' if item % 2 == 0 else ''},{item}" for item in range(items)]
    return "\n".join(["ITEM_ID,CATEGORY,PRICE", *rows]) + "\n"


def users_csv(users: int = 120) -> str:
    rows = [f"u{user},{20 + user % 50},{'gold' if user % 3 == 0 else 'basic'}" for user in range(users)]
    return "\n".join(["USER_ID,AGE,TIER", *rows]) + "\n"


def sent_to_cloudwatch(monkeypatch: Any, module: Any) -> list[dict[str, Any]]:
    """Return the list that takes what a module sends to CloudWatch from now on."""
    sent: list[dict[str, Any]] = []

    class CloudWatch:
        def put_metric_data(self, Namespace: str, MetricData: list[dict[str, Any]]) -> None:  # noqa: N803 - boto3's names
            assert Namespace == "AWS/Personalize"
            sent.extend(MetricData)

    monkeypatch.setattr(module, "cloudwatch_client", lambda _region: CloudWatch())
    return sent
