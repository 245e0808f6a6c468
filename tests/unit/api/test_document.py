"""The OpenAPI document is what the code says: all of it, and nothing else."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest
from jsonschema import Draft4Validator

from tests.unit.api.conftest import LAMBDAS, Api

FOLDER = LAMBDAS / "api"
DOCUMENT: dict[str, Any] = json.loads((FOLDER / "openapi.json").read_text())
OPERATIONS = [
    (method.upper(), path, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
]


def test_the_file_is_what_the_code_generates() -> None:
    program = "import write_document, sys; sys.stdout.write(write_document.text())"
    environment = {"PYTHONPATH": f"{FOLDER}:{LAMBDAS}", "PATH": "", "AWS_DEFAULT_REGION": "ap-south-1"}
    made = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert made == (FOLDER / "openapi.json").read_text(), (
        "write it again: cd lambdas/api && PYTHONPATH=.. python -m write_document"
    )


def test_every_route_is_described_and_no_other(api: Api) -> None:
    assert {(method, path) for method, path, _ in OPERATIONS} == set(api.module.ROUTES)


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_the_query_parameters_are_those_the_route_takes(
    api: Api, method: str, path: str, operation: dict[str, Any]
) -> None:
    if not operation["security"]:
        return
    problem = api.call(method, path, {"userId": "u", "itemId": "i"}, {"unheard": "of"})[1]
    taken = re.search(r"there are (.*)", problem["errors"][0]["message"])
    assert taken is not None
    described = [p["name"] for p in operation["parameters"] if p["in"] == "query"]
    assert taken[1] == (", ".join(described) or "none")


def test_answers_are_as_their_schema_says(api: Api) -> None:
    schemas = {"components": DOCUMENT["components"]}
    for query in ({}, {"metadata": "true"}, {"filter": "not-bought"}):
        page = Draft4Validator({**schemas, "$ref": "#/components/schemas/Page"})
        answer = {name: value for name, value in api.recommend(**query).items() if name != "modelVersion"}
        page.validate({**answer, "modelVersion": "v"})
    problem = api.call("GET", "/users/{userId}/coupons", {"userId": "u"}, {"numResults": "x"})[1]
    Draft4Validator({**schemas, "$ref": "#/components/schemas/Problem"}).validate(problem)


def test_the_served_document_has_the_deployments_filters_limits_and_callers(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(FOLDER)
    status, served = api.call("GET", "/openapi.json")
    operation = served["paths"]["/users/{userId}/recommendations"]["get"]
    parameters = {parameter["name"]: parameter["schema"] for parameter in operation["parameters"]}
    assert status == 200
    assert parameters["filter"]["enum"] == ["mode", "not-bought"]
    assert (parameters["numResults"]["maximum"], parameters["numResults"]["default"]) == (50, 5)
    assert "transportMode" in parameters
    assert operation["security"] == [{"api_key": []}]
    assert list(served["components"]["securitySchemes"]) == ["api_key"]


def test_no_other_request_imports_the_document(api: Api) -> None:
    for name in ("document", "served_document"):
        sys.modules.pop(name, None)
    api.recommend()
    assert not {"document", "served_document"} & set(sys.modules)
