"""Whether a token (RFC 7519) is the issuer's, for us, and valid now. Pure: no network."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key

# Asymmetric only: with a public key as a shared secret, anybody could sign.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
LEEWAY_SECONDS = 30


class RefusedTokenError(Exception):
    """Why a token is not taken; says nothing of what the token holds."""


def verified(
    token: str, key_of: Callable[[str], Key | None], *, issuer: str, audience: Sequence[str]
) -> dict[str, Any]:
    """Return a token's claims. Raises RefusedTokenError unless it is signed, ours and valid now.

    `audience` is found in `aud`, or in `client_id` as in access tokens of Cognito.
    """
    try:
        header = jws.extract_compact(token.encode()).headers()
        key = key_of(str(header.get("kid")))
        if key is None:
            raise RefusedTokenError("its key is none of the issuer's")
        claims: dict[str, Any] = jwt.decode(token, key, algorithms=ALGORITHMS).claims
    except (JoseError, ValueError) as error:
        raise RefusedTokenError(f"it can't be verified: {type(error).__name__}") from None
    now = time.time()
    if claims.get("iss") != issuer:
        raise RefusedTokenError("it is of another issuer")
    if not _moment(claims, "exp") or _moment(claims, "exp") < now - LEEWAY_SECONDS:
        raise RefusedTokenError("it has expired")
    if _moment(claims, "nbf") > now + LEEWAY_SECONDS:
        raise RefusedTokenError("it is not valid yet")
    named = claims.get("aud", claims.get("client_id", []))
    if not set(named if isinstance(named, list) else [named]) & set(audience):
        raise RefusedTokenError("it is for another audience")
    return claims


def _moment(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name, 0)
    return float(value) if isinstance(value, int | float) else 0.0
