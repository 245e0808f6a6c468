"""What was deployed and trained goes without a trace. Comes after all that needs the deployed app."""

from __future__ import annotations

import pytest

from ops.teardown import empty_buckets
from tests.local.deployed_app import DeployedApp

pytestmark = pytest.mark.flow


def test_teardown_and_destroy_leave_nothing_behind(trained_app: DeployedApp) -> None:
    buckets = [trained_app.output(f"{name}Bucket") for name in ("Raw", "Datasets", "Results", "AccessLogs")]
    assert trained_app.execute("TeardownStateMachine", {}) == {"deployment": trained_app.name}
    empty_buckets(trained_app.deployment)
    trained_app.cloud.cdk("destroy", "--all", "--force", "--app", str(trained_app.assembly), log="destroy")
    assert not any(trained_app.personalize_resources().values())
    left = trained_app.client("ssm").get_parameters_by_path(Path=f"/{trained_app.name}/", Recursive=True)
    assert left["Parameters"] == []
    stacks = trained_app.client("cloudformation").describe_stacks()["Stacks"]
    assert [stack["StackName"] for stack in stacks] == ["CDKToolkit"]
    left_buckets = {bucket["Name"] for bucket in trained_app.client("s3").list_buckets()["Buckets"]}
    assert not left_buckets & set(buckets)
    assert trained_app.client("lambda").list_functions()["Functions"] == []
