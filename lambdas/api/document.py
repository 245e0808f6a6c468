"""The API's OpenAPI document, made of the routes and the limits that requests are held to.

write_document makes openapi.json of it. Nothing that answers requests imports this module.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import reading

Json = dict[str, Any]
OPEN = {"/health", "/openapi.json", "/docs"}
SOURCES = ["personalize", "stored", "popular", "given-order", "none"]
ID: Json = {"type": "string", "minLength": 1, "maxLength": reading.LONGEST_ID}
COUNT: Json = {"type": "integer", "minimum": 1}
MOMENT: Json = {"oneOf": [{"type": "number", "minimum": 0}, {"type": "string", "format": "date-time"}]}
NUMBER: Json = {"type": "number", "minimum": -reading.LARGEST_NUMBER, "maximum": reading.LARGEST_NUMBER}

QUERY: Json = {
    "numResults": (COUNT, "How many items at most."),
    "metadata": ({"type": "boolean"}, "Answer items with their metadata."),
    "filter": ({"type": "string"}, "A configured filter; its parameters are query parameters too."),
    "userId": (ID, "For filters on what the user did."),
}  # fmt: skip

# What each route takes in its query and its body, and answers when all is well.
ROUTES: dict[tuple[str, str], tuple[tuple[str, ...], str | None, HTTPStatus, str]] = {
    ("GET", "/users/{userId}/recommendations"): (
        ("numResults", "filter", "metadata"), None, HTTPStatus.OK, "Page",
    ),
    ("GET", "/users/{userId}/coupons"): (("numResults",), None, HTTPStatus.OK, "Page"),
    ("POST", "/users/{userId}/rankings"): ((), "ItemIds", HTTPStatus.OK, "Page"),
    ("PUT", "/users/{userId}"): ((), "Properties", HTTPStatus.ACCEPTED, "Accepted"),
    ("GET", "/items/{itemId}/similar"): (
        ("numResults", "filter", "metadata", "userId"), None, HTTPStatus.OK, "Page",
    ),
    ("PUT", "/items/{itemId}"): ((), "Properties", HTTPStatus.ACCEPTED, "Accepted"),
    ("POST", "/events"): ((), "Events", HTTPStatus.ACCEPTED, "Accepted"),
    ("GET", "/availability/{itemId}"): ((), None, HTTPStatus.OK, "Availability"),
    ("PUT", "/availability/{itemId}"): ((), "Availability", HTTPStatus.OK, "Availability"),
    ("POST", "/availability"): ((), "Availabilities", HTTPStatus.OK, "Updated"),
    ("GET", "/health"): ((), None, HTTPStatus.OK, "Health"),
    ("GET", "/openapi.json"): ((), None, HTTPStatus.OK, "OpenApi"),
}  # fmt: skip
REFUSALS = {
    HTTPStatus.BAD_REQUEST: "The request is not valid; `errors` names the field.",
    HTTPStatus.UNAUTHORIZED: "There is no valid token.",
    HTTPStatus.FORBIDDEN: "The caller may not call this.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: f"A body has at most {reading.MOST_BYTES_OF_BODY} bytes.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many requests.",
    HTTPStatus.SERVICE_UNAVAILABLE: "A store did not answer; try again.",
}
SECURITY: Json = {
    "api_key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    "iam": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "AWS Signature V4."},
    "jwt": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
}


def document(summaries: dict[tuple[str, str], str]) -> Json:
    """Return the document of all routes; `summaries` are the docstrings of their functions."""
    paths: Json = {}
    for (method, path), (names, body, status, answer) in ROUTES.items():
        operation: Json = {
            "summary": summaries[method, path].rstrip("."),
            "operationId": f"{method.lower()}{''.join(part.title() for part in path.split('/')[1:])}"
            .replace("{", "By").replace("}", "").replace(".", ""),
            "parameters": [
                *(_path_parameter(part[1:-1]) for part in path.split("/") if part.startswith("{")),
                *(_query_parameter(name) for name in names),
            ],
            "responses": {str(status.value): _answer(status.phrase, answer)},
            "security": [] if path in OPEN else [{name: []} for name in SECURITY],
        }  # fmt: skip
        if body:
            content = {"application/json": {"schema": _schema(body)}}
            operation["requestBody"] = {"required": True, "content": content}
        if answer == "Page":
            operation["responses"] |= _cached(operation) if method == "GET" else {}
        if path not in OPEN:
            operation["responses"] |= _refusals(
                may_be_missing=(method, path) == ("GET", "/availability/{itemId}")
            )
        paths.setdefault(path, {})[method.lower()] = operation
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Personalisation API",
            "version": "1",
            "description": "Recommendations of what can be booked. Every read answers, with what is popular "
            "when nothing better is known.",
        },
        "paths": paths,
        "components": {"securitySchemes": SECURITY, "schemas": SCHEMAS},
    }


def _path_parameter(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": ID}


def _query_parameter(name: str) -> Json:
    schema, description = QUERY[name]
    return {"name": name, "in": "query", "schema": schema, "description": description}


def _answer(description: str, schema: str, media_type: str = "application/json") -> Json:
    return {"description": description, "content": {media_type: {"schema": _schema(schema)}}}


def _refusals(*, may_be_missing: bool) -> Json:
    refusals = {
        str(s.value): _answer(text, "Problem", "application/problem+json") for s, text in REFUSALS.items()
    }
    if may_be_missing:
        refusals["404"] = _answer("Nothing is known of the item.", "Problem", "application/problem+json")
    return refusals


def _cached(operation: Json) -> Json:
    """Describe the entity tag of a page; return the answer to who has it already."""
    tag = {"ETag": {"schema": {"type": "string"}, "description": "Send it as If-None-Match the next time."}}
    operation["responses"]["200"]["headers"] = tag
    operation["parameters"].append(
        {"name": "If-None-Match", "in": "header", "schema": {"type": "string"},
         "description": "The ETag of an answer that the client has."}
    )  # fmt: skip
    return {"304": {"description": "The answer is the same as the client has.", "headers": tag}}


def _schema(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(required: tuple[str, ...], *, closed: bool = True, **properties: Json) -> Json:
    schema: Json = {"type": "object", "properties": properties}
    if required:
        schema["required"] = list(required)
    return {**schema, "additionalProperties": False} if closed else schema


def _optional(schema: Json) -> Json:
    """Let null stand for what is left out."""
    if "oneOf" in schema:
        first, *others = schema["oneOf"]
        return {**schema, "oneOf": [{**first, "nullable": True}, *others]}
    return {**schema, "nullable": True}


def _list(items: Json, most: int) -> Json:
    return {"type": "array", "minItems": 1, "maxItems": most, "items": items}


def _properties() -> Json:
    text: Json = {"type": "string", "maxLength": reading.LONGEST_VALUE}
    values: Json = {"anyOf": [_optional(text), NUMBER, {"type": "boolean"}]}
    return {"type": "object", "minProperties": 1, "additionalProperties": values}


AVAILABILITY: Json = {
    "available": {"type": "boolean"},
    "seats": _optional({"type": "integer", "minimum": 0, "maximum": reading.MOST_SEATS}),
    "price": _optional({"type": "number", "minimum": 0, "maximum": reading.HIGHEST_PRICE}),
    "expiresAt": {**_optional(MOMENT), "description": "From then on the record counts as unknown."},
}
SCHEMAS: Json = {
    "Page": _object(
        ("recommendationId", "modelVersion", "source", "attribution", "items"),
        closed=False,
        recommendationId={"type": "string", "description": "Send it with events of these items."},
        modelVersion={"type": "string", "nullable": True, "description": "The version that answered."},
        source={"type": "string", "enum": SOURCES, "description": "All but `personalize` are fallbacks."},
        attribution={"type": "string", "description": "Send it with events of these items."},
        variant={"type": "string", "enum": ["control", "treatment"], "description": "Of the experiment."},
        filtered={"type": "boolean", "description": "Whether the filter asked for was applied."},
        toppedUpWithPopular={"type": "integer", "minimum": 0, "description": "Popular items at the end."},
        items={
            "type": "array",
            "items": _object(
                ("itemId",), closed=False, itemId=ID, score={"type": "number"}, metadata={"type": "object"}
            ),
        },
    ),
    "ItemIds": _object(("itemIds",), itemIds=_list(ID, reading.MOST_RANKED)),
    "Properties": _object(("properties",), properties=_properties()),
    "Events": _object(("events",), events=_list(_schema("Event"), reading.MOST_EVENTS)),
    "Event": _object(
        ("eventId", "sessionId", "eventType", "timestamp"),
        eventId={**ID, "description": "Unique; an event sent twice counts once."},
        userId=_optional(ID),
        sessionId=ID,
        eventType=ID,
        eventValue=_optional(NUMBER),
        itemId=_optional(ID),
        timestamp=MOMENT,
        properties=_optional(_properties()),
        recommendationId=_optional({**ID, "maxLength": reading.LONGEST_RECOMMENDATION_ID}),
        attribution=_optional({"type": "string", "minLength": 1, "maxLength": reading.LONGEST_ATTRIBUTION}),
        impression=_optional(_list(ID, reading.MOST_IN_IMPRESSION)),
    ),
    "Accepted": _object(("accepted",), accepted=COUNT),
    "Availability": _object(("available",), itemId=ID, **AVAILABILITY),
    "Availabilities": _object(
        ("items",),
        items=_list(_object(("itemId", "available"), itemId=ID, **AVAILABILITY), reading.MOST_RECORDS),
    ),
    "Updated": _object(("updated",), updated=COUNT),
    "Health": _object(("status",), status={"type": "string", "enum": ["ok"]}),
    "OpenApi": {"type": "object"},
    "Problem": _object(
        ("type", "title"),
        closed=False,
        type={"type": "string"},
        title={"type": "string"},
        status={"type": "integer"},
        detail={"type": "string"},
        errors={
            "type": "array",
            "items": _object(("field", "message"), field={"type": "string"}, message={"type": "string"}),
        },
    ),
}  # fmt: skip
