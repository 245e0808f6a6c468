"""A job run: started as a process, watched by a thread, reported in Glue's states."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import moto.glue.models
from moto.core.utils import utcnow
from moto.s3.models import s3_backends

from localcloud.context import ACCOUNT_ID, CloudContext
from localcloud.glue import logs
from localcloud.glue.process import JobProcess
from localcloud.s3 import ObjectTree, pull_direct_writes

DEFAULT_TIMEOUT_MINUTES = 480
ENDED = frozenset({"SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED"})
RETRIED = frozenset({"FAILED", "TIMEOUT"})
KILL_AFTER_SECONDS = 5
LONGEST_MESSAGE_LINES = 20
# Module names that differ from their distribution's.
MODULE_NAMES = {"scikit-learn": "sklearn", "pyyaml": "yaml", "python-dateutil": "dateutil"}

_FakeJobRun: Any = moto.glue.models.FakeJobRun


class JobRun(_FakeJobRun):  # type: ignore[misc]
    """A job run that really runs; `attempt` counts retries from 0."""

    def __init__(
        self, job: Any, context: CloudContext, tree: ObjectTree, *, attempt: int = 0, **facts: Any
    ) -> None:
        super().__init__(job_name=job.name, **facts)
        self.facts = facts
        self.attempt = attempt
        self._job, self._context, self._tree = job, context, tree
        self._state = "STARTING"
        self._error: str | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._began = time.monotonic()
        self._seconds: float | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    @property
    def status(self) -> str:
        """The run's state in Glue's words."""
        return self._state

    @property
    def is_over(self) -> bool:
        """Whether the run has ended."""
        return self._state in ENDED

    def advance(self) -> None:
        """Leave the state to the process: looking at a run does not move it on."""

    def start(self, after: Callable[[JobRun], None]) -> None:
        """Run in a thread of its own; call `after` with the run when it is over."""
        self._thread = threading.Thread(target=self._run, args=(after,), name=self.job_run_id, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the run; nothing happens to one that is over."""
        with self._lock:
            if self.is_over:
                return
            self._state = "STOPPING"
            process = self._process
        if process is not None:
            _kill(process)

    def join(self) -> None:
        """Wait until the run is over."""
        if self._thread is not None:
            self._thread.join()

    def as_dict(self) -> dict[str, Any]:
        """Return the run as GetJobRun shows it."""
        seconds = time.monotonic() - self._began if self._seconds is None else self._seconds
        shown = {
            **super().as_dict(),
            "Attempt": self.attempt,
            "JobRunState": self._state,
            "ExecutionTime": int(seconds),
            "LogGroupName": logs.GROUP,
            "GlueVersion": self._job.glue_version or "5.0",
            "Timeout": self.timeout or DEFAULT_TIMEOUT_MINUTES,
            "ExecutionClass": self._job.execution_class,
        }
        if self._error:
            shown["ErrorMessage"] = self._error
        if not self.is_over:
            del shown["CompletedOn"]
        return shown

    def _run(self, after: Callable[[JobRun], None]) -> None:
        folder = self._context.work_dir / "glue" / self.job_run_id
        folder.mkdir(parents=True)
        try:
            with self._tree.direct_writes():
                outcome, error = self._execute(folder)
                pull_direct_writes()
        except (OSError, ValueError, RuntimeError, ImportError) as failure:
            outcome, error = "FAILED", f"{type(failure).__name__}: {failure}"
        logs.publish(folder, self.job_run_id, self._job.backend.region_name)
        with self._lock:
            self._seconds = time.monotonic() - self._began
            self.completed_on = self.modified_on = utcnow()
            if self._state == "STOPPING":
                outcome, error = "STOPPED", None
            self._error = error
            self._state = outcome
        after(self)

    def _execute(self, folder: Path) -> tuple[str, str | None]:
        """Run the script; return the final state and the error message."""
        arguments: dict[str, str] = dict(self.arguments or {})
        _check_modules(arguments.get("--additional-python-modules", ""))
        described = JobProcess(
            script=_download(self._job.command["ScriptLocation"], folder),
            arguments=_command_line(self.job_name, self.job_run_id, arguments),
            libraries=[_download(uri, folder) for uri in _listed(arguments.get("--extra-py-files", ""))],
            folder=folder,
            worker_type=self.worker_type,
            region=self._job.backend.region_name,
        )
        with self._lock:
            if self._state != "STARTING":
                return "STOPPED", None
            process = self._process = described.start(self._context, self._tree)
            self._state = "RUNNING"
        minutes = self.timeout or DEFAULT_TIMEOUT_MINUTES
        try:
            code = process.wait(timeout=minutes * 60)
        except subprocess.TimeoutExpired:
            _kill(process)
            return "TIMEOUT", f"Job run exceeded its timeout of {minutes} minutes"
        # Spark's JVM is in the script's process group and may outlive a script that was killed.
        _kill_group(process.pid, signal.SIGKILL)
        return ("SUCCEEDED", None) if code == 0 else ("FAILED", error_message(folder / "stderr", code))


def error_message(stderr: Path, code: int) -> str:
    """Return the exception that ended the script, as its traceback says it; otherwise the exit code."""
    text = stderr.read_text(encoding="utf-8", errors="replace")
    lines = [line for line in text.splitlines() if line.strip()]
    starts = [place for place, line in enumerate(lines) if line.startswith("Traceback ")]
    if starts:
        after = [place for place in range(starts[-1] + 1, len(lines)) if not lines[place].startswith(" ")]
        if after:
            return "\n".join(lines[after[0] : after[0] + LONGEST_MESSAGE_LINES])
    if code < 0:
        return f"Command failed with signal {signal.Signals(-code).name}"
    return lines[-1] if lines and code == 1 else f"SystemExit: {code}"


def _command_line(job_name: str, run_id: str, arguments: dict[str, str]) -> list[str]:
    """Return what the script sees as sys.argv: each argument as `--name value`, Glue's own first."""
    own = {"--JOB_NAME": job_name, "--JOB_ID": f"j_{job_name}", "--JOB_RUN_ID": run_id}
    return [part for name, value in {**own, **arguments}.items() for part in (name, value) if part != ""]


def _listed(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def _check_modules(modules: str) -> None:
    """See that the named packages can be imported; they come from this Python, nothing is installed."""
    for requirement in _listed(modules):
        name = re.split(r"[=<>!~\[;@ ]", requirement, maxsplit=1)[0].lower()
        module = MODULE_NAMES.get(name, name.replace("-", "_"))
        if importlib.util.find_spec(module) is None:
            raise ModuleNotFoundError(
                f"--additional-python-modules names {requirement!r}, which this Python does not have; "
                f"install it beside localcloud"
            )


def _download(uri: str, folder: Path) -> Path:
    """Copy an object into `folder`. Raises FileNotFoundError when there is none."""
    address = urlparse(uri)
    buckets = s3_backends[ACCOUNT_ID]["aws"].buckets
    key = address.path.lstrip("/")
    stored = buckets[address.netloc].keys.get(key) if address.netloc in buckets else None
    if stored is None or not hasattr(stored, "value"):
        raise FileNotFoundError(f"no object at {uri}")
    target = folder / Path(key).name
    target.write_bytes(stored.value)
    return target


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the process with everything it started; give it a moment to end by itself."""
    _kill_group(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=KILL_AFTER_SECONDS)
    _kill_group(process.pid, signal.SIGKILL)
    process.wait()


def _kill_group(group: int, how: signal.Signals) -> None:
    try:
        os.killpg(group, how)
    except ProcessLookupError:
        return
