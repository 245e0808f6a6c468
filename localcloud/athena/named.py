"""Named queries, prepared statements and changes to work groups: what moto lacks of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import moto.athena.models
from moto.core.exceptions import JsonRESTError

from localcloud.athena.errors import QueryError
from localcloud.athena.statements import Command
from localcloud.context import ACCOUNT_ID


def prepared_sql(name: str, work_group: str, region: str) -> str | None:
    """Return the text of a prepared statement, None when there is none."""
    found = _prepared(region).get(name)
    return found.query_statement if found is not None and _group_of(found) == work_group else None


def run_prepare(command: Command, work_group: str, region: str) -> None:
    """PREPARE name FROM ..., DEALLOCATE PREPARE name. Raises QueryError for a name that is not there."""
    name = str(command.parts["name"]).strip('`"')
    if command.kind == "PREPARE":
        sql = str(command.parts["sql"])
        _backend(region).create_prepared_statement(name, work_group, sql, "")
    elif prepared_sql(name, work_group, region) is None:
        raise QueryError("NOT_FOUND", f"PreparedStatement {name} was not found in workGroup {work_group}")
    else:
        del _prepared(region)[name]


def _update_work_group(request: dict[str, Any], region: str) -> dict[str, Any]:
    group = _work_group(request["WorkGroup"], region)
    if "Description" in request:
        group.description = request["Description"]
    if "State" in request:
        group.state = request["State"]
    updates = dict(request.get("ConfigurationUpdates") or {})
    results = updates.pop("ResultConfigurationUpdates", None)
    if updates.pop("RemoveBytesScannedCutoffPerQuery", False):
        group.configuration.pop("BytesScannedCutoffPerQuery", None)
    if results:
        stored = group.configuration.setdefault("ResultConfiguration", {})
        removed = {
            name.removeprefix("Remove")
            for name, gone in results.items()
            if name.startswith("Remove") and gone
        }
        stored.update({name: value for name, value in results.items() if not name.startswith("Remove")})
        for name in removed:
            stored.pop(name, None)
    group.configuration.update(updates)
    return {}


def _delete_named_query(request: dict[str, Any], region: str) -> dict[str, Any]:
    if _backend(region).named_queries.pop(request["NamedQueryId"], None) is None:
        raise _not_found(f"NamedQuery {request['NamedQueryId']} was not found")
    return {}


def _update_named_query(request: dict[str, Any], region: str) -> dict[str, Any]:
    query = _backend(region).named_queries.get(request["NamedQueryId"])
    if query is None:
        raise _not_found(f"NamedQuery {request['NamedQueryId']} was not found")
    query.name, query.query_string = request["Name"], request["QueryString"]
    query.description = request.get("Description", query.description)
    return {}


def _batch_get_named_query(request: dict[str, Any], region: str) -> dict[str, Any]:
    known = _backend(region).named_queries
    ids = request["NamedQueryIds"]
    return {
        "NamedQueries": [_named_as_dict(known[i]) for i in ids if i in known],
        "UnprocessedNamedQueryIds": [
            {"NamedQueryId": i, "ErrorCode": "INVALID_INPUT"} for i in ids if i not in known
        ],
    }


def _get_prepared_statement(request: dict[str, Any], region: str) -> dict[str, Any]:
    name, group = request["StatementName"], request["WorkGroup"]
    found = _prepared(region).get(name)
    if found is None or _group_of(found) != group:
        raise JsonRESTError("ResourceNotFoundException", f"PreparedStatement {name} was not found in {group}")
    return {
        "PreparedStatement": {
            "StatementName": name,
            "QueryStatement": found.query_statement,
            "WorkGroupName": group,
            "Description": found.description,
            "LastModifiedTime": found.last_modified_time.timestamp(),
        }
    }


def _update_prepared_statement(request: dict[str, Any], region: str) -> dict[str, Any]:
    _get_prepared_statement(request, region)
    found = _prepared(region)[request["StatementName"]]
    found.query_statement = request["QueryStatement"]
    found.description = request.get("Description", found.description)
    return {}


def _delete_prepared_statement(request: dict[str, Any], region: str) -> dict[str, Any]:
    _get_prepared_statement(request, region)
    del _prepared(region)[request["StatementName"]]
    return {}


def _list_prepared_statements(request: dict[str, Any], region: str) -> dict[str, Any]:
    found = [s for s in _prepared(region).values() if _group_of(s) == request["WorkGroup"]]
    return {
        "PreparedStatements": [
            {"StatementName": s.statement_name, "LastModifiedTime": s.last_modified_time.timestamp()}
            for s in found
        ]
    }


def _list_engine_versions(_request: dict[str, Any], _region: str) -> dict[str, Any]:
    version = "Athena engine version 3"
    return {"EngineVersions": [{"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": version}]}


def _list_work_groups(_request: dict[str, Any], region: str) -> dict[str, Any]:
    groups = _backend(region).work_groups.values()
    return {
        "WorkGroups": [
            {
                "Name": group.name,
                "State": group.state,
                "Description": group.description or "",
                "CreationTime": time.time(),
                "EngineVersion": group.configuration["EngineVersion"],
            }
            for group in groups
        ]
    }


def _backend(region: str) -> Any:
    return moto.athena.models.athena_backends[ACCOUNT_ID][region]


def _prepared(region: str) -> dict[str, Any]:
    found: dict[str, Any] = _backend(region).prepared_statements
    return found


def _group_of(statement: Any) -> str:
    return str(getattr(statement.workgroup, "name", statement.workgroup))


def _work_group(name: str, region: str) -> Any:
    found = _backend(region).work_groups.get(name)
    if found is None:
        raise _not_found(f"WorkGroup {name} is not found.")
    return found


def _named_as_dict(query: Any) -> dict[str, Any]:
    return {
        "NamedQueryId": query.id,
        "Name": query.name,
        "Description": query.description or "",
        "Database": query.database,
        "QueryString": query.query_string,
        "WorkGroup": query.workgroup.name,
    }


def _not_found(message: str) -> JsonRESTError:
    return JsonRESTError("InvalidRequestException", message)


OPERATIONS: dict[str, Callable[[dict[str, Any], str], dict[str, Any]]] = {
    "update_work_group": _update_work_group,
    "list_work_groups": _list_work_groups,
    "delete_named_query": _delete_named_query,
    "update_named_query": _update_named_query,
    "batch_get_named_query": _batch_get_named_query,
    "get_prepared_statement": _get_prepared_statement,
    "update_prepared_statement": _update_prepared_statement,
    "delete_prepared_statement": _delete_prepared_statement,
    "list_prepared_statements": _list_prepared_statements,
    "list_engine_versions": _list_engine_versions,
}
