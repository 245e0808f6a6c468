"""Warm processes of Lambda functions: started when needed, reused, stopped when idle, stale or too slow."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import select
import signal
import struct
import subprocess
import sys
import threading
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcloud.aws_lambda import package
from localcloud.aws_lambda.worker import END_OF_LOGS
from localcloud.context import CloudContext
from localcloud.faults import kill_of

WORKER = Path(__file__).with_name("worker.py")
IDLE_SECONDS = 600
INIT_SECONDS = 30


@dataclass(frozen=True)
class FunctionSpec:
    """What decides a function's processes: a change of any of it needs new ones."""

    arn: str
    name: str
    version: str
    region: str
    log_group: str
    handler: str
    code: bytes
    layers: tuple[bytes, ...]
    environment: tuple[tuple[str, str], ...]
    timeout_seconds: int
    memory_mb: int
    reserved_concurrency: int | None


@dataclass(frozen=True)
class Invocation:
    """How an invocation ended: the payload, what kind of error it was if any, and what was printed."""

    request_id: str
    payload: str
    function_error: str | None
    log_lines: list[str]
    seconds: float


class TooManyRequestsError(Exception):
    """The function's reserved concurrency is used up."""


class WorkerProcess:
    """One process of one function."""

    def __init__(self, spec: FunctionSpec, command_environment: dict[str, str], task_root: Path) -> None:
        self.used_at = time.monotonic()
        self._lines: queue.Queue[str | None] = queue.Queue()
        request_read, self._requests = os.pipe()
        self._answers, answer_write = os.pipe()
        self._process = subprocess.Popen(  # noqa: S603 - the interpreter and our own worker
            [sys.executable, "-I", "-S", "-u", str(WORKER), str(request_read), str(answer_write)],
            env=command_environment,
            cwd=task_root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(request_read, answer_write),
            text=True,
            errors="replace",
        )
        os.close(request_read)
        os.close(answer_write)
        self._spec = spec
        threading.Thread(target=self._collect_lines, daemon=True).start()

    def invoke(self, event: Any, request_id: str, *, first: bool) -> tuple[dict[str, Any] | None, list[str]]:
        """Run the handler on one event; no answer means its time is out or its process ended."""
        seconds = self._spec.timeout_seconds
        frame = {
            "event": event,
            "requestId": request_id,
            "functionArn": self._spec.arn,
            "deadline": time.time() + seconds,
            "traceId": f"Root=1-{int(time.time()):08x}-{request_id.replace('-', '')[:24]}",
        }
        body = json.dumps(frame).encode()
        with contextlib.suppress(BrokenPipeError):
            _write_all(self._requests, struct.pack(">I", len(body)) + body)
        # A first invocation's time counts from the end of the import, which AWS bounds separately.
        longest = seconds + (INIT_SECONDS if first else 0)
        # Only a process that has imported its code is killed: otherwise none would come to work.
        kill = None if first else kill_of(self._spec.name)
        answer = self._read_answer(time.monotonic() + (min(longest, kill.seconds) if kill else longest))
        if kill and answer is not None:
            kill.spare()
        self.used_at = time.monotonic()
        return answer, self._take_lines(complete=answer is not None)

    def stop(self) -> None:
        """End the process and free its descriptors."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        for descriptor in (self._requests, self._answers):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _read_answer(self, deadline: float) -> dict[str, Any] | None:
        header = self._read_exactly(4, deadline)
        body = header and self._read_exactly(struct.unpack(">I", header)[0], deadline)
        return json.loads(body) if body else None

    def _read_exactly(self, size: int, deadline: float) -> bytes | None:
        content = b""
        while len(content) < size:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(self._answers, size - len(content)) if ready else b""
            if not chunk:
                return None
            content += chunk
        return content

    def _collect_lines(self) -> None:
        for line in self._process.stdout or ():
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def _take_lines(self, *, complete: bool) -> list[str]:
        lines: list[str] = []
        while True:
            try:
                line = self._lines.get(timeout=5 if complete else 0.05)
            except queue.Empty:
                return lines
            if line is None or line == END_OF_LOGS:
                return lines
            lines.append(line)


@dataclass
class FunctionPool:
    """The processes of one function."""

    spec: FunctionSpec
    idle: list[WorkerProcess] = field(default_factory=list)
    busy: int = 0


class Executor:
    """Runs functions; one process serves one invocation at a time."""

    def __init__(self, context: CloudContext) -> None:
        self._context = context
        self._root = context.work_dir / "lambda"
        self._lock = threading.Lock()
        self._pools: dict[str, FunctionPool] = {}
        self._started: dict[str, int] = defaultdict(int)
        context.on_stop(self.stop)

    def invoke(self, spec: FunctionSpec, event: Any) -> Invocation:
        """Run a function on an event. Raises TooManyRequestsError over its reserved concurrency."""
        worker, first = self._acquire(spec)
        request_id = str(uuid.uuid4())
        began = time.monotonic()
        answer, lines = worker.invoke(event, request_id, first=first)
        seconds = time.monotonic() - began
        self._release(spec, worker, alive=answer is not None)
        if answer is None:
            answer = _no_answer(spec, request_id, seconds)
        return Invocation(request_id, answer["payload"], answer.get("functionError"), lines, seconds)

    def stop(self) -> None:
        """Stop every process."""
        with self._lock:
            for pool in self._pools.values():
                _stop_all(pool.idle)
            self._pools.clear()

    def _acquire(self, spec: FunctionSpec) -> tuple[WorkerProcess, bool]:
        with self._lock:
            pool = self._pools.get(spec.arn)
            if pool is None or pool.spec != spec:
                if pool is not None:
                    _stop_all(pool.idle)
                pool = self._pools[spec.arn] = FunctionPool(spec)
            if spec.reserved_concurrency is not None and pool.busy >= spec.reserved_concurrency:
                raise TooManyRequestsError("Rate Exceeded.")
            pool.busy += 1
            self._stop_idle()
            if pool.idle:
                return pool.idle.pop(), False
        try:
            return self._start(spec), True
        except BaseException:
            with self._lock:
                pool.busy -= 1
            raise

    def _stop_idle(self) -> None:
        """Stop every function's processes that nobody used for long, deleted functions' among them."""
        now = time.monotonic()
        for pool in self._pools.values():
            stale = [worker for worker in pool.idle if now - worker.used_at > IDLE_SECONDS]
            pool.idle = [worker for worker in pool.idle if now - worker.used_at <= IDLE_SECONDS]
            _stop_all(stale)

    def _release(self, spec: FunctionSpec, worker: WorkerProcess, *, alive: bool) -> None:
        with self._lock:
            pool = self._pools.get(spec.arn)
            # A worker of a changed function belongs to no pool any more.
            if pool is not None and pool.spec == spec:
                pool.busy -= 1
                if alive:
                    pool.idle.append(worker)
                    return
        worker.stop()

    def _start(self, spec: FunctionSpec) -> WorkerProcess:
        task_root = package.unpacked(spec.code, self._root / "code")
        layers = [package.unpacked(layer, self._root / "layers") / "python" for layer in spec.layers]
        paths = [task_root, *layers, package.runtime_folder(self._root)]
        environment = {
            **dict(spec.environment),
            **self._context.client_environment(spec.region),
            **_reserved_variables(spec),
            "LAMBDA_TASK_ROOT": str(task_root),
            "LOCALCLOUD_SYS_PATH": json.dumps([str(path) for path in paths]),
        }
        return WorkerProcess(spec, environment, task_root)


def _reserved_variables(spec: FunctionSpec) -> dict[str, str]:
    """Return what AWS sets: docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "_HANDLER": spec.handler,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_VERSION": spec.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream_name(),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_SESSION_TOKEN": "localcloud",
    }


def log_stream_name() -> str:
    """Return a log stream's name in Lambda's form."""
    return f"{time.strftime('%Y/%m/%d')}/[$LATEST]{uuid.uuid4().hex}"


def _no_answer(spec: FunctionSpec, request_id: str, seconds: float) -> dict[str, Any]:
    if seconds >= spec.timeout_seconds:
        message = f"{request_id} Task timed out after {spec.timeout_seconds:.2f} seconds"
        body = {"errorMessage": message, "errorType": "Sandbox.Timedout"}
    else:
        message = f"RequestId: {request_id} Error: Runtime exited before answering"
        body = {"errorType": "Runtime.ExitError", "errorMessage": message}
    return {"payload": json.dumps(body), "functionError": "Unhandled"}


def _stop_all(workers: list[WorkerProcess]) -> None:
    for worker in workers:
        worker.stop()
    workers.clear()


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
