"""The `data` section: raw sources, attributes of an interaction, how items and users are made of them."""

from __future__ import annotations

import json
from typing import Literal, Self

from pydantic import Field, model_validator

from config.base import Section, repeated

ColumnType = Literal["string", "double", "long", "timestamp"]
COLUMN_NAME = r"^[a-z][a-z0-9_]{0,62}$"
STANDARD_COLUMNS = frozenset({"event_id", "user_id", "device_id", "item_id"})


class Clock(Section):
    """Where a source keeps its time and how it writes it.

    `format` is `iso8601`, `epoch_s`, `epoch_ms` or a Spark datetime pattern; `timezone` is the zone of
    times written without one.
    """

    column: str
    format: str = "iso8601"
    timezone: str = "UTC"


class EventTypeMapping(Section):
    """How a source names what happened: one `constant`, or a `column` whose `values` map raw to standard."""

    constant: str | None = None
    column: str | None = None
    values: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.constant is None) == (self.column is None):
            raise ValueError("give either `constant` or `column` (with `values`)")
        return self

    def standard_types(self) -> set[str]:
        """Return the standard event types this mapping can yield."""
        return {self.constant} if self.constant else set(self.values.values())


class Source(Section):
    """One raw source of interactions: a prefix of the raw bucket, its format, raw names of standard columns.

    `columns` maps a standard column (event_id, user_id, device_id, item_id or an attribute) to the raw field;
    nested JSON fields are written with dots. An item_id stands in for absent id attributes. A row without a
    value in a `required` column is quarantined.
    """

    name: str
    prefix: str
    format: Literal["csv", "json"]
    kind: Literal["transactions", "clickstream"]
    clock: Clock
    event_type: EventTypeMapping
    columns: dict[str, str]
    required: list[str] = Field(default_factory=list)


class Reference(Section):
    """A raw table that is not interactions (customers, coupons, ...), with raw names for standard columns."""

    prefix: str
    format: Literal["csv", "json"]
    columns: dict[str, str]
    clock: Clock | None = None


class References(Section):
    """The reference tables; `coupon_scope` says what a coupon covers as (coupon_id, attribute, value)."""

    customers: Reference
    coupons: Reference
    coupon_scope: Reference
    coupon_events: Reference


class Attribute(Section):
    """An attribute of an interaction; values outside [minimum, maximum] send the row to quarantine."""

    name: str = Field(pattern=COLUMN_NAME)
    type: ColumnType = "string"
    minimum: float | None = None
    maximum: float | None = None


class DerivedAttribute(Section):
    """An attribute made by bucketing another: a number by `edges`, a timestamp's hour of day by `edges`.

    `len(edges) + 1` labels; a value equal to an edge falls in the upper bucket.
    """

    name: str = Field(pattern=COLUMN_NAME)
    source: str
    kind: Literal["bucket", "hour_of_day"]
    edges: list[float] = Field(min_length=1)
    labels: list[str] = Field(min_length=2)

    @model_validator(mode="after")
    def _labels_fit(self) -> Self:
        if len(self.labels) != len(self.edges) + 1:
            raise ValueError(
                f"{len(self.edges)} edges make {len(self.edges) + 1} buckets; labels must be as many"
            )
        if sorted(self.edges) != self.edges:
            raise ValueError("edges must rise")
        return self


class ItemIdentity(Section):
    """The combination of attributes that is one item, and which attributes describe it.

    `metadata` None lets the attribute statistics choose; `pinned` are always kept, `forbidden` never.
    """

    id_attributes: list[str] = Field(min_length=1)
    separator: str = "|"
    metadata: list[str] | None = None
    pinned: list[str] = Field(default_factory=list)
    forbidden: list[str] = Field(default_factory=list)


class Deduplication(Section):
    """Rows of one user, event type and item from two sources, no farther apart than this, are one event.

    The source named first in `sources` wins.
    """

    tolerance_seconds: int = Field(default=120, ge=0)


class BotFilter(Section):
    """A user (or device) with more events in an hour is a bot; its rows of that day are quarantined."""

    maximum_events_per_hour: int = Field(default=300, ge=1)


class AttributeSelection(Section):
    """Thresholds by which an attribute is dropped from the items' metadata (docs/attribute-selection.md)."""

    maximum_missing_share: float = Field(default=0.5, ge=0, le=1)
    maximum_cardinality: int = Field(default=1000, ge=2)
    maximum_association: float = Field(default=0.95, gt=0, le=1)
    minimum_mutual_information: float = Field(default=0.0001, ge=0)
    outcome_events: list[str] = Field(default_factory=lambda: ["checkout", "purchase"])


class QualityGates(Section):
    """Expectations that stop a run before anything is trained on it."""

    minimum_interactions: int = Field(default=1000, ge=1000)
    minimum_users: int = Field(default=25, ge=25)
    maximum_quarantined_share: float = Field(default=0.2, ge=0, le=1)
    maximum_null_share: dict[str, float] = Field(default_factory=dict)
    maximum_shrinkage: float = Field(default=0.5, ge=0, le=1)
    maximum_age_days: float | None = None


class Privacy(Section):
    """Whether user ids leave the raw zone as keyed hashes (HMAC-SHA256; key in Secrets Manager)."""

    pseudonymise_users: bool = False


class DataConfig(Section):
    """Everything the preprocessing jobs need to know."""

    timezone: str = "UTC"
    partition: Literal["day", "month"] = "month"
    earliest: str = "2000-01-01"
    event_values: dict[str, float]
    sources: list[Source] = Field(min_length=1)
    references: References
    attributes: list[Attribute] = Field(min_length=1)
    derived_attributes: list[DerivedAttribute] = Field(default_factory=list)
    item: ItemIdentity
    interaction_metadata: list[str] = Field(default_factory=list, max_length=5)
    user_metadata: list[str] = Field(default_factory=list)
    scope_attributes: list[str] = Field(min_length=1)
    deduplication: Deduplication = Deduplication()
    bots: BotFilter = BotFilter()
    selection: AttributeSelection = AttributeSelection()
    quality: QualityGates = QualityGates()
    privacy: Privacy = Privacy()

    @model_validator(mode="after")
    def _names_are_declared(self) -> Self:
        """Check that every attribute named somewhere is declared, and every event type has a value."""
        declared = [a.name for a in self.attributes] + [d.name for d in self.derived_attributes]
        if twice := repeated(declared):
            raise ValueError(f"attributes declared twice: {', '.join(twice)}")
        for where, names in self._attribute_uses().items():
            unknown = sorted(set(names) - set(declared))
            if unknown:
                raise ValueError(
                    f"{where} names {', '.join(unknown)}; declared: {', '.join(sorted(declared))}"
                )
        for source in self.sources:
            unvalued = sorted(source.event_type.standard_types() - set(self.event_values))
            if unvalued:
                raise ValueError(
                    f"event_values has no value for {', '.join(unvalued)} of source {source.name}"
                )
        return self

    def _attribute_uses(self) -> dict[str, list[str]]:
        uses = {
            "item.id_attributes": self.item.id_attributes,
            "item.metadata": self.item.metadata or [],
            "item.pinned": self.item.pinned,
            "item.forbidden": self.item.forbidden,
            "interaction_metadata": [name for name in self.interaction_metadata if name != "source"],
            "scope_attributes": self.scope_attributes,
        }
        uses |= {f"derived_attributes.{d.name}.source": [d.source] for d in self.derived_attributes}
        for source in self.sources:
            uses[f"sources.{source.name}.columns"] = sorted(set(source.columns) - STANDARD_COLUMNS)
            uses[f"sources.{source.name}.required"] = sorted(set(source.required) - STANDARD_COLUMNS)
        return uses


def settings_json(name: str, data: DataConfig) -> str:
    """Return what the Glue jobs need to know as JSON; `glue_scripts/preprocessing/settings.py` reads it."""
    return json.dumps({"name": name, "data": data.model_dump(mode="json")}, indent=2)
