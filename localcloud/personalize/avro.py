"""Personalize's rules for the Avro schema of a dataset.

Source: the developer guide, "Custom dataset and schema requirements".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from localcloud.personalize.errors import InvalidInputError

INTERACTIONS, ITEMS, USERS = "INTERACTIONS", "ITEMS", "USERS"
ACTIONS, ACTION_INTERACTIONS = "ACTIONS", "ACTION_INTERACTIONS"
DATASET_TYPES = (INTERACTIONS, ITEMS, USERS, ACTIONS, ACTION_INTERACTIONS)
# By the name of the Avro record, in capitals.
_TYPE_OF_NAME = {kind.replace("_", ""): kind for kind in DATASET_TYPES}
PRIMITIVES = frozenset({"float", "double", "int", "long", "string", "boolean"})

_REQUIRED: dict[str, dict[str, str]] = {
    INTERACTIONS: {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long"},
    ITEMS: {"ITEM_ID": "string"},
    USERS: {"USER_ID": "string"},
    ACTIONS: {"ACTION_ID": "string"},
    ACTION_INTERACTIONS: {
        "USER_ID": "string",
        "ACTION_ID": "string",
        "EVENT_TYPE": "string",
        "TIMESTAMP": "long",
    },
}
_RESERVED: dict[str, dict[str, frozenset[str]]] = {
    INTERACTIONS: {
        "EVENT_TYPE": frozenset({"string"}),
        "EVENT_VALUE": frozenset({"float", "double"}),
        "IMPRESSION": frozenset({"string"}),
        "RECOMMENDATION_ID": frozenset({"string"}),
        "EVENT_ATTRIBUTION_SOURCE": frozenset({"string"}),
    },
    ITEMS: {"CREATION_TIMESTAMP": frozenset({"long"})},
    USERS: {},
    ACTIONS: {
        "VALUE": frozenset({"int", "long"}),
        "CREATION_TIMESTAMP": frozenset({"long"}),
        "EXPIRATION_TIMESTAMP": frozenset({"long"}),
        "REPEAT_FREQUENCY": frozenset({"int", "long"}),
    },
    ACTION_INTERACTIONS: {"RECOMMENDATION_ID": frozenset({"string"})},
}
MAX_METADATA = {INTERACTIONS: 5, ITEMS: 100, USERS: 25, ACTIONS: 10, ACTION_INTERACTIONS: 5}


@dataclass(frozen=True)
class Column:
    """One field of a schema. `kind` is one of PRIMITIVES."""

    name: str
    kind: str
    nullable: bool = False
    categorical: bool = False
    textual: bool = False

    @property
    def is_number(self) -> bool:
        """Whether its values can be compared by size."""
        return self.kind in {"float", "double", "int", "long"}


@dataclass(frozen=True)
class DatasetSchema:
    """The columns of a dataset of one type, in the order of the schema."""

    dataset_type: str
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column | None:
        """Return the column with this name; like AWS, whatever the case."""
        return next((column for column in self.columns if column.name.upper() == name.upper()), None)

    def exact_name(self, name: str) -> str:
        """Return a column's name as the schema writes it."""
        column = self.column(name)
        return name if column is None else column.name

    @property
    def metadata(self) -> list[Column]:
        """The columns that are neither required nor reserved."""
        known = _REQUIRED[self.dataset_type].keys() | _RESERVED[self.dataset_type].keys()
        return [column for column in self.columns if column.name not in known]


def parse_schema(text: str) -> DatasetSchema:
    """Read a schema as CreateSchema gets it and check Personalize's rules.

    Raises InvalidInputError that names the field at fault.
    """
    try:
        record = json.loads(text)
    except ValueError as error:
        raise InvalidInputError(f"The schema is not valid JSON: {error}") from error
    if (
        not isinstance(record, dict)
        or record.get("type") != "record"
        or not isinstance(record.get("fields"), list)
    ):
        raise InvalidInputError(
            'The schema must be an Avro record: {"type": "record", "name", "fields": [...]}.'
        )
    dataset_type = _TYPE_OF_NAME.get(str(record.get("name", "")).upper().replace("_", ""))
    if dataset_type is None:
        raise InvalidInputError(
            f"The schema's name is '{record.get('name')}'; it must be Interactions, Items or Users "
            "(Actions or ActionInteractions for next best action)."
        )
    columns = tuple(_column(field) for field in record["fields"])
    schema = DatasetSchema(dataset_type, columns)
    _check_names(schema)
    _check_required(schema)
    _check_metadata(schema)
    return schema


def _column(field: Any) -> Column:
    if not isinstance(field, dict) or not isinstance(field.get("name"), str):
        raise InvalidInputError(
            f"A schema field must be an object with a name and a type, not {json.dumps(field)}."
        )
    name = field["name"]
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise InvalidInputError(f"The field name '{name}' must be letters, digits and underscores.")
    given = field.get("type")
    types = given if isinstance(given, list) else [given]
    kinds = [kind for kind in types if kind != "null"]
    if len(kinds) != 1 or not isinstance(kinds[0], str) or kinds[0] not in PRIMITIVES:
        raise InvalidInputError(
            f"The field {name} has the type {json.dumps(given)}; "
            f"it must be one of {', '.join(sorted(PRIMITIVES))}, alone or in a list with null."
        )
    return Column(
        name=name,
        kind=kinds[0],
        nullable="null" in types,
        categorical=field.get("categorical") is True,
        textual=field.get("textual") is True,
    )


def _check_names(schema: DatasetSchema) -> None:
    seen: dict[str, str] = {}
    for column in schema.columns:
        plain = column.name.replace("_", "").upper()
        if plain in seen:
            raise InvalidInputError(
                f"The field names {seen[plain]} and {column.name} are the same but for case and underscores."
            )
        seen[plain] = column.name


def _check_required(schema: DatasetSchema) -> None:
    by_name = {column.name: column for column in schema.columns}
    for name, kind in _REQUIRED[schema.dataset_type].items():
        column = by_name.get(name)
        if column is None:
            raise InvalidInputError(
                f"The schema of {schema.dataset_type} needs the field {name} of type {kind}."
            )
        if column.kind != kind or column.nullable or column.categorical:
            raise InvalidInputError(f"The field {name} must be a plain {kind}: not null, not categorical.")
    for name, kinds in _RESERVED[schema.dataset_type].items():
        column = by_name.get(name)
        if column is not None and (column.kind not in kinds or column.categorical):
            raise InvalidInputError(
                f"The reserved field {name} must be of type {' or '.join(sorted(kinds))} and not categorical."
            )


def _check_metadata(schema: DatasetSchema) -> None:
    metadata = schema.metadata
    limit = MAX_METADATA[schema.dataset_type]
    if len(schema.columns) == 1:
        raise InvalidInputError(f"The schema of {schema.dataset_type} needs at least one metadata field.")
    if len(metadata) > limit:
        raise InvalidInputError(
            f"The schema has {len(metadata)} metadata fields; {schema.dataset_type} has at most {limit}."
        )
    for column in metadata:
        if (column.categorical or column.textual) and column.kind != "string":
            raise InvalidInputError(
                f"The field {column.name} is {column.kind}; only strings can be categorical or textual."
            )
        if column.textual and schema.dataset_type != ITEMS:
            raise InvalidInputError(f"The field {column.name}: only Items schemas can have textual fields.")
