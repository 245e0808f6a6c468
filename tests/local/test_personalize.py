"""Personalize over HTTP, by boto3 and the AWS CLI, with data in localcloud's S3."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest
from botocore.exceptions import ClientError

from tests.unit.personalize.in_process import INTERACTIONS_SCHEMA, ROLE, interactions_csv


def wait(describe, member, **request):
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        resource = describe(**request)[member]
        if not resource["status"].endswith(("PENDING", "IN_PROGRESS")):
            return resource
        time.sleep(0.05)
    raise TimeoutError(f"{request} is still {resource['status']}")


@pytest.fixture(scope="module")
def campaign_arn(localcloud_server):
    s3, personalize = localcloud_server.client("s3"), localcloud_server.client("personalize")
    s3.create_bucket(Bucket="library-data", CreateBucketConfiguration={"LocationConstraint": "ap-south-1"})
    s3.put_object(Bucket="library-data", Key="interactions/all.csv", Body=interactions_csv())
    group = personalize.create_dataset_group(name="library")["datasetGroupArn"]
    wait(personalize.describe_dataset_group, "datasetGroup", datasetGroupArn=group)
    schema = personalize.create_schema(name="library", schema=INTERACTIONS_SCHEMA)["schemaArn"]
    dataset = personalize.create_dataset(
        name="library", schemaArn=schema, datasetGroupArn=group, datasetType="Interactions"
    )["datasetArn"]
    wait(personalize.describe_dataset, "dataset", datasetArn=dataset)
    job = personalize.create_dataset_import_job(
        jobName="library",
        datasetArn=dataset,
        dataSource={"dataLocation": "s3://library-data/interactions"},
        roleArn=ROLE,
    )["datasetImportJobArn"]
    imported = wait(personalize.describe_dataset_import_job, "datasetImportJob", datasetImportJobArn=job)
    assert imported["status"] == "ACTIVE", imported
    solution = personalize.create_solution(
        name="library",
        datasetGroupArn=group,
        recipeArn="arn:aws:personalize:::recipe/aws-user-personalization",
        performAutoTraining=False,
    )["solutionArn"]
    wait(personalize.describe_solution, "solution", solutionArn=solution)
    version = personalize.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    trained = wait(personalize.describe_solution_version, "solutionVersion", solutionVersionArn=version)
    assert trained["status"] == "ACTIVE", trained
    arn = personalize.create_campaign(name="library", solutionVersionArn=version)["campaignArn"]
    wait(personalize.describe_campaign, "campaign", campaignArn=arn)
    return arn


def test_recommendations_come_over_http(localcloud_server, campaign_arn):
    answer = localcloud_server.client("personalize-runtime").get_recommendations(
        campaignArn=campaign_arn, userId="u1", numResults=5
    )
    assert len(answer["itemList"]) == 5


def test_the_aws_cli_lists_versions_and_gets_recommendations(localcloud_server, campaign_arn):
    def cli(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", "awscli", *arguments],
            env=localcloud_server.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return json.loads(done.stdout)

    versions = cli("personalize", "list-solution-versions")["solutionVersions"]
    assert any(version["solutionVersionArn"].split("/")[1] == "library" for version in versions)
    command = (
        "personalize-runtime",
        "get-recommendations",
        "--campaign-arn",
        campaign_arn,
        "--user-id",
        "u2",
    )
    assert len(cli(*command)["itemList"]) == 25


def test_a_batch_job_reads_and_writes_s3(localcloud_server, campaign_arn):
    s3, personalize = localcloud_server.client("s3"), localcloud_server.client("personalize")
    s3.put_object(Bucket="library-data", Key="in/users.json", Body='{"userId": "u1"}\n{"userId": "u2"}\n')
    version = personalize.describe_campaign(campaignArn=campaign_arn)["campaign"]["solutionVersionArn"]
    job = personalize.create_batch_inference_job(
        jobName="library",
        solutionVersionArn=version,
        jobInput={"s3DataSource": {"path": "s3://library-data/in/users.json"}},
        jobOutput={"s3DataDestination": {"path": "s3://library-data/out/"}},
        roleArn=ROLE,
    )["batchInferenceJobArn"]
    done = wait(personalize.describe_batch_inference_job, "batchInferenceJob", batchInferenceJobArn=job)
    assert done["status"] == "ACTIVE", done
    lines = (
        s3.get_object(Bucket="library-data", Key="out/users.json.out")["Body"].read().decode().splitlines()
    )
    assert [json.loads(line)["input"]["userId"] for line in lines] == ["u1", "u2"]


def test_errors_are_botocores_exceptions(localcloud_server, campaign_arn):
    personalize = localcloud_server.client("personalize")
    with pytest.raises(personalize.exceptions.ResourceAlreadyExistsException):
        personalize.create_dataset_group(name="library")
    runtime = localcloud_server.client("personalize-runtime")
    with pytest.raises(ClientError) as raised:
        runtime.get_recommendations(campaignArn=campaign_arn, numResults=5)
    assert raised.value.response["Error"]["Code"] == "InvalidInputException"
