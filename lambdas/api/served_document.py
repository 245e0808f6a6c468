"""What `GET /openapi.json` answers: openapi.json with what the deployment configured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from context import ContextField
from settings import Settings

Json = dict[str, Any]
IN_CONTEXT = (("/users/{userId}/recommendations", "get"), ("/users/{userId}/rankings", "post"))
FILE = Path(__file__).with_name("openapi.json")


def served(settings: Settings) -> Json:
    """Return the document with the deployment's own filters, limits and kind of caller."""
    found: Json = json.loads(FILE.read_text(encoding="utf-8"))
    parameters = sorted({name for item in settings.filters.values() for name in item.parameters})
    for item in found["paths"].values():
        for operation in item.values():
            if operation["security"]:
                operation["security"] = [{settings.authorization: []}]
            for parameter in operation["parameters"]:
                if parameter["name"] == "numResults":
                    parameter["schema"] |= {
                        "maximum": settings.maximum_results, "default": settings.default_results,
                    }  # fmt: skip
                if parameter["name"] == "filter" and settings.filters:
                    parameter["schema"]["enum"] = sorted(settings.filters)
                    operation["parameters"] += [_filter_parameter(name) for name in parameters]
    for path, method in IN_CONTEXT:
        found["paths"][path][method]["parameters"] += [_context_parameter(one) for one in settings.context]
    schemes = found["components"]["securitySchemes"]
    found["components"]["securitySchemes"] = {settings.authorization: schemes[settings.authorization]}
    return found


def _filter_parameter(name: str) -> Json:
    text = "For filters that have it: one value, or several with commas."
    return {"name": name, "in": "query", "schema": {"type": "string"}, "description": text}


def _context_parameter(one: ContextField) -> Json:
    text = "The situation that the answer is for" + (
        ", seen in the request unless given." if one.automatic else "."
    )
    return {
        "name": one.parameter,
        "in": "query",
        "schema": {"type": "string", "enum": list(one.values)},
        "description": text,
    }
