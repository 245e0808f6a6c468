"""The `serving` section: the real-time API."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from config.base import Section


class Filter(Section):
    """A Personalize filter and the API's query parameters that fill its `$` placeholders."""

    name: str
    expression: str
    dataset_group: Literal["main", "coupons"] = "main"


class Throttle(Section):
    """Requests per second, and burst, allowed to one client."""

    rate: float = 50
    burst: int = 100


class ServingConfig(Section):
    """How the API answers: who may call, how many results, which filters, what unknown stock means."""

    authorization: Literal["api_key", "iam"] = "api_key"
    default_results: int = Field(default=25, ge=1, le=500)
    maximum_results: int = Field(default=100, ge=1, le=500)
    filters: list[Filter] = Field(default_factory=list)
    unknown_availability: Literal["available", "unavailable"] = "unavailable"
    throttle: Throttle = Throttle()
