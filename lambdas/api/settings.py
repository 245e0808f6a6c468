"""The function's environment, read once a container."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

from access import Tokens
from context import ContextField
from experiment import Experiment
from filters import Filter, Rule


@dataclass(frozen=True)
class Settings:
    """What the stack tells the function; `tokens` and `experiment` are None where there are none."""

    campaigns: dict[str, str]
    filters: dict[str, Filter]
    availability_table: str
    unknown_is_available: bool
    fallback_table: str
    event_queue_url: str
    latest_datasets_uri: str
    default_results: int
    maximum_results: int
    authorization: str
    tokens: Tokens | None
    experiment: Experiment | None
    time_budget_seconds: float
    context: tuple[ContextField, ...]
    cache_seconds: dict[str, int]
    pseudonym_key_arn: str


CAMPAIGN_PREFIX = "CAMPAIGN_"


def from_environment() -> Settings:
    """Return the settings. Raises KeyError for a variable that is missing."""
    environment = os.environ
    experiment = json.loads(environment["EXPERIMENT"])
    authorization = environment["AUTHORIZATION"]
    return Settings(
        campaigns={
            name.removeprefix(CAMPAIGN_PREFIX).lower().replace("_", "-"): arn
            for name, arn in environment.items()
            if name.startswith(CAMPAIGN_PREFIX)
        },
        filters={name: _filter(item) for name, item in json.loads(environment["FILTERS"]).items()},
        availability_table=environment["AVAILABILITY_TABLE"],
        unknown_is_available=environment["UNKNOWN_AVAILABILITY"] == "available",
        fallback_table=environment["FALLBACK_TABLE"],
        event_queue_url=environment["EVENT_QUEUE_URL"],
        latest_datasets_uri=environment["LATEST_DATASETS_URI"],
        default_results=int(environment["DEFAULT_RESULTS"]),
        maximum_results=int(environment["MAXIMUM_RESULTS"]),
        authorization=authorization,
        tokens=Tokens(**json.loads(environment["TOKENS"])) if authorization == "jwt" else None,
        experiment=Experiment(**experiment) if experiment else None,
        time_budget_seconds=float(environment["TIME_BUDGET_SECONDS"]),
        context=tuple(ContextField(**item) for item in json.loads(environment["CONTEXT"])),
        cache_seconds=json.loads(environment["CACHE_SECONDS"]),
        pseudonym_key_arn=environment["PSEUDONYM_KEY_SECRET_ARN"],
    )


def _filter(item: dict[str, object]) -> Filter:
    rules: list[dict[str, object]] = item["rules"]  # type: ignore[assignment]
    return Filter(
        arn=str(item["arn"]),
        parameters=tuple(item["parameters"]),  # type: ignore[arg-type]
        rules=tuple(Rule(**rule) for rule in rules),  # type: ignore[arg-type]
        rules_are_all=bool(item["rulesAreAll"]),
    )
