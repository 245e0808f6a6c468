"""The genuine CDK command line deploys, changes and destroys stacks; what can not be made fails by name."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.conftest import REGION, ROOT, LocalCloudServer

SAMPLE = ROOT / "tests" / "local" / "sample_cdk_app.py"
KEPT_BUCKET = "sample-kept-bucket"
QUEUE = {"Type": "AWS::SQS::Queue"}


@dataclass
class Cdk:
    """The CDK command line against a localcloud."""

    server: LocalCloudServer
    folder: Path

    def run(self, command: str, revision: str, *arguments: str) -> str:
        """Run a command on a revision; returns its output. Raises CalledProcessError."""
        cli = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"
        return subprocess.run(
            ["node", str(cli), command, *arguments, "--app", str(self.folder / revision)],
            cwd=self.folder,
            env={**self.server.environment, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        ).stdout


@pytest.fixture(scope="module")
def cdk(localcloud_server: LocalCloudServer, tmp_path_factory: pytest.TempPathFactory) -> Cdk:
    """The first revision of the sample app, deployed."""
    cdk = Cdk(localcloud_server, tmp_path_factory.mktemp("cdk"))
    subprocess.run([sys.executable, str(SAMPLE), str(cdk.folder)], check=True)
    cdk.run("bootstrap", "1", f"aws://123456789012/{REGION}")
    deploy(cdk, "1")
    return cdk


def deploy(cdk: Cdk, revision: str) -> None:
    names = ("sample-data", "sample-service")
    cdk.run("deploy", revision, *names, "--require-approval", "never", "--progress", "events")


def outputs(server: LocalCloudServer, stack: str) -> dict[str, str]:
    described = server.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def revision_said(server: LocalCloudServer, function: str) -> str:
    answer = server.client("lambda").invoke(FunctionName=function, Payload=b"{}")
    return str(json.load(answer["Payload"])["revision"])


def test_every_resource_of_the_sample_app_exists_and_changes_with_its_template(cdk: Cdk) -> None:
    server = cdk.server
    data, service = outputs(server, "sample-data"), outputs(server, "sample-service")
    bucket = data["BucketName"]
    s3 = server.client("s3")
    encryption = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    rule = encryption["ApplyServerSideEncryptionByDefault"]
    assert (rule["SSEAlgorithm"], rule["KMSMasterKeyID"]) == ("aws:kms", data["KeyArn"])
    assert "aws:SecureTransport" in s3.get_bucket_policy(Bucket=bucket)["Policy"]
    assert s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"]["TargetPrefix"] == "sample/"
    table = server.client("dynamodb").describe_table(TableName=data["TableName"])["Table"]
    assert table["StreamSpecification"]["StreamViewType"] == "NEW_IMAGE"
    assert server.client("glue").get_job(JobName="sample-job")["Job"]["WorkerType"] == "G.1X"
    assert server.client("athena").get_work_group(WorkGroup="sample")["WorkGroup"]["Name"] == "sample"
    assert service["LetterCount"] == "7"
    assert revision_said(server, service["FunctionName"]) == "1"

    deploy(cdk, "2")
    lifecycle = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"][0]
    assert lifecycle["Expiration"]["Days"] == 60
    assert server.client("ssm").get_parameter(Name="/sample/revision")["Parameter"]["Value"] == "2"
    assert revision_said(server, service["FunctionName"]) == "2"
    machine = server.client("stepfunctions").describe_state_machine(stateMachineArn=service["MachineArn"])
    assert json.loads(machine["definition"])["States"]["Say revision"]["Result"] == {"revision": "2"}
    changed = outputs(server, "sample-service")
    assert changed["LetterCount"] == "14"
    assert changed["ApiUrlOfSample"] == service["ApiUrlOfSample"]


def test_an_unknown_resource_type_fails_the_deployment_by_name_and_is_rolled_back(cdk: Cdk) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        cdk.run("deploy", "1", "sample-broken", "--require-approval", "never", "--progress", "events")
    assert "localcloud does not provide AWS::Braket::Nothing" in caught.value.stdout
    stack = cdk.server.client("cloudformation").describe_stacks(StackName="sample-broken")["Stacks"][0]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    with pytest.raises(ClientError, match="NonExistentQueue"):
        cdk.server.client("sqs").get_queue_url(QueueName="sample-broken-first")


def test_an_export_in_use_can_not_be_deleted(cdk: Cdk) -> None:
    with pytest.raises(ClientError, match="in use by sample-service"):
        cdk.server.client("cloudformation").delete_stack(StackName="sample-data")


def test_destroying_removes_everything_but_what_is_retained(cdk: Cdk) -> None:
    server = cdk.server
    bucket = outputs(server, "sample-data")["BucketName"]
    server.client("s3").put_object(Bucket=bucket, Key="left/behind", Body=b"1")
    cdk.run("destroy", "2", "--all", "--force")
    buckets = [entry["Name"] for entry in server.client("s3").list_buckets()["Buckets"]]
    assert bucket not in buckets
    assert KEPT_BUCKET in buckets
    roles = [role["RoleName"] for role in server.client("iam").list_roles()["Roles"]]
    assert not [name for name in roles if name.startswith("sample-")]
    for service, operation, key in (
        ("lambda", "list_functions", "Functions"),
        ("apigateway", "get_rest_apis", "items"),
        ("wafv2", "list_web_acls", "WebACLs"),
    ):
        parameters = {"Scope": "REGIONAL"} if service == "wafv2" else {}
        assert "ample" not in json.dumps(
            getattr(server.client(service), operation)(**parameters)[key], default=str
        )


def template(**resources: Any) -> str:
    return json.dumps({"Resources": resources})


def test_conditions_decide_what_exists_and_what_goes(localcloud_server: LocalCloudServer) -> None:
    cloudformation, sqs = localcloud_server.client("cloudformation"), localcloud_server.client("sqs")
    body = json.dumps(
        {
            "Parameters": {"Wanted": {"Type": "String"}},
            "Conditions": {"IsWanted": {"Fn::Equals": [{"Ref": "Wanted"}, "yes"]}},
            "Resources": {
                "Always": QUEUE,
                "Maybe": {**QUEUE, "Condition": "IsWanted", "Properties": {"QueueName": "conditional"}},
            },
        }
    )
    for wanted, call in (("yes", cloudformation.create_stack), ("no", cloudformation.update_stack)):
        parameters = [{"ParameterKey": "Wanted", "ParameterValue": wanted}]
        call(StackName="conditional", TemplateBody=body, Parameters=parameters)
        urls = sqs.list_queues(QueueNamePrefix="conditional").get("QueueUrls", [])
        assert any(url.endswith("/conditional") for url in urls) is (wanted == "yes")
    cloudformation.delete_stack(StackName="conditional")
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix="conditional")


def test_a_failed_update_is_rolled_back_to_what_was(localcloud_server: LocalCloudServer) -> None:
    cloudformation, ssm = localcloud_server.client("cloudformation"), localcloud_server.client("ssm")

    def parameter(value: str) -> dict[str, Any]:
        properties = {"Name": "/rolled-back", "Type": "String", "Value": value}
        return {"Type": "AWS::SSM::Parameter", "Properties": properties}

    cloudformation.create_stack(StackName="rolled-back", TemplateBody=template(P=parameter("old")))
    broken = {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": "nowhere", "PolicyDocument": {}}}
    broken["DependsOn"] = "P"
    cloudformation.update_stack(
        StackName="rolled-back", TemplateBody=template(P=parameter("new"), Broken=broken)
    )
    stack = cloudformation.describe_stacks(StackName="rolled-back")["Stacks"][0]
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert ssm.get_parameter(Name="/rolled-back")["Parameter"]["Value"] == "old"
    events = cloudformation.describe_stack_events(StackName="rolled-back")["StackEvents"]
    assert any("NoSuchBucket" in event.get("ResourceStatusReason", "") for event in events)


def test_resources_are_made_after_what_they_name(localcloud_server: LocalCloudServer) -> None:
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "sqs:*"}]}
    queues = {"Queues": [{"Ref": "Second"}], "PolicyDocument": policy}
    body = template(
        First={"Type": "AWS::SQS::QueuePolicy", "Properties": queues},
        Second={**QUEUE, "Properties": {"QueueName": {"Fn::Sub": "ordered-${Third.Value}"}}},
        Third={"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "last"}},
    )  # fmt: skip
    cloudformation = localcloud_server.client("cloudformation")
    cloudformation.create_stack(StackName="ordered", TemplateBody=body)
    assert (
        cloudformation.describe_stacks(StackName="ordered")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    )
    url = localcloud_server.client("sqs").get_queue_url(QueueName="ordered-last")["QueueUrl"]
    attributes = localcloud_server.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
    assert json.loads(attributes["Attributes"]["Policy"]) == policy


def test_a_described_api_keeps_its_address_and_a_renamed_table_is_a_new_one(
    localcloud_server: LocalCloudServer,
) -> None:
    cloudformation, gateway = (
        localcloud_server.client("cloudformation"),
        localcloud_server.client("apigateway"),
    )
    key = {"AttributeName": "id", "KeyType": "HASH"}

    def revision(text: str) -> str:
        table = {
            "TableName": f"changed-{text}",
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [key],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        }
        return template(
            Api={"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "changed", "Description": text}},
            Table={"Type": "AWS::DynamoDB::Table", "Properties": table},
        )

    seen = []
    for text, call in (("one", cloudformation.create_stack), ("two", cloudformation.update_stack)):
        call(StackName="changed", TemplateBody=revision(text))
        seen.append({api["id"]: api["description"] for api in gateway.get_rest_apis()["items"]
                     if api["name"] == "changed"})  # fmt: skip
    assert [list(apis.values()) for apis in seen] == [["one"], ["two"]]
    assert list(seen[0]) == list(seen[1])
    names = localcloud_server.client("dynamodb").list_tables()["TableNames"]
    assert ("changed-one" in names, "changed-two" in names) == (False, True)
    cloudformation.delete_stack(StackName="changed")


def test_the_server_answers_its_health(localcloud_server: LocalCloudServer) -> None:
    with urllib.request.urlopen(f"{localcloud_server.endpoint_url}/_localcloud/health") as response:
        health = json.load(response)
    assert health["status"] == "ok"
    assert {"cloudformation", "stepfunctions", "faults"} <= set(health["services"])
