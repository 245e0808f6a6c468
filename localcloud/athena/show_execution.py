"""A query execution as GetQueryExecution describes it."""

from __future__ import annotations

import time
from typing import Any

from localcloud.athena.executions import Execution, error_category

ENGINE = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"}


def execution_as_dict(execution: Execution) -> dict[str, Any]:
    """Return the QueryExecution of Athena's API."""
    status: dict[str, Any] = {"State": execution.state, "SubmissionDateTime": execution.submitted}
    if execution.completed is not None:
        status["CompletionDateTime"] = execution.completed
    if execution.reason:
        status["StateChangeReason"] = execution.reason
    if execution.state == "FAILED":
        status["AthenaError"] = error_category(execution)
    shown = {
        "QueryExecutionId": execution.id,
        "Query": execution.sql,
        "StatementType": execution.statement.type,
        "SubstatementType": execution.statement.kind,
        "ResultConfiguration": {
            **execution.result_configuration,
            "OutputLocation": execution.result_location,
        },
        "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": False}},
        "QueryExecutionContext": {"Database": execution.database, "Catalog": execution.catalog},
        "Status": status,
        "Statistics": _statistics(execution),
        "WorkGroup": execution.work_group,
        "EngineVersion": ENGINE,
    }
    if execution.parameters:
        shown["ExecutionParameters"] = execution.parameters
    return shown


def _statistics(execution: Execution) -> dict[str, Any]:
    now = execution.completed or time.time()
    started = execution.started or now
    queued, ran = _milliseconds(started - execution.submitted), _milliseconds(now - started)
    statistics: dict[str, Any] = {
        "EngineExecutionTimeInMillis": ran,
        "DataScannedInBytes": execution.bytes_scanned,
        "TotalExecutionTimeInMillis": queued + ran,
        "QueryQueueTimeInMillis": queued,
        "ServiceProcessingTimeInMillis": 0,
        "ResultReuseInformation": {"ReusedPreviousResult": False},
    }
    if execution.manifest_location:
        statistics["DataManifestLocation"] = execution.manifest_location
    return statistics


def _milliseconds(seconds: float) -> int:
    return max(0, round(seconds * 1000))
