"""What Personalize is told of a request's situation: stated by the client, or seen in the request. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from problem import invalid

PLATFORMS = (("ios", ("iphone", "ipad", "cfnetwork", "darwin")), ("android", ("android", "okhttp")))
BROWSER = "mozilla"
TABLETS = ("ipad", "tablet")
PHONES = ("iphone", "mobi")


@dataclass(frozen=True)
class ContextField:
    """A column of the interactions, the query parameter that states it, and how it is seen without one."""

    column: str
    parameter: str
    values: tuple[str, ...]
    automatic: str | None = None
    months: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def context_of(
    fields: tuple[ContextField, ...], event: Mapping[str, Any], query: Mapping[str, str], month: int
) -> dict[str, str]:
    """Return what is known of the situation by column. Raises Problem (400) for a value that there isn't."""
    found = {}
    for one in fields:
        stated = query.get(one.parameter)
        if stated is not None and stated not in one.values:
            raise invalid(one.parameter, f"must be one of {', '.join(one.values)}")
        value = stated or _seen(one, event, month)
        if value in one.values:
            found[one.column.upper()] = value
    return found


def header(event: Mapping[str, Any], name: str) -> str:
    """Return a header's value by its name in small letters, or an empty text."""
    for given, value in (event.get("headers") or {}).items():
        if given.lower() == name:
            return str(value)
    return ""


def _seen(one: ContextField, event: Mapping[str, Any], month: int) -> str:
    if one.automatic == "season":
        return next((season for season, months in one.months.items() if month in months), "")
    if one.automatic == "platform":
        return platform(header(event, "user-agent"))
    return device(header(event, "user-agent")) if one.automatic == "device" else ""


@lru_cache(1024)
def platform(user_agent: str) -> str:
    """Return `ios`, `android`, `web`, or an empty text for what is none of these, such as a back end."""
    agent = user_agent.lower()
    for name, words in PLATFORMS:
        if any(word in agent for word in words):
            return name
    return "web" if BROWSER in agent else ""


@lru_cache(1024)
def device(user_agent: str) -> str:
    """Return `phone`, `tablet`, `desktop`, or an empty text for what is none of these."""
    agent = user_agent.lower()
    if any(word in agent for word in TABLETS) or ("android" in agent and "mobi" not in agent):
        return "tablet"
    if any(word in agent for word in PHONES):
        return "phone"
    return "desktop" if BROWSER in agent else ""
