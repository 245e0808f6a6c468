"""The REST API's function: one route, one function below; what is refused is a problem document."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

import reading
from availability import Availability, UnreadError
from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from event_queue import EventQueue, NotQueuedError
from fallback import Catalogue, LastAnswers
from problem import Problem
from recommender import Recommender
from serving import Serving
from settings import Settings, from_environment

Event = dict[str, Any]
JSON = {"Content-Type": "application/json", "Cache-Control": "no-store"}
PROBLEM = {"Content-Type": "application/problem+json", "Cache-Control": "no-store"}
logger = Logger()


class Api:
    """What one container keeps between requests."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.availability = Availability(
            settings.availability_table, unknown_is_available=settings.unknown_is_available
        )
        self.queue = EventQueue(settings.event_queue_url)
        self.serving = Serving(
            Recommender(settings.campaigns),
            self.availability,
            LastAnswers(settings.fallback_table),
            Catalogue(settings.latest_datasets_uri),
        )


@cache
def api() -> Api:
    """Return the container's API, made at its first request."""
    return Api(from_environment())


def recommend(event: Event) -> tuple[int, Any]:
    """GET /users/{userId}/recommendations."""
    settings = api().settings
    wanted = settings.filters.get((event.get("queryStringParameters") or {}).get("filter", ""))
    parameters = wanted.parameters if wanted else ()
    found = reading.query(event, "numResults", "filter", "metadata", *parameters)
    user_id = reading.identifier(event["pathParameters"], "userId")
    return 200, api().serving.recommend(
        user_id,
        reading.results(found, settings),
        reading.filter_of(found, settings),
        metadata=reading.flag(found, "metadata"),
    )


def similar(event: Event) -> tuple[int, Any]:
    """GET /items/{itemId}/similar."""
    found = reading.query(event, "numResults", "metadata", "userId")
    item_id = reading.identifier(event["pathParameters"], "itemId")
    count = reading.results(found, api().settings)
    return 200, api().serving.similar(item_id, count, metadata=reading.flag(found, "metadata"))


def rank(event: Event) -> tuple[int, Any]:
    """POST /users/{userId}/rankings."""
    reading.query(event)
    user_id = reading.identifier(event["pathParameters"], "userId")
    return 200, api().serving.rank(user_id, reading.item_ids(reading.body(event)))


def coupons(event: Event) -> tuple[int, Any]:
    """GET /users/{userId}/coupons."""
    found = reading.query(event, "numResults")
    user_id = reading.identifier(event["pathParameters"], "userId")
    return 200, api().serving.coupons(user_id, reading.results(found, api().settings))


def accept_events(event: Event) -> tuple[int, Any]:
    """POST /events."""
    reading.query(event)
    events = reading.events(reading.body(event))
    api().queue.send([{"kind": "event", **item} for item in events])
    return 202, {"accepted": len(events)}


def put_user(event: Event) -> tuple[int, Any]:
    """PUT /users/{userId}."""
    reading.query(event)
    user_id = reading.identifier(event["pathParameters"], "userId")
    properties = reading.properties(reading.body(event))
    api().queue.send([{"kind": "user", "userId": user_id, "properties": properties}])
    return 202, {"accepted": 1}


def put_item(event: Event) -> tuple[int, Any]:
    """PUT /items/{itemId}."""
    reading.query(event)
    item_id = reading.identifier(event["pathParameters"], "itemId")
    properties = reading.properties(reading.body(event))
    api().queue.send([{"kind": "item", "itemId": item_id, "properties": properties}])
    return 202, {"accepted": 1}


def read_availability(event: Event) -> tuple[int, Any]:
    """GET /availability/{itemId}."""
    reading.query(event)
    item_id = reading.identifier(event["pathParameters"], "itemId")
    record = api().availability.read(item_id)
    if record is None:
        raise Problem(HTTPStatus.NOT_FOUND, "no availability is known of this item")
    return 200, record


def put_availability(event: Event) -> tuple[int, Any]:
    """PUT /availability/{itemId}."""
    reading.query(event)
    item_id = reading.identifier(event["pathParameters"], "itemId")
    record = reading.record(item_id, reading.body(event))
    api().availability.write([record])
    return 200, record


def put_availabilities(event: Event) -> tuple[int, Any]:
    """POST /availability."""
    reading.query(event)
    return 200, {"updated": api().availability.write(reading.records(reading.body(event)))}


def health(_event: Event) -> tuple[int, Any]:
    """GET /health."""
    return 200, {"status": "ok"}


def openapi(_event: Event) -> tuple[int, Any]:
    """GET /openapi.json."""
    return 200, json.loads(_file("openapi.json"))


ROUTES: dict[tuple[str, str], Callable[[Event], tuple[int, Any]]] = {
    ("GET", "/users/{userId}/recommendations"): recommend,
    ("GET", "/users/{userId}/coupons"): coupons,
    ("POST", "/users/{userId}/rankings"): rank,
    ("PUT", "/users/{userId}"): put_user,
    ("GET", "/items/{itemId}/similar"): similar,
    ("PUT", "/items/{itemId}"): put_item,
    ("POST", "/events"): accept_events,
    ("GET", "/availability/{itemId}"): read_availability,
    ("PUT", "/availability/{itemId}"): put_availability,
    ("POST", "/availability"): put_availabilities,
    ("GET", "/health"): health,
    ("GET", "/openapi.json"): openapi,
}


def handler(event: Event, _context: Any) -> dict[str, Any]:
    """Answer one request in API Gateway's proxy form."""
    started = time.perf_counter()
    route = (event["httpMethod"], event["resource"])
    if route == ("GET", "/docs"):
        return {"statusCode": 200, "headers": {"Content-Type": "text/html"}, "body": _file("docs.html")}
    try:
        status, answer = _answered(route, event)
        headers = JSON
    except Problem as problem:
        status, answer, headers = problem.status.value, problem.document(), PROBLEM
    logger.info(
        "answered",
        extra={
            "route": f"{route[0]} {route[1]}",
            "status": status,
            "source": answer.get("source"),
            "milliseconds": round((time.perf_counter() - started) * 1000, 2),
        },
    )
    return {"statusCode": status, "headers": headers, "body": json.dumps(answer, separators=(",", ":"))}


def _answered(route: tuple[str, str], event: Event) -> tuple[int, Any]:
    """Call the route. Raises Problem, for a store that does not answer too: the client may try again."""
    function = ROUTES.get(route)
    if function is None:
        raise Problem(HTTPStatus.NOT_FOUND, "there is no such route")
    try:
        return function(event)
    except (ClientError, BotoCoreError, UnreadError, NotQueuedError) as error:
        logger.exception("a store did not answer")
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "please try again") from error


def _file(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
