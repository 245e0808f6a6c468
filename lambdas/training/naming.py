"""Names and ARNs of Personalize's resources: they follow from content."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

HASH_LENGTH = 8


@dataclass(frozen=True)
class Place:
    """Where the resources are: their ARNs are deterministic by name."""

    region: str
    account: str

    def arn(self, kind: str, name: str) -> str:
        """Return the ARN of a Personalize resource."""
        return f"arn:aws:personalize:{self.region}:{self.account}:{kind}/{name}"


def short_hash(value: Any) -> str:
    """Return a short, stable hash of a JSON value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_LENGTH]
