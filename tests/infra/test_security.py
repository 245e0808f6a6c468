"""What must hold of every template: encrypted, private, least privilege, checked by cdk-nag and cfn-lint."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from tests.infra.conftest import ROOT, Assembly, cdk


def test_every_bucket_is_encrypted_versioned_private_and_logged(assembly: Assembly) -> None:
    buckets = assembly.resources("AWS::S3::Bucket")
    assert len(buckets) == 4
    for bucket in buckets:
        properties = bucket["Properties"]
        assert properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
        assert all(properties["PublicAccessBlockConfiguration"].values())
    assert sum("LoggingConfiguration" in bucket["Properties"] for bucket in buckets) == 3


def test_what_names_forgotten_users_is_forgotten_too(assembly: Assembly) -> None:
    rules = [
        rule
        for bucket in assembly.resources("AWS::S3::Bucket")
        for rule in bucket["Properties"]["LifecycleConfiguration"]["Rules"]
        if rule.get("Prefix") == "privacy/"
    ]
    assert [rule["ExpirationInDays"] for rule in rules] == [30]
    assert [rule["NoncurrentVersionExpiration"]["NoncurrentDays"] for rule in rules] == [1]


def test_every_bucket_refuses_requests_without_tls(assembly: Assembly) -> None:
    policies = assembly.resources("AWS::S3::BucketPolicy")
    assert len(policies) == 4
    for policy in policies:
        denials = [
            statement
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Deny"
        ]
        assert any(denial["Condition"] == {"Bool": {"aws:SecureTransport": "false"}} for denial in denials)


def test_no_policy_allows_a_wildcard_action(assembly: Assembly) -> None:
    for statement in _statements(assembly):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        if statement["Effect"] == "Allow":
            assert not [action for action in actions if "*" in action], statement


def test_roles_are_handed_to_personalize_only(assembly: Assembly) -> None:
    passing = [s for s in _statements(assembly) if "iam:PassRole" in s["Action"]]
    assert passing
    for statement in passing:
        assert statement["Condition"] == {
            "StringEquals": {"iam:PassedToService": "personalize.amazonaws.com"}
        }
        assert "*" not in json.dumps(statement["Resource"])


def test_every_route_but_health_and_documentation_needs_a_key(assembly: Assembly) -> None:
    methods = assembly.resources("AWS::ApiGateway::Method")
    assert len(methods) == 13
    assert sum(not method["Properties"]["ApiKeyRequired"] for method in methods) == 3


def test_tables_and_queues_are_encrypted_with_the_deployments_key(assembly: Assembly) -> None:
    for table in assembly.resources("AWS::DynamoDB::Table"):
        assert table["Properties"]["SSESpecification"]["SSEType"] == "KMS"
        assert table["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    for queue in assembly.resources("AWS::SQS::Queue"):
        assert queue["Properties"]["KmsMasterKeyId"]


def test_cdk_nag_ends_the_synthesis_of_an_app_with_an_open_bucket(tmp_path: Path) -> None:
    program = tmp_path / "with_open_bucket.py"
    program.write_text(
        textwrap.dedent(
            """
            import aws_cdk as cdk
            from aws_cdk import aws_s3 as s3
            import app as project_app
            import config

            by_project = project_app.build

            def build(app, project):
                by_project(app, project)
                s3.Bucket(app.node.find_child("travel-storage"), "Open")

            project_app.build = build
            project_app.synthesise(cdk.App(), config.load("travel", "localcloud"))
            """
        )
    )
    done = cdk(
        "synth", "--quiet", "--app", f"{sys.executable} {program}", environment={"PYTHONPATH": str(ROOT)}
    )
    assert done.returncode != 0
    assert "AwsSolutions-S1" in done.stdout + done.stderr


def test_a_bad_configuration_value_stops_the_synthesis_without_a_traceback() -> None:
    done = cdk("synth", "--quiet", "-c", "config=nowhere")
    assert done.returncode != 0
    assert "no configuration 'nowhere'" in done.stderr
    assert "Traceback" not in done.stderr


def test_cfn_lint_finds_nothing(assembly: Assembly) -> None:
    templates = [str(path) for path in sorted(assembly.folder.glob("*.template.json"))]
    # W3005: the CDK writes a DependsOn beside a reference to the same role.
    options = ["--regions", "ap-south-1", "--ignore-checks", "W3005"]
    command = [str(Path(sys.executable).parent / "cfn-lint"), *options, "--", *templates]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def _statements(assembly: Assembly) -> list[dict[str, Any]]:
    documents = [policy["Properties"]["PolicyDocument"] for policy in assembly.resources("AWS::IAM::Policy")]
    documents += [
        inline["PolicyDocument"]
        for role in assembly.resources("AWS::IAM::Role")
        for inline in role["Properties"].get("Policies", [])
    ]
    assert len(documents) > 10
    return [statement for document in documents for statement in document["Statement"]]
