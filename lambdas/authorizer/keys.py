"""The issuer's public keys (JWKS, RFC 7517), read when a token names one that is not known yet."""

from __future__ import annotations

import json
import time

import urllib3
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

SECONDS = urllib3.Timeout(connect=2, read=3)
FRESH_SECONDS = 3600.0
# A token with an invented key id must not make us ask the issuer at every call.
PAUSE_SECONDS = 30.0


class NoKeysError(Exception):
    """The issuer's keys can't be read now."""


class IssuerKeys:
    """The keys of one container, read again each hour and for a key id that is new."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._http = urllib3.PoolManager()
        self._keys: dict[str, Key] = {}
        self._read_at = float("-inf")

    def key(self, key_id: str) -> Key | None:
        """Return the key of an id, or None. Raises NoKeysError when no keys were ever read."""
        age = time.monotonic() - self._read_at
        if age > FRESH_SECONDS or (key_id not in self._keys and age > PAUSE_SECONDS):
            self._read()
        return self._keys.get(key_id)

    def _read(self) -> None:
        try:
            answer = self._http.request("GET", self._url, timeout=SECONDS, retries=1)
            found = KeySet.import_key_set(json.loads(answer.data)) if answer.status == 200 else None  # noqa: PLR2004
        except (urllib3.exceptions.HTTPError, ValueError, JoseError) as error:
            found, reason = None, str(error)
        else:
            reason = f"it answered {answer.status}"
        if found is not None:
            self._keys = {str(key.kid): key for key in found.keys if key.kid}
            self._read_at = time.monotonic()
        elif not self._keys:
            raise NoKeysError(f"{self._url}: {reason}")
