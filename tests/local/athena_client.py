"""An Athena client for tests: runs a statement to its end and reads its result."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

ENDED = {"SUCCEEDED", "FAILED", "CANCELLED"}


@dataclass
class Answer:
    """An ended query execution: its rows (without the header) and the names and types of its columns."""

    execution: dict[str, Any]
    rows: list[list[str | None]]
    names: list[str]
    types: list[str]

    @property
    def state(self) -> str:
        return str(self.execution["Status"]["State"])

    @property
    def reason(self) -> str:
        return str(self.execution["Status"].get("StateChangeReason", ""))


class AthenaClient:
    def __init__(self, server: Any, database: str, bucket: str) -> None:
        self.athena = server.client("athena")
        self.s3 = server.client("s3")
        self.glue = server.client("glue")
        self.database = database
        self.bucket = bucket

    def start(self, sql: str, **options: Any) -> str:
        options.setdefault("ResultConfiguration", {"OutputLocation": f"s3://{self.bucket}/athena/"})
        context = {"Database": self.database}
        started = self.athena.start_query_execution(QueryString=sql, QueryExecutionContext=context, **options)
        return str(started["QueryExecutionId"])

    def wait(self, execution_id: str) -> Answer:
        for _ in range(3000):
            execution = self.athena.get_query_execution(QueryExecutionId=execution_id)["QueryExecution"]
            if execution["Status"]["State"] in ENDED:
                return self._answer(execution)
            time.sleep(0.01)
        raise TimeoutError(execution_id)

    def run(self, sql: str, **options: Any) -> Answer:
        return self.wait(self.start(sql, **options))

    def rows(self, sql: str, **options: Any) -> list[list[str | None]]:
        answer = self.run(sql, **options)
        assert answer.state == "SUCCEEDED", answer.reason
        return answer.rows

    def put(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)

    def keys(self, prefix: str) -> list[str]:
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for entry in found.get("Contents", [])]

    def _answer(self, execution: dict[str, Any]) -> Answer:
        if execution["Status"]["State"] != "SUCCEEDED":
            return Answer(execution, [], [], [])
        pages = self.athena.get_paginator("get_query_results").paginate(
            QueryExecutionId=execution["QueryExecutionId"]
        )
        rows, columns = [], []
        for page in pages:
            columns = page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
            rows += [
                [value.get("VarCharValue") for value in row["Data"]] for row in page["ResultSet"]["Rows"]
            ]
        has_header = execution["SubstatementType"] == "SELECT"
        names = [column["Name"] for column in columns]
        return Answer(
            execution, rows[1:] if has_header else rows, names, [column["Type"] for column in columns]
        )
