"""The jobs' settings: the `data` section of the deployment's configuration, handed over as JSON.

The configuration validated it when it was synthesised; here it is only given types. Each field is
described in `config/data.py`, which writes the JSON.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

STANDARD_COLUMNS = ("event_id", "user_id", "device_id", "item_id")
SPARK_TYPES = {"string": "string", "double": "double", "long": "bigint", "timestamp": "timestamp"}


@dataclass(frozen=True)
class Clock:
    """Where a source keeps its time, how it writes it, and the zone of times written without one."""

    column: str
    format: str
    timezone: str


@dataclass(frozen=True)
class EventTypes:
    """A constant event type, or a raw column and its raw-to-standard values."""

    constant: str | None
    column: str | None
    values: dict[str, str]


@dataclass(frozen=True)
class Source:
    """One raw source of interactions."""

    name: str
    prefix: str
    format: str
    kind: str
    clock: Clock
    event_type: EventTypes
    columns: dict[str, str]
    required: list[str]

    @property
    def raw_fields(self) -> list[str]:
        """Return every raw field read, each once."""
        fields = [*self.columns.values(), self.clock.column]
        if self.event_type.column:
            fields.append(self.event_type.column)
        return sorted(set(fields))


@dataclass(frozen=True)
class Reference:
    """A raw table that is not interactions."""

    name: str
    prefix: str
    format: str
    columns: dict[str, str]
    clock: Clock | None


@dataclass(frozen=True)
class Attribute:
    """An attribute of an interaction and the range of its sound values."""

    name: str
    type: str
    minimum: float | None
    maximum: float | None


@dataclass(frozen=True)
class DerivedAttribute:
    """A bucketed attribute."""

    name: str
    source: str
    kind: str
    edges: list[float]
    labels: list[str]


@dataclass(frozen=True)
class Item:
    """The attributes that make an item, and what is said about its metadata."""

    id_attributes: list[str]
    separator: str
    metadata: list[str] | None
    pinned: list[str]
    forbidden: list[str]


@dataclass(frozen=True)
class Selection:
    """Thresholds of the attribute selection."""

    maximum_missing_share: float
    maximum_cardinality: int
    maximum_association: float
    minimum_mutual_information: float
    outcome_events: list[str]


@dataclass(frozen=True)
class Quality:
    """Expectations that stop a run."""

    minimum_interactions: int
    minimum_users: int
    maximum_quarantined_share: float
    maximum_null_share: dict[str, float]
    maximum_shrinkage: float
    maximum_age_days: float | None


@dataclass(frozen=True)
class Settings:
    """Everything a job knows of the deployment."""

    name: str
    timezone: str
    partition: str
    earliest: str
    event_values: dict[str, float]
    sources: list[Source]
    references: list[Reference]
    attributes: list[Attribute]
    derived: list[DerivedAttribute]
    item: Item
    interaction_metadata: list[str]
    user_metadata: list[str]
    scope_attributes: list[str]
    tolerance_seconds: int
    maximum_events_per_hour: int
    selection: Selection
    quality: Quality
    pseudonymise_users: bool

    @property
    def attribute_types(self) -> dict[str, str]:
        """Return each attribute's Spark type, the derived ones included, in declared order."""
        types = {attribute.name: SPARK_TYPES[attribute.type] for attribute in self.attributes}
        return types | {derived.name: "string" for derived in self.derived}


def parse_settings(text: str) -> Settings:
    """Read the JSON that `config.data.settings_json` wrote. Raises KeyError or TypeError when it did not."""
    document = json.loads(text)
    data = document["data"]
    return Settings(
        name=document["name"],
        timezone=data["timezone"],
        partition=data["partition"],
        earliest=data["earliest"],
        event_values=data["event_values"],
        sources=[_source(source) for source in data["sources"]],
        references=[_reference(name, table) for name, table in data["references"].items()],
        attributes=[Attribute(**attribute) for attribute in data["attributes"]],
        derived=[DerivedAttribute(**derived) for derived in data["derived_attributes"]],
        item=Item(**data["item"]),
        interaction_metadata=data["interaction_metadata"],
        user_metadata=data["user_metadata"],
        scope_attributes=data["scope_attributes"],
        tolerance_seconds=data["deduplication"]["tolerance_seconds"],
        maximum_events_per_hour=data["bots"]["maximum_events_per_hour"],
        selection=Selection(**data["selection"]),
        quality=Quality(**data["quality"]),
        pseudonymise_users=data["privacy"]["pseudonymise_users"],
    )


def _source(values: dict[str, Any]) -> Source:
    nested = {"clock": Clock(**values["clock"]), "event_type": EventTypes(**values["event_type"])}
    return Source(**{**values, **nested})


def _reference(name: str, values: dict[str, Any]) -> Reference:
    clock = Clock(**values["clock"]) if values["clock"] else None
    return Reference(**{**values, "name": name, "clock": clock})
