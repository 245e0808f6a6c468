"""Whose data a caller may touch: API keys and IAM are for back ends, a token says who holds it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from problem import Problem


@dataclass(frozen=True)
class Tokens:
    """Where a token says whose it is, and that it is a back end's."""

    user_claim: str
    group_claim: str
    back_end_group: str


@dataclass(frozen=True)
class Caller:
    """Who calls: one user, or a back end, which may ask for everybody."""

    user_id: str | None
    is_back_end: bool = False

    def need_user(self, user_id: str) -> None:
        """Raise Problem (403) unless the caller may touch this user's data."""
        if not self.is_back_end and user_id != self.user_id:
            raise Problem(HTTPStatus.FORBIDDEN, "this token is for its own user's data only")

    def need_users(self, user_ids: Iterable[str | None]) -> None:
        """Raise Problem (403) unless the caller may touch the data of all; None is nobody in particular."""
        for user_id in user_ids:
            if user_id is not None:
                self.need_user(user_id)

    def need_back_end(self) -> None:
        """Raise Problem (403) for a user: what belongs to nobody is the back ends' to change."""
        if not self.is_back_end:
            raise Problem(HTTPStatus.FORBIDDEN, "only a back end may do this")


BACK_END = Caller(None, is_back_end=True)


def caller_of(event: Mapping[str, Any], tokens: Tokens | None) -> Caller:
    """Return who calls; without tokens API Gateway lets only back ends through.

    With tokens it has checked them and passes on their claims. Raises Problem (401) when it has not.
    """
    if tokens is None:
        return BACK_END
    context = (event.get("requestContext") or {}).get("authorizer") or {}
    claims = context.get("claims") or context
    user_id = claims.get(tokens.user_claim)
    if not user_id:
        raise Problem(HTTPStatus.UNAUTHORIZED, "a token that names its user is needed")
    # Gateways write a list as "a,b" or "[a b]"; scopes are separated by spaces.
    groups = str(claims.get(tokens.group_claim, "")).strip("[]").replace(",", " ").split()
    return Caller(str(user_id), is_back_end=tokens.back_end_group in groups)
