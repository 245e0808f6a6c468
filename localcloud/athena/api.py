"""Athena's operations on queries, added to moto's responses; work groups and catalogs stay moto's."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import moto.athena.models
import moto.athena.responses
from moto.core.exceptions import JsonRESTError

from localcloud.athena import named
from localcloud.athena.errors import MalformedQueryError
from localcloud.athena.executions import Execution, Executor, require_bucket
from localcloud.athena.metadata import METADATA_OPERATIONS
from localcloud.athena.parsing import parse
from localcloud.athena.results import read_csv_page, read_lines_page
from localcloud.athena.show_execution import execution_as_dict
from localcloud.athena.statements import Execute, Statement
from localcloud.context import ACCOUNT_ID, CloudContext
from localcloud.s3 import ObjectTree

PAGE_ROWS = 1000
PAGE_IDS = 50
LONGEST_QUERY_BYTES = 262_144


class InvalidRequestError(JsonRESTError):
    """A request that Athena refuses."""

    def __init__(self, message: str, code: str = "INVALID_INPUT") -> None:
        super().__init__("InvalidRequestException", message)
        body = {"__type": "InvalidRequestException", "Message": message, "AthenaErrorCode": code}
        self.description = json.dumps(body)


class QueryApi:
    """The operations; each takes the request's parameters and its region, and returns the answer."""

    def __init__(self, executor: Executor, tree: ObjectTree) -> None:
        self._executor = executor
        self._tree = tree
        self._by_token: dict[tuple[str, str], str] = {}

    def start_query_execution(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        """Check a query and queue it."""
        token = request.get("ClientRequestToken")
        if token and (region, token) in self._by_token:
            return {"QueryExecutionId": self._by_token[region, token]}
        execution = self._described(request, region)
        self._executor.submit(execution)
        if token:
            self._by_token[region, token] = execution.id
        return {"QueryExecutionId": execution.id}

    def get_query_execution(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        """Describe an execution."""
        return {"QueryExecution": execution_as_dict(self._found(request["QueryExecutionId"], region))}

    def batch_get_query_execution(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        """Describe several executions."""
        known = {i: e for i, e in self._executor.executions.items() if e.region == region}
        ids = request["QueryExecutionIds"]
        return {
            "QueryExecutions": [execution_as_dict(known[i]) for i in ids if i in known],
            "UnprocessedQueryExecutionIds": [
                {
                    "QueryExecutionId": i,
                    "ErrorCode": "INVALID_INPUT",
                    "ErrorMessage": f"QueryExecution {i} was not found",
                }
                for i in ids
                if i not in known
            ],
        }

    def list_query_executions(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        """List the ids of a work group's executions, newest first."""
        group = request.get("WorkGroup", "primary")
        _work_group(group, region)
        ids = [
            e.id
            for e in reversed(self._executor.executions.values())
            if e.region == region and e.work_group == group
        ]
        start = int(request.get("NextToken") or 0)
        end = start + int(request.get("MaxResults") or PAGE_IDS)
        return {"QueryExecutionIds": ids[start:end], **({"NextToken": str(end)} if end < len(ids) else {})}

    def stop_query_execution(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        """Cancel an execution."""
        self._found(request["QueryExecutionId"], region).cancel("Query cancelled by user")
        return {}

    def get_query_results(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        """Return a page of a result; the first row of a SELECT's first page is the header."""
        execution = self._found(request["QueryExecutionId"], region)
        if not execution.has_ended:
            raise InvalidRequestError(f"Query has not yet finished. Current state: {execution.state}")
        if execution.state != "SUCCEEDED":
            raise InvalidRequestError(
                f"Query did not finish successfully. Final query state: {execution.state}"
            )
        rows, following = self._rows(execution, request)
        data = [{"Data": [{} if v is None else {"VarCharValue": v} for v in row]} for row in rows]
        metadata = {"ColumnInfo": execution.columns}
        answer: dict[str, Any] = {
            "ResultSet": {"Rows": data, "ResultSetMetadata": metadata},
            "UpdateCount": 0,
        }
        return {**answer, "NextToken": str(following)} if following is not None else answer

    def get_query_runtime_statistics(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        """Return the times and sizes of an execution."""
        execution = self._found(request["QueryExecutionId"], region)
        statistics = execution_as_dict(execution)["Statistics"]
        timeline = {name: value for name, value in statistics.items() if name.endswith("InMillis")}
        rows = {"InputBytes": execution.bytes_scanned}
        return {"QueryRuntimeStatistics": {"Timeline": timeline, "Rows": rows}}

    def _rows(
        self, execution: Execution, request: dict[str, Any]
    ) -> tuple[list[list[str | None]], int | None]:
        if not execution.columns:
            return [], None
        bucket, _, key = execution.result_location.removeprefix("s3://").partition("/")
        path = self._tree.key_path(bucket, key)
        if path is None or not path.exists():
            raise InvalidRequestError(f"Could not find results in {execution.result_location}")
        read = read_lines_page if execution.prints_lines else read_csv_page
        most = min(int(request.get("MaxResults") or PAGE_ROWS), PAGE_ROWS)
        return read(path, int(request.get("NextToken") or 0), most)

    def _described(self, request: dict[str, Any], region: str) -> Execution:
        sql = request["QueryString"]
        if len(sql.encode()) > LONGEST_QUERY_BYTES:
            raise InvalidRequestError("Query string is longer than 262144 bytes")
        group_name = request.get("WorkGroup") or "primary"
        group = _work_group(group_name, region)
        if group.state != "ENABLED":
            raise InvalidRequestError(f"WorkGroup {group_name} is disabled.")
        enforced = bool(group.configuration.get("EnforceWorkGroupConfiguration"))
        configuration = _result_configuration(request, group.configuration, enforced=enforced)
        context = request.get("QueryExecutionContext") or {}
        parameters = request.get("ExecutionParameters")
        try:
            statement = _resolved(parse(sql, parameters), group_name, region)
            require_bucket(configuration["OutputLocation"])
        except MalformedQueryError as error:
            raise InvalidRequestError(str(error), "MALFORMED_QUERY") from error
        except ValueError as error:
            raise InvalidRequestError(str(error)) from error
        return Execution(
            sql=sql,
            statement=statement,
            region=region,
            database=(context.get("Database") or "default").lower(),
            catalog=context.get("Catalog") or "awsdatacatalog",
            work_group=group_name,
            output_location=configuration["OutputLocation"],
            is_enforced=enforced,
            bytes_cutoff=group.configuration.get("BytesScannedCutoffPerQuery"),
            parameters=parameters,
            result_configuration=configuration,
        )

    def _found(self, execution_id: str, region: str) -> Execution:
        execution = self._executor.executions.get(execution_id)
        if execution is None or execution.region != region:
            raise InvalidRequestError(f"QueryExecution {execution_id} was not found")
        return execution


def patch_moto(context: CloudContext, tree: ObjectTree) -> Callable[[], None]:
    """Make moto's Athena run queries; return what stops them."""
    executor = Executor(context, tree)
    api = QueryApi(executor, tree)
    operations: dict[str, Callable[[dict[str, Any], str], dict[str, Any]]] = {
        name: getattr(api, name)
        for name in (
            "start_query_execution",
            "get_query_execution",
            "batch_get_query_execution",
            "list_query_executions",
            "stop_query_execution",
            "get_query_results",
            "get_query_runtime_statistics",
        )
    }
    for name, operation in {**operations, **METADATA_OPERATIONS, **named.OPERATIONS}.items():
        setattr(moto.athena.responses.AthenaResponse, name, _answering(operation))
    return executor.stop


def _answering(operation: Callable[[dict[str, Any], str], dict[str, Any]]) -> Callable[[Any], str]:
    def answer(response: Any) -> str:
        return json.dumps(operation(json.loads(response.body), response.region))

    return answer


def _work_group(name: str, region: str) -> Any:
    groups = moto.athena.models.athena_backends[ACCOUNT_ID][region].work_groups
    if name not in groups:
        raise InvalidRequestError(f"WorkGroup {name} is not found.")
    return groups[name]


def _result_configuration(
    request: dict[str, Any], group: dict[str, Any], *, enforced: bool
) -> dict[str, Any]:
    """Return where and how the result is stored: the work group's word first when it insists."""
    of_group = group.get("ResultConfiguration") or {}
    of_request = request.get("ResultConfiguration") or {}
    chosen: dict[str, Any] = {**of_request, **of_group} if enforced else {**of_group, **of_request}
    if not chosen.get("OutputLocation"):
        raise InvalidRequestError(
            "No output location provided. An output location is required either through the Workgroup result "
            "configuration setting or as an API input."
        )
    return chosen


def _resolved(statement: Statement, group: str, region: str) -> Statement:
    """Put a prepared statement's text in place of EXECUTE."""
    if not isinstance(statement, Execute):
        return statement
    prepared = named.prepared_sql(statement.name, group, region)
    if prepared is None:
        raise InvalidRequestError(f"PreparedStatement {statement.name} was not found in workGroup {group}")
    return parse(prepared, statement.parameters)
