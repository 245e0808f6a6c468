"""Which method of a deployed API answers a path: exact parts before {parameters}, those before {greedy+}."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from moto.apigateway.models import Method, RestAPI


@dataclass(frozen=True)
class Route:
    """One resource of a deployment."""

    template: str
    parts: tuple[str, ...]
    methods: dict[str, Method]


@dataclass(frozen=True)
class Match:
    """The resource that answers a request, and what its parameters took from the path."""

    route: Route
    method: Method | None
    parameters: dict[str, str]


def snapshot(api: RestAPI) -> list[Route]:
    """Return the API's resources as they are now: what a deployment serves, whatever changes later."""
    routes = []
    for resource in api.resources.values():
        path: str = resource.get_path()
        parts = tuple(part for part in path.split("/") if part)
        routes.append(Route(path, parts, copy.deepcopy(resource.resource_methods)))
    return sorted(routes, key=_precedence)


def match(routes: list[Route], path: str, http_method: str) -> Match | None:
    """Return the first route that fits an undecoded path, or None."""
    parts = [part for part in path.split("/") if part]
    for route in routes:
        parameters = _fit(route.parts, parts)
        if parameters is not None:
            method: Any = route.methods.get(http_method) or route.methods.get("ANY")
            return Match(route, method, parameters)
    return None


def _fit(template: tuple[str, ...], parts: list[str]) -> dict[str, str] | None:
    parameters: dict[str, str] = {}
    for index, part in enumerate(template):
        if part.startswith("{") and part.endswith("+}"):
            rest = parts[index:]
            return {**parameters, part[1:-2]: unquote("/".join(rest))} if rest else None
        if index >= len(parts):
            return None
        if part.startswith("{"):
            parameters[part[1:-1]] = unquote(parts[index])
        elif part != unquote(parts[index]):
            return None
    return parameters if len(parts) == len(template) else None


def _precedence(route: Route) -> tuple[tuple[int, str], ...]:
    def rank(part: str) -> tuple[int, str]:
        if not part.startswith("{"):
            return 0, part
        return (2 if part.endswith("+}") else 1), part

    return tuple(rank(part) for part in route.parts)
