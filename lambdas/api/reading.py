"""What a request says, checked before anything downstream is called. Pure: no AWS."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from filters import Chosen
from problem import Problem, invalid
from settings import Settings

LONGEST_ID = 256
LONGEST_VALUE = 1000
LARGEST_NUMBER = 1e15
MOST_EVENTS = 100
MOST_RECORDS = 100
MOST_RANKED = 500
MOST_BYTES_OF_EVENT = 10_000
MOST_BYTES_OF_BODY = 256 * 1024
LONGEST_ATTRIBUTION = 100
MOST_SEATS = 10**9
HIGHEST_PRICE = 10**12
# What PutEvents, PutUsers and PutItems take: more would never leave the queue.
LONGEST_RECOMMENDATION_ID = 40
MOST_BYTES_OF_EVENT_PROPERTIES = 1024
MOST_BYTES_OF_PROPERTIES = 24_000
LONGEST_FILTER_LIST = 10
MOST_IN_IMPRESSION = 25
EVENT_FIELDS = {
    "eventId", "userId", "sessionId", "eventType", "eventValue", "itemId", "timestamp", "properties",
    "recommendationId", "impression", "attribution",
}  # fmt: skip
AVAILABILITY_FIELDS = {"itemId", "available", "seats", "price", "expiresAt"}


def identifier(parameters: Mapping[str, str] | None, name: str) -> str:
    """Return an id from the path."""
    return _id(unquote((parameters or {}).get(name, "")), name)


def query(event: Mapping[str, Any], *known: str) -> dict[str, str]:
    """Return the query's parameters; one that the route does not know is refused."""
    found: dict[str, str] = event.get("queryStringParameters") or {}
    for name in found:
        if name not in known:
            raise invalid(name, f"is no parameter here; there are {', '.join(known) or 'none'}")
    return found


def results(found: Mapping[str, str], settings: Settings) -> int:
    """Return how many results are wanted."""
    text = found.get("numResults")
    if text is None:
        return settings.default_results
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) <= settings.maximum_results:
        raise invalid("numResults", f"must be a whole number from 1 to {settings.maximum_results}")
    return int(text)


def flag(found: Mapping[str, str], name: str) -> bool:
    """Return a true or false of the query; absent is false."""
    text = found.get(name, "false")
    if text not in {"true", "false"}:
        raise invalid(name, "must be true or false")
    return text == "true"


def filter_of(found: Mapping[str, str], settings: Settings) -> Chosen | None:
    """Return the wanted filter and the values of its parameters."""
    name = found.get("filter")
    if name is None:
        return None
    chosen = settings.filters.get(name)
    if chosen is None:
        raise invalid("filter", f"must be one of {', '.join(sorted(settings.filters)) or 'none'}")
    values = {}
    for parameter in chosen.parameters:
        words = tuple(word for word in found.get(parameter, "").split(",") if word)
        if not words:
            raise invalid(parameter, f"is needed by the filter {name}: one value or several with commas")
        if len(words) > LONGEST_FILTER_LIST or any('"' in word or "\\" in word for word in words):
            raise invalid(parameter, f"must be at most {LONGEST_FILTER_LIST} values without quotes")
        if sum(map(len, words)) > LONGEST_VALUE or not all(map(str.isprintable, words)):
            raise invalid(parameter, f"must be printable and at most {LONGEST_VALUE} long")
        values[parameter] = words
    return Chosen(chosen, values)


def body(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body, which must be a JSON object."""
    text = event.get("body") or ""
    if len(text) > MOST_BYTES_OF_BODY:
        raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body has at most {MOST_BYTES_OF_BODY} bytes")
    try:
        document = json.loads(base64.b64decode(text) if event.get("isBase64Encoded") else text)
    except (ValueError, RecursionError):
        raise invalid("body", "must be JSON") from None
    if not isinstance(document, dict):
        raise invalid("body", "must be a JSON object")
    return document


def item_ids(document: Mapping[str, Any]) -> list[str]:
    """Return the items to rank."""
    _refuse_unknown(document, {"itemIds"}, "")
    ids = document.get("itemIds")
    if not isinstance(ids, list) or not 1 <= len(ids) <= MOST_RANKED:
        raise invalid("itemIds", f"must be a list of 1 to {MOST_RANKED} item ids")
    return list(dict.fromkeys(_id(value, f"itemIds[{place}]") for place, value in enumerate(ids)))


def events(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the events, each checked and with nothing but known fields."""
    _refuse_unknown(document, {"events"}, "")
    found = document.get("events")
    if not isinstance(found, list) or not 1 <= len(found) <= MOST_EVENTS:
        raise invalid("events", f"must be a list of 1 to {MOST_EVENTS} events")
    return [_event(value, f"events[{place}]") for place, value in enumerate(found)]


def properties(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties of a user or an item."""
    _refuse_unknown(document, {"properties"}, "")
    return _properties(document.get("properties"), "properties", MOST_BYTES_OF_PROPERTIES)


def records(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the availability records of a batch."""
    _refuse_unknown(document, {"items"}, "")
    found = document.get("items")
    if not isinstance(found, list) or not 1 <= len(found) <= MOST_RECORDS:
        raise invalid("items", f"must be a list of 1 to {MOST_RECORDS} availability records")
    checked = []
    for place, value in enumerate(found):
        if not isinstance(value, dict):
            raise invalid(f"items[{place}]", "must be an object")
        item_id = _id(value.get("itemId"), f"items[{place}].itemId")
        checked.append(record(item_id, value, f"items[{place}]."))
    return checked


def record(item_id: str, document: Mapping[str, Any], at: str = "") -> dict[str, Any]:
    """Return one availability record: itemId, available, and what is given of seats, price and expiresAt."""
    _refuse_unknown(document, AVAILABILITY_FIELDS, at)
    if document.get("itemId", item_id) != item_id:
        raise invalid(f"{at}itemId", "differs from the id in the path")
    available = document.get("available")
    if not isinstance(available, bool):
        raise invalid(f"{at}available", "must be true or false")
    result: dict[str, Any] = {"itemId": item_id, "available": available}
    seats = document.get("seats")
    if seats is not None:
        if not isinstance(seats, int) or isinstance(seats, bool) or not 0 <= seats <= MOST_SEATS:
            raise invalid(f"{at}seats", "must be a whole number from 0")
        result["seats"] = seats
    price = document.get("price")
    if price is not None:
        if not isinstance(price, int | float) or isinstance(price, bool) or not 0 <= price <= HIGHEST_PRICE:
            raise invalid(f"{at}price", "must be a number from 0")
        result["price"] = price
    if document.get("expiresAt") is not None:
        _moment(document["expiresAt"], f"{at}expiresAt")
        result["expiresAt"] = document["expiresAt"]
    return result


def _event(value: Any, at: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid(at, "must be an object")
    _refuse_unknown(value, EVENT_FIELDS, f"{at}.")
    for name in ("eventId", "sessionId", "eventType"):
        _id(value.get(name), f"{at}.{name}")
    for name in ("userId", "itemId", "recommendationId"):
        if value.get(name) is not None:
            _id(value[name], f"{at}.{name}")
    event = {name: inner for name, inner in value.items() if inner is not None}
    event["timestamp"] = _moment(value.get("timestamp"), f"{at}.timestamp")
    amount = event.get("eventValue", 0)
    if isinstance(amount, bool) or not isinstance(amount, int | float) or not _is_plain(amount):
        raise invalid(f"{at}.eventValue", "must be a number")
    if "properties" in event:
        properties_at = f"{at}.properties"
        event["properties"] = _properties(event["properties"], properties_at, MOST_BYTES_OF_EVENT_PROPERTIES)
    _check_origin(event, at)
    if len(json.dumps(event)) > MOST_BYTES_OF_EVENT:
        raise invalid(at, f"must be at most {MOST_BYTES_OF_EVENT} bytes")
    return event


def _check_origin(event: Mapping[str, Any], at: str) -> None:
    """Check what says where an event comes from."""
    if len(event.get("recommendationId", "")) > LONGEST_RECOMMENDATION_ID:
        raise invalid(f"{at}.recommendationId", f"must be at most {LONGEST_RECOMMENDATION_ID} long")
    if "attribution" in event:
        _attribution(event["attribution"], f"{at}.attribution")
    if "impression" in event:
        _impression(event["impression"], f"{at}.impression")


def _attribution(value: Any, at: str) -> None:
    """Let through what Personalize and CloudWatch take as a name."""
    is_name = isinstance(value, str) and value.isascii() and value.isprintable() and value.strip()
    if not is_name or len(value) > LONGEST_ATTRIBUTION:
        raise invalid(at, f"must be printable ASCII, at most {LONGEST_ATTRIBUTION} long")


def _impression(value: Any, at: str) -> None:
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_IN_IMPRESSION:
        raise invalid(at, f"must be a list of 1 to {MOST_IN_IMPRESSION} item ids")
    for place, item in enumerate(value):
        _id(item, f"{at}[{place}]")


def _properties(value: Any, at: str, most_bytes: int) -> dict[str, Any]:
    if not isinstance(value, dict) or not value:
        raise invalid(at, "must be an object with at least one property")
    for name, inner in value.items():
        if not isinstance(inner, str | int | float | bool | None) or len(str(inner)) > LONGEST_VALUE:
            raise invalid(f"{at}.{name}", f"must be a text, a number or null, at most {LONGEST_VALUE} long")
        if not _is_plain(inner):
            raise invalid(f"{at}.{name}", "must be a finite number of usual size")
    if len(json.dumps(value)) > most_bytes:
        raise invalid(at, f"must be at most {most_bytes} bytes")
    return {name: inner for name, inner in value.items() if inner is not None}


def _is_plain(value: Any) -> bool:
    """Whether a value can be JSON again: Python's reader takes NaN, and 1e999 for infinity."""
    return not isinstance(value, int | float) or -LARGEST_NUMBER <= value <= LARGEST_NUMBER


def _moment(value: Any, at: str) -> int:
    """Return epoch seconds of epoch seconds or of an ISO 8601 text with its zone."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 10**11:
        return int(value)
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is not None and moment.tzinfo is not None:
            return int(moment.timestamp())
    raise invalid(at, "must be epoch seconds or ISO 8601 with a time zone")


def seconds(value: str | float) -> int:
    """Return the epoch seconds of a moment that has been checked."""
    return _moment(value, "expiresAt")


def _id(value: Any, name: str) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= LONGEST_ID or not value.isprintable():
        raise invalid(name, f"must be a text of 1 to {LONGEST_ID} printable characters")
    return value


def _refuse_unknown(document: Mapping[str, Any], known: set[str], at: str) -> None:
    for name in document:
        if name not in known:
            raise invalid(f"{at}{name}", f"is unknown; there are {', '.join(sorted(known))}")
