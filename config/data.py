"""The `data` section: raw sources, the attributes of an interaction, and how items and users are made of them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from config.base import Section

ColumnType = Literal["string", "double", "long", "timestamp"]


class Clock(Section):
    """Where a source keeps its time and how it writes it.

    `format` is `iso8601`, `epoch_s`, `epoch_ms` or a Spark datetime pattern; `timezone` is the zone of
    times written without one.
    """

    column: str
    format: str = "iso8601"
    timezone: str = "UTC"


class EventTypeMapping(Section):
    """How a source names what the user did: one `constant`, or a `column` whose `values` map raw to standard."""

    constant: str | None = None
    column: str | None = None
    values: dict[str, str] = Field(default_factory=dict)


class Source(Section):
    """One raw source of interactions: a prefix of the raw bucket, its format, and raw names for standard columns.

    `columns` maps a standard column (event_id, user_id, device_id or an attribute) to the raw field; nested
    JSON fields are written with dots.
    """

    name: str
    prefix: str
    format: Literal["csv", "json"]
    kind: Literal["transactions", "clickstream"]
    clock: Clock
    event_type: EventTypeMapping
    columns: dict[str, str]
    required: list[str] = Field(default_factory=lambda: ["user_id"])


class Reference(Section):
    """A raw table that is not interactions (customers, coupons, ...), with raw names for standard columns."""

    prefix: str
    format: Literal["csv", "json"]
    columns: dict[str, str]
    clock: Clock | None = None


class References(Section):
    """The reference tables; `coupon_scope` says which items a coupon covers as (coupon_id, attribute, value)."""

    customers: Reference
    coupons: Reference
    coupon_scope: Reference
    coupon_events: Reference


class Attribute(Section):
    """An attribute of an interaction; values outside [minimum, maximum] send the row to quarantine."""

    name: str
    type: ColumnType = "string"
    minimum: float | None = None
    maximum: float | None = None


class DerivedAttribute(Section):
    """An attribute made by bucketing another: a number by `edges`, a timestamp's hour of day by `edges`.

    `len(edges) + 1` labels; a value equal to an edge falls in the upper bucket.
    """

    name: str
    source: str
    kind: Literal["bucket", "hour_of_day"]
    edges: list[float] = Field(min_length=1)
    labels: list[str] = Field(min_length=2)


class ItemIdentity(Section):
    """The combination of attributes that is one item, and which attributes describe it.

    `metadata` None lets the attribute statistics choose; `pinned` are always kept, `forbidden` never.
    """

    id_attributes: list[str] = Field(min_length=1)
    separator: str = "|"
    metadata: list[str] | None = None
    pinned: list[str] = Field(default_factory=list)
    forbidden: list[str] = Field(default_factory=list)


class DataConfig(Section):
    """Everything the preprocessing jobs need to know."""

    timezone: str = "UTC"
    event_values: dict[str, float]
    sources: list[Source] = Field(min_length=1)
    references: References
    attributes: list[Attribute] = Field(min_length=1)
    derived_attributes: list[DerivedAttribute] = Field(default_factory=list)
    item: ItemIdentity
    user_metadata: list[str] = Field(default_factory=list)
