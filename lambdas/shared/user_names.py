"""The names under which Personalize knows users: their ids, or pseudonyms where the deployment has a key."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any


class UserNames:
    """Names users as the curate job does: by HMAC-SHA256 (RFC 2104) of the id, in hexadecimal digits.

    Without a secret, an id is its own name. The key is read from Secrets Manager once a container.
    """

    def __init__(self, secret_arn: str) -> None:
        self._secret_arn = secret_arn
        self._key = b""

    @property
    def is_ready(self) -> bool:
        """Whether `of` needs nothing more: there is no secret, or it was read."""
        return not self._secret_arn or bool(self._key)

    def read(self, secrets_manager: Any) -> None:
        """Read the key. Raises ClientError or BotoCoreError when that fails."""
        secret = secrets_manager.get_secret_value(SecretId=self._secret_arn)
        binary = secret.get("SecretBinary")
        self._key = bytes(binary) if binary is not None else secret["SecretString"].encode()

    def of(self, user_id: str) -> str:
        """Return a user's name. Raises RuntimeError before the key was read: no id leaves unnamed."""
        if not self.is_ready:
            raise RuntimeError("the key of the pseudonyms was not read yet")
        return hmac.new(self._key, user_id.encode(), hashlib.sha256).hexdigest() if self._key else user_id
