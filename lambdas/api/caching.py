"""For how long clients may keep an answer, and whether theirs is still the same (RFC 9110, 9111). Pure."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import orjson

ASK_AGAIN = "private, no-cache"


def as_json(answer: Any) -> str:
    """Return an answer as JSON. A page of a hundred items would take the standard library 0.1 ms."""
    try:
        return orjson.dumps(answer).decode()
    except orjson.JSONEncodeError:
        # A problem may name a field that a client called by half of a surrogate pair.
        return json.dumps(answer)


def tagged(answer: dict[str, Any]) -> tuple[str, str]:
    """Return a page as JSON, and its entity tag.

    The tag is weak: answers that differ only in their recommendationId say the same.
    """
    recommendation_id = answer.pop("recommendationId")
    text = as_json(answer)
    digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    return f'{{"recommendationId":{as_json(recommendation_id)},{text[1:]}', f'W/"{digest}"'


def is_known(tag: str, if_none_match: str) -> bool:
    """Whether a client's If-None-Match names the tag; compared weakly, as RFC 9110 asks for."""
    if if_none_match.strip() == "*":
        return True
    return tag.removeprefix("W/") in (given.strip().removeprefix("W/") for given in if_none_match.split(","))


def cache_control(answer: dict[str, Any], seconds: int, *, is_of_a_user: bool) -> str:
    """Return the Cache-Control of a page. What stands in for Personalize is not to be kept."""
    if not seconds or answer["source"] != "personalize":
        return ASK_AGAIN
    return f"{'private' if is_of_a_user else 'public'}, max-age={seconds}"
