"""Query executions: queued, run in a pool of threads, kept with their states, statistics and results."""

from __future__ import annotations

import logging
import re
import shutil
import threading
import time
import traceback
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import moto.s3.models
from duckdb import Error as DuckDBError
from moto.core.exceptions import ServiceException

from localcloud.athena.catalog import Catalog, bucket_and_prefix
from localcloud.athena.errors import USER_ERROR, QueryCancelledError, QueryError
from localcloud.athena.results import write_metadata
from localcloud.athena.runner import Outcome, Place, run
from localcloud.athena.session import Session
from localcloud.athena.statements import Command, CreateTable, CreateView, Explain, Statement
from localcloud.context import ACCOUNT_ID, CloudContext
from localcloud.s3 import ObjectTree

CONCURRENT = 4
ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})
PRINTS_LINES = (Command, CreateTable, CreateView, Explain)
logger = logging.getLogger(__name__)


@dataclass
class Execution:
    """One query execution; times are epoch seconds, durations milliseconds."""

    sql: str
    statement: Statement
    region: str
    database: str
    catalog: str
    work_group: str
    output_location: str
    is_enforced: bool
    bytes_cutoff: int | None
    parameters: list[str] | None
    result_configuration: dict[str, Any]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: str = "QUEUED"
    reason: str | None = None
    submitted: float = field(default_factory=time.time)
    started: float | None = None
    completed: float | None = None
    bytes_scanned: int = 0
    columns: list[dict[str, Any]] = field(default_factory=list)
    result_location: str = ""
    manifest_location: str | None = None
    session: Session | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def has_ended(self) -> bool:
        """Whether the execution is over."""
        return self.state in ENDED

    @property
    def prints_lines(self) -> bool:
        """Whether the result is lines of text, not CSV."""
        return isinstance(self.statement, PRINTS_LINES)

    def cancel(self, reason: str) -> None:
        """Stop it; nothing happens to one that is over."""
        with self.lock:
            if self.has_ended:
                return
            if self.session is None:
                self.end("CANCELLED", reason)
            else:
                self.session.cancel(reason)

    def end(self, state: str, reason: str | None = None) -> None:
        """Say how it ended."""
        self.state, self.reason, self.completed = state, reason, time.time()


class Executor:
    """Runs executions, a few at a time, each in a DuckDB of its own."""

    def __init__(self, context: CloudContext, tree: ObjectTree) -> None:
        self._work = context.work_dir / "athena"
        self._tree = tree
        self._pool = ThreadPoolExecutor(CONCURRENT, thread_name_prefix="athena")
        self.executions: dict[str, Execution] = {}

    def submit(self, execution: Execution) -> None:
        """Queue an execution."""
        suffix = ".txt" if execution.prints_lines else ".csv"
        execution.result_location = f"{execution.output_location.rstrip('/')}/{execution.id}{suffix}"
        self.executions[execution.id] = execution
        self._pool.submit(self._run, execution)

    def stop(self) -> None:
        """Cancel what runs and wait for it."""
        for execution in list(self.executions.values()):
            execution.cancel("localcloud is stopping")
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, execution: Execution) -> None:
        folder = self._work / execution.id
        folder.mkdir(parents=True)
        try:
            session = Session(
                Catalog(execution.region), self._tree, folder, execution.database, execution.sql
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the execution's end, with its cause
            state, reason = _failure(error)
            self._finish(execution, lambda: (state, reason))
            return
        with execution.lock:
            if execution.has_ended:
                session.close()
                return
            execution.session, execution.state, execution.started = session, "RUNNING", time.time()
        try:
            self._finish(execution, lambda: self._work_through(execution, session))
        finally:
            session.close()
            shutil.rmtree(folder, ignore_errors=True)

    def _finish(self, execution: Execution, work: Callable[[], tuple[str, str | None]]) -> None:
        try:
            state, reason = work()
        except QueryCancelledError as error:
            state, reason = "CANCELLED", str(error)
        except Exception as error:  # noqa: BLE001 - as above
            state, reason = _failure(error)
        with execution.lock:
            execution.session = None
            execution.end(state, reason)

    def _work_through(self, execution: Execution, session: Session) -> tuple[str, str | None]:
        place = Place(
            region=execution.region,
            work_group=execution.work_group,
            data_location=f"{execution.output_location.rstrip('/')}/tables/{execution.id}",
            is_enforced=execution.is_enforced,
        )
        outcome = run(session, execution.statement, place)
        execution.bytes_scanned = session.bytes_scanned
        if execution.bytes_cutoff and execution.bytes_scanned > execution.bytes_cutoff:
            raise QueryCancelledError("Bytes scanned limit was exceeded")
        self._publish(execution, session, outcome)
        return "SUCCEEDED", None

    def _publish(self, execution: Execution, session: Session, outcome: Outcome) -> None:
        bucket, key = bucket_and_prefix(execution.result_location)
        if outcome.result is not None:
            execution.columns = [column.as_dict() for column in outcome.columns]
            self._tree.put_file(bucket, key, outcome.result)
            metadata = session.folder / "metadata"
            write_metadata(outcome.columns, metadata)
            self._tree.put_file(bucket, f"{key}.metadata", metadata)
        else:
            execution.result_location = execution.result_location.removesuffix(".csv")
        if outcome.manifest is not None:
            manifest = session.folder / "manifest.csv"
            manifest.write_text(outcome.manifest, encoding="utf-8")
            manifest_key = f"{key.removesuffix('.csv')}-manifest.csv"
            self._tree.put_file(bucket, manifest_key, manifest)
            execution.manifest_location = f"s3://{bucket}/{manifest_key}"


def require_bucket(location: str) -> None:
    """Raise ValueError unless the bucket of an output location is there."""
    if not re.match(r"s3[an]?://[^/]+", location):
        raise ValueError(f"outputLocation is not a valid S3 path: {location}")
    bucket = bucket_and_prefix(location)[0]
    if bucket not in moto.s3.models.s3_backends[ACCOUNT_ID]["aws"].buckets:
        raise ValueError(f"Unable to verify/create output bucket {bucket}")


def error_category(execution: Execution) -> dict[str, Any]:
    """Return the AthenaError of a failed execution."""
    return {
        "ErrorCategory": USER_ERROR,
        "ErrorType": 1006,
        "Retryable": False,
        "ErrorMessage": execution.reason,
    }


def _failure(error: Exception) -> tuple[str, str | None]:
    if isinstance(error, QueryError):
        return "FAILED", str(error)
    if isinstance(error, ServiceException | DuckDBError):
        return "FAILED", f"GENERIC_INTERNAL_ERROR: {error}"
    logger.error("a query failed inside localcloud's Athena: %s", "".join(traceback.format_exception(error)))
    return "FAILED", f"GENERIC_INTERNAL_ERROR: {type(error).__name__}: {error}"
