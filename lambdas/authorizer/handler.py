"""Lets in whoever has a valid token of the configured issuer; what it may read, the API decides."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools import Logger
from keys import IssuerKeys, NoKeysError
from tokens import RefusedTokenError, verified

logger = Logger()
keys = IssuerKeys(os.environ["JWKS_URL"])


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answer a TOKEN authorizer's question. `Unauthorized` is the error that API Gateway makes a 401 of."""
    token = event.get("authorizationToken", "").removeprefix("Bearer ")
    try:
        claims = verified(
            token, keys.key, issuer=os.environ["ISSUER"], audience=os.environ["AUDIENCE"].split(" ")
        )
    except RefusedTokenError as error:
        logger.info("refused", extra={"reason": str(error)})
        raise Exception("Unauthorized") from None  # noqa: TRY002 - the text is API Gateway's protocol
    except NoKeysError as error:
        logger.warning("no keys", extra={"reason": str(error)})
        raise
    named = {name: _text(claims[name]) for name in (_USER, _GROUPS) if name in claims}
    return {
        "principalId": named.get(_USER, "unnamed"),
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                # The answer is kept for the token, so it has to hold for every route.
                {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": _stage(event["methodArn"])}
            ],
        },
        "context": named,
    }


_USER = os.environ["USER_CLAIM"]
_GROUPS = os.environ["GROUP_CLAIM"]


def _stage(method_arn: str) -> str:
    """Return the ARN of all methods of the stage."""
    api, stage, _ = method_arn.split("/", 2)
    return f"{api}/{stage}/*"


def _text(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
