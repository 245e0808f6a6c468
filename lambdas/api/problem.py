"""Refusals as RFC 9457 problem documents."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any


@dataclass
class Problem(Exception):  # noqa: N818 - a problem is what RFC 9457 calls it
    """Why a request was refused; `errors` names the fields at fault."""

    status: HTTPStatus
    detail: str
    errors: list[dict[str, str]] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """Return the problem document."""
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
        }
        return {**document, "errors": self.errors} if self.errors else document


def invalid(name: str, message: str) -> Problem:
    """Return the refusal of a request for one bad field."""
    error = {"field": name, "message": message}
    return Problem(HTTPStatus.BAD_REQUEST, f"{name} {message}", [error])
