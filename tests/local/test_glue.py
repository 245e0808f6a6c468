"""Glue on localcloud: job runs really run, in Spark, over the buckets' objects."""

from __future__ import annotations

import io
import time
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

BUCKET = "glue-jobs.tests"
ENDED = {"SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT"}
SPARK_SCRIPT = """
import sys

import boto3
from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from shouting import shout

args = getResolvedOptions(sys.argv, ["JOB_NAME", "bucket", "rounds"])
context = GlueContext(SparkContext.getOrCreate())
spark = context.spark_session
job = Job(context)
job.init(args["JOB_NAME"], args)
spark.conf.set("spark.sql.sources.partitionOverwriteMode", "dynamic")
base = f"s3://{args['bucket']}"
rows = spark.read.csv(f"{base}/in/", header=True, inferSchema=True)
for _ in range(int(args["rounds"])):
    rows.write.mode("overwrite").partitionBy("day").parquet(f"{base}/out/")
mondays = rows.where("day = 'mon'").selectExpr("n * 10 AS n", "day")
mondays.write.mode("overwrite").partitionBy("day").parquet(f"{base}/out/")
s3 = boto3.client("s3")
seen = [entry["Key"] for entry in s3.list_objects_v2(Bucket=args["bucket"], Prefix="out/day=")["Contents"]]
s3.put_object(Bucket=args["bucket"], Key="late/1.csv", Body=b"n\\n7\\n")
late = spark.read.csv(f"{base}/late/", header=True)
print(shout("seen"), len(seen), "late", late.first().n, late.select("_metadata.file_path").first()[0])
job.commit()
"""
PLAIN_SCRIPTS = {
    "fail": "import sys\ndef f():\n    raise ValueError('the third row is bad')\nprint('before')\nf()\n",
    "exit": "import sys\nsys.exit(3)\n",
    "sleep": "import time\nprint('started', flush=True)\ntime.sleep(60)\n",
}


class Jobs:
    def __init__(self, server: Any) -> None:
        self.glue, self.s3, self.logs = server.client("glue"), server.client("s3"), server.client("logs")
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "ap-south-1"})

    def create(self, name: str, script: str, **options: Any) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=f"scripts/{name}.py", Body=script.encode())
        command = {
            "Name": "glueetl",
            "ScriptLocation": f"s3://{BUCKET}/scripts/{name}.py",
            "PythonVersion": "3",
        }
        self.glue.create_job(Name=name, Role="role", Command=command, GlueVersion="5.0", **options)

    def start(self, name: str, **options: Any) -> str:
        return str(self.glue.start_job_run(JobName=name, **options)["JobRunId"])

    def wait(self, name: str, run_id: str, *, until: set[str] = ENDED) -> dict[str, Any]:
        for _ in range(1200):
            run: dict[str, Any] = self.glue.get_job_run(JobName=name, RunId=run_id)["JobRun"]
            if run["JobRunState"] in until:
                return run
            time.sleep(0.05)
        raise TimeoutError(run_id)

    def printed(self, run_id: str, kind: str = "output") -> str:
        events = self.logs.get_log_events(logGroupName=f"/aws-glue/jobs/{kind}", logStreamName=run_id)[
            "events"
        ]
        return "\n".join(event["message"] for event in events)


@pytest.fixture(scope="module")
def jobs(localcloud_server: Any) -> Jobs:
    made = Jobs(localcloud_server)
    for name, script in PLAIN_SCRIPTS.items():
        made.create(name, script)
    return made


def test_a_spark_job_reads_and_writes_the_buckets(jobs: Jobs) -> None:
    library = io.BytesIO()
    with zipfile.ZipFile(library, "w") as archive:
        archive.writestr("shouting/__init__.py", "def shout(text):\n    return text.upper()\n")
    jobs.s3.put_object(Bucket=BUCKET, Key="scripts/library.zip", Body=library.getvalue())
    jobs.s3.put_object(Bucket=BUCKET, Key="in/a.csv", Body=b"n,day\n1,mon\n2,tue\n")
    arguments = {
        "--bucket": BUCKET,
        "--rounds": "9",
        "--extra-py-files": f"s3://{BUCKET}/scripts/library.zip",
    }
    jobs.create("spark", SPARK_SCRIPT, DefaultArguments=arguments, WorkerType="G.1X", NumberOfWorkers=2)
    run_id = jobs.start("spark", Arguments={"--rounds": "2"})
    run = jobs.wait("spark", run_id)
    assert run["JobRunState"] == "SUCCEEDED", run.get("ErrorMessage")
    assert jobs.printed(run_id) == f"SEEN 2 late 7 s3://{BUCKET}/late/1.csv"
    assert run["Arguments"]["--rounds"] == "2"
    listed = jobs.s3.list_objects_v2(Bucket=BUCKET, Prefix="out/")["Contents"]
    assert sorted({entry["Key"].split("/")[1] for entry in listed} - {"_SUCCESS"}) == ["day=mon", "day=tue"]
    assert not [
        entry["Key"] for entry in listed if entry["Key"].endswith(".crc") or "_temporary" in entry["Key"]
    ]


def test_a_failed_job_says_its_exception(jobs: Jobs) -> None:
    run_id = jobs.start("fail")
    run = jobs.wait("fail", run_id)
    assert (run["JobRunState"], run["ErrorMessage"]) == ("FAILED", "ValueError: the third row is bad")
    assert jobs.printed(run_id) == "before"
    assert "Traceback" in jobs.printed(run_id, "error")
    assert jobs.wait("exit", jobs.start("exit"))["ErrorMessage"] == "SystemExit: 3"


def test_a_second_run_at_a_time_is_refused_and_a_run_can_be_stopped(jobs: Jobs) -> None:
    run_id = jobs.start("sleep")
    with pytest.raises(ClientError) as refused:
        jobs.start("sleep")
    assert refused.value.response["Error"]["Code"] == "ConcurrentRunsExceededException"
    jobs.wait("sleep", run_id, until={"RUNNING"})
    stopped = jobs.glue.batch_stop_job_run(JobName="sleep", JobRunIds=[run_id, "jr_unknown"])
    assert [entry["JobRunId"] for entry in stopped["SuccessfulSubmissions"]] == [run_id]
    assert [entry["JobRunId"] for entry in stopped["Errors"]] == ["jr_unknown"]
    assert jobs.wait("sleep", run_id)["JobRunState"] == "STOPPED"


def test_a_failed_run_is_tried_again(jobs: Jobs) -> None:
    jobs.create("retried", PLAIN_SCRIPTS["exit"], MaxRetries=1)
    run_id = jobs.start("retried")
    jobs.wait("retried", run_id)
    again = jobs.wait("retried", f"{run_id}_attempt_1")
    assert (again["JobRunState"], again["Attempt"]) == ("FAILED", 1)
    assert [run["Id"] for run in jobs.glue.get_job_runs(JobName="retried")["JobRuns"]] == [
        again["Id"],
        run_id,
    ]


def test_an_updated_job_runs_as_updated(jobs: Jobs) -> None:
    jobs.create("changed", PLAIN_SCRIPTS["exit"], DefaultArguments={"--a": "1"}, MaxRetries=2)
    command = {"Name": "glueetl", "ScriptLocation": f"s3://{BUCKET}/scripts/fail.py"}
    jobs.glue.update_job(
        JobName="changed", JobUpdate={"Role": "role", "Command": command, "GlueVersion": "5.0"}
    )
    job = jobs.glue.get_job(JobName="changed")["Job"]
    assert (job["DefaultArguments"], job["MaxRetries"]) == ({}, 0), "what an update leaves out is not kept"
    run = jobs.wait("changed", jobs.start("changed"))
    assert run["ErrorMessage"] == "ValueError: the third row is bad"
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        jobs.glue.update_job(JobName="nothing", JobUpdate={"Command": command})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"--additional-python-modules": "boto3,no-such-module==1.0"}, "no-such-module==1.0"),
        ({"--extra-py-files": f"s3://{BUCKET}/nowhere.zip"}, f"no object at s3://{BUCKET}/nowhere.zip"),
    ],
)
def test_what_a_job_lacks_is_named(jobs: Jobs, arguments: dict[str, str], message: str) -> None:
    run = jobs.wait("exit", jobs.start("exit", Arguments=arguments))
    assert run["JobRunState"] == "FAILED"
    assert message in run["ErrorMessage"]


def test_an_unknown_job_or_run_is_not_found(jobs: Jobs) -> None:
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        jobs.start("nothing")
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        jobs.glue.get_job_run(JobName="exit", RunId="jr_nothing")
