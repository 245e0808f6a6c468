"""The REST API's function: one route, one function below; what is refused is a problem document."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

import caching
import reading
from access import caller_of
from availability import Availability, UnreadError
from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from context import context_of, header
from deadline import Deadline
from event_queue import EventQueue, NotQueuedError
from fallback import Catalogue, LastAnswers
from problem import Problem
from recommender import Recommender
from serving import POPULAR, Serving, Wish
from settings import Settings, from_environment
from shared.attribution import dimensions
from shared.clients import within
from shared.error_code import error_code
from shared.metric_line import counted
from shared.user_names import UserNames

Event = dict[str, Any]
JSON = {"Content-Type": "application/json", "Cache-Control": "no-store"}
PROBLEM = {"Content-Type": "application/problem+json", "Cache-Control": "no-store"}
# What a deployment changes, and nothing else does.
DOCUMENT = {"Content-Type": "application/json", "Cache-Control": "public, max-age=300"}
PAGE = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "public, max-age=300"}
START_SECONDS = 5.0
logger = Logger()


class Api:
    """What one container keeps between requests."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.context_parameters = tuple(one.parameter for one in settings.context)
        self.recipes = frozenset({*settings.campaigns, POPULAR})
        self.availability = Availability(
            settings.availability_table, unknown_is_available=settings.unknown_is_available
        )
        self.queue = EventQueue(settings.event_queue_url)
        self.catalogue = Catalogue(settings.latest_datasets_uri)
        self.serving = Serving(
            Recommender(settings.campaigns, UserNames(settings.pseudonym_key_arn)),
            self.availability,
            LastAnswers(settings.fallback_table),
            self.catalogue,
            settings.experiment,
        )

    def deadline(self) -> Deadline:
        """Return the deadline of a request that comes in now."""
        return Deadline(self.settings.time_budget_seconds)

    def context(self, event: Event, query: dict[str, str]) -> dict[str, str]:
        """Return what Personalize is to know of the request's situation, by column."""
        fields = self.settings.context
        return context_of(fields, event, query, time.gmtime().tm_mon) if fields else {}


@cache
def api() -> Api:
    """Return the container's API, made when the container starts."""
    return Api(from_environment())


def recommend(event: Event) -> tuple[int, Any]:
    """Recommend items to a user."""
    settings, deadline = api().settings, api().deadline()
    wanted = settings.filters.get((event.get("queryStringParameters") or {}).get("filter", ""))
    parameters = (*(wanted.parameters if wanted else ()), *api().context_parameters)
    found = reading.query(event, "numResults", "filter", "metadata", *parameters)
    user_id = reading.identifier(event["pathParameters"], "userId")
    wish = Wish(
        reading.results(found, settings),
        deadline,
        chosen=reading.filter_of(found, settings),
        metadata=reading.flag(found, "metadata"),
        context=api().context(event, found),
    )
    caller_of(event, settings.tokens).need_user(user_id)
    return 200, api().serving.recommend(user_id, wish)


def similar(event: Event) -> tuple[int, Any]:
    """Find items similar to an item."""
    settings, deadline = api().settings, api().deadline()
    wanted = settings.filters.get((event.get("queryStringParameters") or {}).get("filter", ""))
    parameters = wanted.parameters if wanted else ()
    found = reading.query(event, "numResults", "filter", "metadata", "userId", *parameters)
    item_id = reading.identifier(event["pathParameters"], "itemId")
    user_id = reading.identifier(found, "userId") if "userId" in found else None
    wish = Wish(
        reading.results(found, settings),
        deadline,
        chosen=reading.filter_of(found, settings),
        metadata=reading.flag(found, "metadata"),
        left_out=frozenset((item_id,)),
    )
    caller_of(event, settings.tokens).need_users([user_id])
    return 200, api().serving.similar(item_id, user_id, wish)


def rank(event: Event) -> tuple[int, Any]:
    """Rank given items for a user."""
    deadline = api().deadline()
    context = api().context(event, reading.query(event, *api().context_parameters))
    user_id = reading.identifier(event["pathParameters"], "userId")
    item_ids = reading.item_ids(reading.body(event))
    caller_of(event, api().settings.tokens).need_user(user_id)
    return 200, api().serving.rank(user_id, item_ids, context, deadline)


def coupons(event: Event) -> tuple[int, Any]:
    """Rank coupons for a user."""
    deadline = api().deadline()
    found = reading.query(event, "numResults")
    user_id = reading.identifier(event["pathParameters"], "userId")
    count = reading.results(found, api().settings)
    caller_of(event, api().settings.tokens).need_user(user_id)
    return 200, api().serving.coupons(user_id, count, deadline)


def accept_events(event: Event) -> tuple[int, Any]:
    """Send what users did."""
    reading.query(event)
    events = reading.events(reading.body(event))
    caller_of(event, api().settings.tokens).need_users(item.get("userId") for item in events)
    api().queue.send([{"kind": "event", **item} for item in events])
    return 202, {"accepted": len(events)}


def put_user(event: Event) -> tuple[int, Any]:
    """Set a user's properties."""
    reading.query(event)
    user_id = reading.identifier(event["pathParameters"], "userId")
    properties = reading.properties(reading.body(event))
    caller_of(event, api().settings.tokens).need_user(user_id)
    api().queue.send([{"kind": "user", "userId": user_id, "properties": properties}])
    return 202, {"accepted": 1}


def put_item(event: Event) -> tuple[int, Any]:
    """Set an item's properties."""
    reading.query(event)
    item_id = reading.identifier(event["pathParameters"], "itemId")
    properties = reading.properties(reading.body(event))
    caller_of(event, api().settings.tokens).need_back_end()
    api().queue.send([{"kind": "item", "itemId": item_id, "properties": properties}])
    return 202, {"accepted": 1}


def read_availability(event: Event) -> tuple[int, Any]:
    """Read an item's availability."""
    reading.query(event)
    item_id = reading.identifier(event["pathParameters"], "itemId")
    caller_of(event, api().settings.tokens)
    record = api().availability.read(item_id)
    if record is None:
        raise Problem(HTTPStatus.NOT_FOUND, "no availability is known of this item")
    return 200, record


def put_availability(event: Event) -> tuple[int, Any]:
    """Set an item's availability."""
    reading.query(event)
    item_id = reading.identifier(event["pathParameters"], "itemId")
    record = reading.record(item_id, reading.body(event))
    caller_of(event, api().settings.tokens).need_back_end()
    api().availability.write([record])
    return 200, record


def put_availabilities(event: Event) -> tuple[int, Any]:
    """Set the availability of many items."""
    reading.query(event)
    records = reading.records(reading.body(event))
    caller_of(event, api().settings.tokens).need_back_end()
    return 200, {"updated": api().availability.write(records)}


def health(_event: Event) -> tuple[int, Any]:
    """Say that the function runs."""
    return 200, {"status": "ok"}


def openapi(_event: Event) -> tuple[int, Any]:
    """Read this document."""
    import served_document  # noqa: PLC0415 - nothing but this route needs it

    return 200, served_document.served(api().settings)


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
SIMILAR = ("GET", "/items/{itemId}/similar")
# What of `serving.cache` says for how long a page may be kept.
CACHED = {
    ("GET", "/users/{userId}/recommendations"): "recommendations",
    ("GET", "/users/{userId}/coupons"): "coupons",
    SIMILAR: "similar",
}


def handler(event: Event, _context: Any) -> dict[str, Any]:
    """Answer one request in API Gateway's proxy form."""
    started = time.perf_counter()
    route = (event["httpMethod"], event["resource"])
    if route == ("GET", "/docs"):
        return {"statusCode": 200, "headers": PAGE, "body": _file("docs.html")}
    try:
        status, answer = _answered(route, event)
        headers = DOCUMENT if route == ("GET", "/openapi.json") else JSON
    except Problem as problem:
        status, answer, headers = problem.status.value, problem.document(), PROBLEM
    if route in CACHED and status == HTTPStatus.OK:
        status, headers, body = _page(route, event, answer)
    else:
        body = caching.as_json(answer)
    said = {
        "route": f"{route[0]} {route[1]}",
        "status": status,
        "source": answer.get("source"),
        "variant": answer.get("variant"),
        "milliseconds": round((time.perf_counter() - started) * 1000, 2),
    }
    if "attribution" in answer:
        found = dimensions(answer["attribution"], api().recipes)
        said |= counted("Pages", 1, found)
    logger.info("answered", extra=said)
    return {"statusCode": status, "headers": headers, "body": body}


def _page(route: tuple[str, str], event: Event, answer: dict[str, Any]) -> tuple[int, dict[str, str], str]:
    """Return status, headers and body of a page: nothing of it when the client has the same already."""
    seconds = api().settings.cache_seconds.get(CACHED[route], 0)
    is_of_a_user = route != SIMILAR or "userId" in (event.get("queryStringParameters") or {})
    control = caching.cache_control(answer, seconds, is_of_a_user=is_of_a_user)
    body, tag = caching.tagged(answer)
    headers = {"Content-Type": "application/json", "Cache-Control": control, "ETag": tag}
    if caching.is_known(tag, header(event, "if-none-match")):
        return HTTPStatus.NOT_MODIFIED.value, headers, ""
    return HTTPStatus.OK.value, headers, body


def _answered(route: tuple[str, str], event: Event) -> tuple[int, Any]:
    """Call the route. Raises Problem, for a store that does not answer too: the client may try again."""
    function = ROUTES.get(route)
    if function is None:
        raise Problem(HTTPStatus.NOT_FOUND, "there is no such route")
    try:
        return function(event)
    except (ClientError, BotoCoreError, UnreadError, NotQueuedError) as error:
        cause = error.__cause__ and error_code(error.__cause__)
        logger.warning("a store did not answer", extra={"error": error_code(error), "cause": cause})
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "please try again") from error


def _file(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


# Lambda gives a starting container more time and processor than a request.
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    api().catalogue.refresh(Deadline(START_SECONDS))
    for service in ("personalize-runtime", "personalize", "dynamodb"):
        within(service, api().settings.time_budget_seconds / 2)
