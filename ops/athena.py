"""Run one Athena statement in the deployment's work group and read its rows."""

from __future__ import annotations

import time
from typing import Any

from ops.deployment import Deployment
from ops.errors import OperatorError

POLL_SECONDS = 0.1


def query(deployment: Deployment, sql: str) -> list[dict[str, str]]:
    """Return the rows of a SELECT as dictionaries of strings. Raises OperatorError with Athena's reason."""
    athena = deployment.client("athena")
    execution_id = athena.start_query_execution(
        QueryString=sql,
        QueryExecutionContext={"Database": deployment.output("GlueDatabase")},
        WorkGroup=deployment.output("AthenaWorkGroup"),
    )["QueryExecutionId"]
    status = _finished(athena, execution_id)
    if status["State"] != "SUCCEEDED":
        raise OperatorError(
            f"Athena: {status.get('StateChangeReason', status['State'])}; the statement: {sql}"
        )
    rows = [
        [cell.get("VarCharValue", "") for cell in row["Data"]]
        for page in athena.get_paginator("get_query_results").paginate(QueryExecutionId=execution_id)
        for row in page["ResultSet"]["Rows"]
    ]
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def _finished(athena: Any, execution_id: str) -> dict[str, Any]:
    while True:
        status: dict[str, Any] = athena.get_query_execution(QueryExecutionId=execution_id)["QueryExecution"][
            "Status"
        ]
        if status["State"] not in {"QUEUED", "RUNNING"}:
            return status
        time.sleep(POLL_SECONDS)
