"""`properties` of PutEvents, PutItems and PutUsers: JSON with camelCase keys to a dataset's columns."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from localcloud.personalize.avro import Column, DatasetSchema
from localcloud.personalize.errors import InvalidInputError

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "int": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
}


def parse_properties(text: str | None, where: str) -> dict[str, Any]:
    """Return the JSON object of a properties member, empty without one.

    Raises InvalidInputError.
    """
    if not text:
        return {}
    try:
        properties = json.loads(text)
    except ValueError as error:
        raise InvalidInputError(f"The properties of {where} are not valid JSON: {error}") from error
    if not isinstance(properties, dict):
        raise InvalidInputError(f"The properties of {where} are not a JSON object.")
    return properties


def columns_of(
    properties: dict[str, Any], schema: DatasetSchema, where: str, given: Collection[str]
) -> dict[str, Any]:
    """Return properties by column name; `given` are columns whose values come from elsewhere.

    Raises InvalidInputError for a property without a column, a value of the wrong type and a missing value.
    """
    by_key = {_plain(column.name): column for column in schema.columns}
    record: dict[str, Any] = {}
    for key, value in properties.items():
        column = by_key.get(_plain(key))
        if column is None:
            raise InvalidInputError(
                f"The property {key} of {where} is not in the schema of {schema.dataset_type}."
            )
        record[column.name] = _typed(value, column, where)
    for column in schema.columns:
        if column.name not in given and record.get(column.name) is None and not column.nullable:
            raise InvalidInputError(f"{where} needs the property {_camel(column.name)}.")
    return record


def _typed(value: Any, column: Column, where: str) -> Any:
    if value is None:
        return None
    if isinstance(value, list) and column.kind == "string":
        value = "|".join(str(one) for one in value)
    expected = _PYTHON_TYPES[column.kind]
    if isinstance(value, str) and column.is_number:
        value = _number(value, column, where)
    if not isinstance(value, expected) or (isinstance(value, bool) and column.kind != "boolean"):
        raise InvalidInputError(
            f"The property {_camel(column.name)} of {where} is {json.dumps(value)}; "
            f"its type must be {column.kind}."
        )
    return value


def _number(text: str, column: Column, where: str) -> float:
    try:
        return int(text) if column.kind in {"int", "long"} else float(text)
    except ValueError as error:
        raise InvalidInputError(
            f"The property {_camel(column.name)} of {where} is '{text}'; its type must be {column.kind}."
        ) from error


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _camel(column: str) -> str:
    first, *rest = column.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)
