"""The base of every configuration section: unknown fields are errors, values do not change."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of the configuration file; an unknown or misspelt field is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
