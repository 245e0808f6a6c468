"""Which of two ways of recommending a user gets: by a stable hash, so that it is always the same. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

CONTROL = "control"
TREATMENT = "treatment"
HASH_BYTES = 8


@dataclass(frozen=True)
class Experiment:
    """A share of the users gets `treatment`: the recipe key of another campaign, or `popular`."""

    name: str
    treatment: str
    share: float

    def variant(self, user_id: str) -> str:
        """Return `control` or `treatment`; experiments of other names split users independently."""
        digest = hashlib.blake2b(f"{self.name}\n{user_id}".encode(), digest_size=HASH_BYTES).digest()
        is_treated = int.from_bytes(digest) < self.share * 256**HASH_BYTES
        return TREATMENT if is_treated else CONTROL
