"""StartJobRun, BatchStopJobRun and their like on moto's Glue, with runs that run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import moto.glue.models
import moto.glue.responses
from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.glue.exceptions import ConcurrentRunsExceededException, InvalidInputException

from localcloud.context import CloudContext
from localcloud.glue.runs import RETRIED, JobRun
from localcloud.s3 import ObjectTree

COMMANDS = ("glueetl", "pythonshell")
# What UpdateJob sets, by the name of moto's field; what a request leaves out falls back to the default.
UPDATED: dict[str, tuple[str, Any]] = {
    "Description": ("description", None),
    "LogUri": ("log_uri", None),
    "Role": ("role", None),
    "ExecutionProperty": ("execution_property", {"MaxConcurrentRuns": 1}),
    "Command": ("command", None),
    "DefaultArguments": ("default_arguments", {}),
    "NonOverridableArguments": ("non_overridable_arguments", None),
    "Connections": ("connections", None),
    "MaxRetries": ("max_retries", 0),
    "AllocatedCapacity": ("allocated_capacity", None),
    "Timeout": ("timeout", None),
    "MaxCapacity": ("max_capacity", None),
    "WorkerType": ("worker_type", None),
    "NumberOfWorkers": ("number_of_workers", None),
    "SecurityConfiguration": ("security_configuration", None),
    "NotificationProperty": ("notification_property", None),
    "GlueVersion": ("glue_version", None),
    "CodeGenConfigurationNodes": ("code_gen_configuration_nodes", None),
    "ExecutionClass": ("execution_class", "STANDARD"),
    "SourceControlDetails": ("source_control_details", None),
}
NOT_KEPT = ("JobMode", "JobRunQueuingEnabled", "MaintenanceWindow")

models: Any = moto.glue.models
responses: Any = moto.glue.responses


class JobRunner:
    """Starts and stops the runs of all jobs."""

    def __init__(self, context: CloudContext, tree: ObjectTree) -> None:
        self._context = context
        self._tree = tree
        self._lock = threading.Lock()
        self._runs: list[JobRun] = []
        self._stopping = False

    def start(self, job: Any, facts: dict[str, Any]) -> str:
        """Start a run of `job` with StartJobRun's parameters; return its id.

        Raises ConcurrentRunsExceededException when as many run as the job allows.
        """
        command = job.command.get("Name")
        if command not in COMMANDS:
            raise InvalidInputException(
                "StartJobRun", f"localcloud runs {' and '.join(COMMANDS)} jobs, not {command}"
            )
        with self._lock:
            active = sum(not run.is_over for run in job.job_runs)
            if active >= job.execution_property.get("MaxConcurrentRuns", 1):
                raise ConcurrentRunsExceededException(f"Concurrent runs exceeded for {job.name}")
            run = JobRun(job, self._context, self._tree, **_run_facts(job, facts))
            self._launch(job, run)
        return str(run.job_run_id)

    def stop_all(self) -> None:
        """Stop every run and wait until it is over."""
        self._stopping = True
        for run in self._runs:
            run.stop()
        for run in self._runs:
            run.join()

    def _launch(self, job: Any, run: JobRun) -> None:
        job.job_runs.append(run)
        self._runs.append(run)
        run.start(lambda over: self._retry(job, over))

    def _retry(self, job: Any, run: JobRun) -> None:
        if self._stopping or run.status not in RETRIED or run.attempt >= (job.max_retries or 0):
            return
        with self._lock:
            again = JobRun(job, self._context, self._tree, attempt=run.attempt + 1, **run.facts)
            first_id = run.job_run_id.split("_attempt_")[0]
            again.job_run_id = f"{first_id}_attempt_{again.attempt}"
            again.previous_run_id = run.job_run_id
            self._launch(job, again)


def patch_moto(context: CloudContext, tree: ObjectTree) -> Callable[[], None]:
    """Make moto's job runs real; return what stops them all."""
    runner = JobRunner(context, tree)

    def start_job_run(job: Any, **facts: Any) -> str:
        return runner.start(job, facts)

    def get_job_runs(job: Any) -> list[JobRun]:
        return list(reversed(job.job_runs))

    models.FakeJob.start_job_run = start_job_run
    models.FakeJob.get_job_runs = get_job_runs
    responses.GlueResponse.batch_stop_job_run = _batch_stop_job_run
    responses.GlueResponse.update_job = _update_job
    return runner.stop_all


def _run_facts(job: Any, facts: dict[str, Any]) -> dict[str, Any]:
    """Return the run's parameters: those given, and the job's for those that are not."""
    same = (
        "allocated_capacity",
        "max_capacity",
        "timeout",
        "worker_type",
        "security_configuration",
        "number_of_workers",
        "notification_property",
    )
    arguments = {
        **job.default_arguments,
        **(facts["arguments"] or {}),
        **(job.non_overridable_arguments or {}),
    }
    return {
        **{name: facts[name] or getattr(job, name) for name in same},
        "arguments": arguments,
        "job_run_id": facts["previous_run_id"],
    }


def _update_job(response: Any) -> ActionResult:
    """Replace a job's definition, as AWS does: what the request leaves out is not kept."""
    name, update = response.parameters["JobName"], response.parameters["JobUpdate"]
    unknown = set(update) - set(UPDATED) - set(NOT_KEPT)
    if unknown:
        raise InvalidInputException(
            "UpdateJob", f"localcloud's Glue does not know {', '.join(sorted(unknown))}"
        )
    job = response.glue_backend.get_job(name)
    for member, (field, default) in UPDATED.items():
        setattr(job, field, update.get(member, default))
    job.last_modified_on = utcnow()
    return ActionResult({"JobName": name})


def _batch_stop_job_run(response: Any) -> ActionResult:
    name = response.parameters["JobName"]
    wanted = set(response.parameters["JobRunIds"])
    runs = {run.job_run_id: run for run in response.glue_backend.get_job(name).job_runs}
    stopped = sorted(wanted & runs.keys())
    for run_id in stopped:
        # The answer does not wait for the process to end: the run is STOPPING until then.
        threading.Thread(target=runs[run_id].stop, daemon=True).start()
    error = {"ErrorCode": "EntityNotFoundException", "ErrorMessage": "JobRun not found"}
    return ActionResult(
        {
            "SuccessfulSubmissions": [{"JobName": name, "JobRunId": run_id} for run_id in stopped],
            "Errors": [
                {"JobName": name, "JobRunId": run_id, "ErrorDetail": error}
                for run_id in sorted(wanted - runs.keys())
            ],
        }
    )
