"""The base of every configuration section: unknown fields are errors, values do not change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict


def repeated(names: Iterable[str]) -> list[str]:
    """Return the names that are there more than once, sorted."""
    return sorted(name for name, count in Counter(names).items() if count > 1)


class Section(BaseModel):
    """A part of the configuration file; an unknown or misspelt field is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
