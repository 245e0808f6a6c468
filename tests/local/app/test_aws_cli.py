"""The AWS command line, which nobody here wrote, against the deployed and trained app."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.local.deployed_app import DeployedApp

pytestmark = pytest.mark.flow
Aws = Callable[..., Any]


@pytest.fixture
def aws(trained_app: DeployedApp) -> Aws:
    """Run `aws <arguments>` against the app's cloud and return its JSON answer."""
    command = str(Path(sys.executable).parent / "aws")

    def run(*arguments: str) -> Any:
        done = subprocess.run(
            [command, *arguments, "--output", "json"],
            env={**trained_app.cloud.environment, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout else None

    return run


def test_solution_versions_are_listed_and_a_campaign_recommends(aws: Aws, trained_app: DeployedApp) -> None:
    versions = aws("personalize", "list-solution-versions")["solutionVersions"]
    assert {version["status"] for version in versions} == {"ACTIVE"}
    campaign = f"arn:aws:personalize:ap-south-1:123456789012:campaign/{trained_app.name}-user-personalization"
    answer = aws(
        "personalize-runtime", "get-recommendations",
        "--campaign-arn", campaign, "--user-id", "somebody new", "--num-results", "3",
    )  # fmt: skip
    assert len(answer["itemList"]) == 3
    assert answer["recommendationId"]


def test_a_state_machine_is_started_and_described(aws: Aws, trained_app: DeployedApp) -> None:
    started = aws(
        "stepfunctions", "start-execution",
        "--state-machine-arn", trained_app.output("TrainStateMachine"),
        "--input", json.dumps({"manifestUri": trained_app.prepared["manifestUri"]}),
    )  # fmt: skip
    described = _until(
        lambda: aws("stepfunctions", "describe-execution", "--execution-arn", started["executionArn"]),
        lambda answer: answer["status"] != "RUNNING",
    )
    assert described["status"] == "SUCCEEDED"


def test_an_athena_query_runs_and_returns_its_rows(aws: Aws, trained_app: DeployedApp) -> None:
    query = aws(
        "athena", "start-query-execution",
        "--query-string", "SELECT count(*) AS n FROM items",
        "--query-execution-context", f"Database={trained_app.output('GlueDatabase')}",
        "--work-group", trained_app.output("AthenaWorkGroup"),
    )["QueryExecutionId"]  # fmt: skip
    _until(
        lambda: aws("athena", "get-query-execution", "--query-execution-id", query)["QueryExecution"],
        lambda answer: answer["Status"]["State"] == "SUCCEEDED",
    )
    rows = aws("athena", "get-query-results", "--query-execution-id", query)["ResultSet"]["Rows"]
    assert rows[0]["Data"] == [{"VarCharValue": "n"}]
    assert int(rows[1]["Data"][0]["VarCharValue"]) > 100


def test_a_glue_job_runs_and_says_why_it_failed(aws: Aws, trained_app: DeployedApp) -> None:
    job, nothing = f"{trained_app.name}-target-coupons", f"s3://{trained_app.output('ResultsBucket')}/nothing"
    arguments = {
        "--input_uri": f"{nothing}/input/",
        "--ranking_uri": f"{nothing}/ranking/",
        "--campaign_run": "by-hand",
        "--settings": json.dumps({"budget": 10, "cost_per_coupon": 1}),
    }
    run = aws("glue", "start-job-run", "--job-name", job, "--arguments", json.dumps(arguments))["JobRunId"]
    assert f"no batch inference input below {nothing}/input/" in _why_it_failed(aws, job, run)


def _why_it_failed(aws: Aws, job: str, run: str) -> str:
    ended = _until(
        lambda: aws("glue", "get-job-run", "--job-name", job, "--run-id", run)["JobRun"],
        lambda answer: answer["JobRunState"] not in {"STARTING", "RUNNING"},
    )
    assert ended["JobRunState"] == "FAILED"
    return str(ended["ErrorMessage"])


def test_a_function_is_invoked(aws: Aws, tmp_path: Path) -> None:
    functions = aws("lambda", "list-functions")["Functions"]
    api = next(f["FunctionName"] for f in functions if "ApiFunction" in f["FunctionName"])
    event = {
        "resource": "/health", "path": "/health", "httpMethod": "GET", "headers": {}, "body": None,
        "pathParameters": None, "queryStringParameters": None, "requestContext": {"requestId": "r"},
    }  # fmt: skip
    output = tmp_path / "answer.json"
    answer = aws("lambda", "invoke", "--function-name", api, "--payload", json.dumps(event), str(output))
    assert answer["StatusCode"] == 200
    assert json.loads(output.read_text())["statusCode"] == 200


def _until(ask: Callable[[], Any], done: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        answer = ask()
        if done(answer):
            return answer
        time.sleep(0.5)
    raise AssertionError("not done in two minutes")
