"""Partition projection: partitions worked out from the table's properties instead of the catalog.

https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
"""

from __future__ import annotations

import datetime
import os
import re
from typing import Any

from localcloud.athena.catalog import Partition, Table, bucket_and_prefix
from localcloud.athena.errors import QueryError
from localcloud.athena.formats import strptime_format
from localcloud.s3 import ObjectTree

UNIT_DAYS = {"DAY": 1, "WEEK": 7, "MONTH": 30.4375, "YEAR": 365.25, "HOUR": 1 / 24, "MINUTE": 1 / 1440}


def is_projected(table: Table) -> bool:
    """Whether the table's partitions are projected."""
    return table.parameters.get("projection.enabled", "").lower() == "true"


def injected_columns(table: Table) -> list[str]:
    """Return the partition columns whose values only a query can say."""
    parameters = table.parameters
    return [k.name for k in table.partition_keys if parameters.get(f"projection.{k.name}.type") == "injected"]


def projected_partitions(table: Table, tree: ObjectTree) -> list[Partition]:
    """Return the projected partitions that have a folder: those without hold no rows.

    Raises QueryError for a property that is missing or not understood.
    """
    keys = [key.name for key in table.partition_keys]
    template = table.parameters.get("storage.location.template")
    if template is None:
        template = table.location.rstrip("/") + "/" + "/".join(f"{key}=${{{key}}}" for key in keys)
    bucket, pattern = bucket_and_prefix(template)
    expression = re.escape(pattern)
    for key in keys:
        expression = expression.replace(re.escape(f"${{{key}}}"), f"(?P<{key}>[^/]+)", 1)
        expression = expression.replace(re.escape(f"${{{key}}}"), f"(?P={key})")
    found = []
    top = tree.bucket_path(bucket)
    fixed = pattern.split("${", 1)[0].rpartition("/")[0]
    depth = pattern.count("/") + 1
    for place, folders, _ in os.walk(top / fixed):
        relative = os.path.relpath(place, top)
        match = re.fullmatch(expression, relative)
        if match and all(_is_projected_value(table, key, match[key]) for key in keys):
            found.append(Partition([match[key] for key in keys], f"s3://{bucket}/{relative}/"))
        if relative.count("/") + 1 >= depth:
            folders.clear()
    return found


def _is_projected_value(table: Table, key: str, value: str) -> bool:
    def setting(name: str) -> str:
        text = table.parameters.get(f"projection.{key}.{name}")
        if text is None:
            raise QueryError(
                "INVALID_TABLE_PROPERTY",
                f"The table property projection.{key}.{name} is required and is not set",
            )
        return text

    kind = setting("type").lower()
    if kind == "injected":
        return True
    if kind == "enum":
        return value in [choice.strip() for choice in setting("values").split(",")]
    if kind == "integer":
        low, high = (int(bound) for bound in setting("range").split(","))
        return value.isdigit() and low <= int(value) <= high
    if kind == "date":
        return _is_in_date_range(value, setting("range"), strptime_format(setting("format")))
    raise QueryError(
        "INVALID_TABLE_PROPERTY", f"projection.{key}.type is {kind!r}: enum, integer, date, injected"
    )


def _is_in_date_range(value: str, bounds: str, pattern: str) -> bool:
    try:
        moment = datetime.datetime.strptime(value, pattern)  # noqa: DTZ007 - partition values have no zone
    except ValueError:
        return False
    low, _, high = bounds.partition(",")
    return _bound(low, pattern) <= moment <= _bound(high, pattern)


def _bound(text: str, pattern: str) -> datetime.datetime:
    relative = re.fullmatch(r"\s*NOW\s*(?:([+-])\s*(\d+)\s*([A-Z]+?)S?)?\s*", text, re.IGNORECASE)
    if relative is None:
        return datetime.datetime.strptime(text.strip(), pattern)  # noqa: DTZ007
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    sign, amount, unit = relative.groups()
    if sign is None:
        return now
    days: Any = UNIT_DAYS.get(unit.upper())
    if days is None:
        raise QueryError("INVALID_TABLE_PROPERTY", f"the date range {text!r} has the unknown unit {unit}")
    return now + datetime.timedelta(days=days * int(amount) * (1 if sign == "+" else -1))
