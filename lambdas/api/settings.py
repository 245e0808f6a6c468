"""The function's environment, read once a container."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Filter:
    """A Personalize filter and the query parameters that fill its `$` placeholders."""

    arn: str
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Settings:
    """What the stack tells the function."""

    campaigns: dict[str, str]
    filters: dict[str, Filter]
    availability_table: str
    unknown_is_available: bool
    fallback_table: str
    event_queue_url: str
    latest_datasets_uri: str
    default_results: int
    maximum_results: int
    authorization: Literal["api_key", "iam"]


CAMPAIGN_PREFIX = "CAMPAIGN_"


def from_environment() -> Settings:
    """Return the settings. Raises KeyError for a variable that is missing."""
    environment = os.environ
    return Settings(
        campaigns={
            name.removeprefix(CAMPAIGN_PREFIX).lower().replace("_", "-"): arn
            for name, arn in environment.items()
            if name.startswith(CAMPAIGN_PREFIX)
        },
        filters={
            name: Filter(item["arn"], tuple(item["parameters"]))
            for name, item in json.loads(environment["FILTERS"]).items()
        },
        availability_table=environment["AVAILABILITY_TABLE"],
        unknown_is_available=environment["UNKNOWN_AVAILABILITY"] == "available",
        fallback_table=environment["FALLBACK_TABLE"],
        event_queue_url=environment["EVENT_QUEUE_URL"],
        latest_datasets_uri=environment["LATEST_DATASETS_URI"],
        default_results=int(environment["DEFAULT_RESULTS"]),
        maximum_results=int(environment["MAXIMUM_RESULTS"]),
        authorization="iam" if environment["AUTHORIZATION"] == "iam" else "api_key",
    )
