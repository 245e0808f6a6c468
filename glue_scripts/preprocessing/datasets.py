"""The Personalize datasets: their columns and Avro schemas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from preprocessing.settings import Settings

NAMESPACE = "com.amazonaws.personalize.schema"
AVRO_TYPES = {"string": "string", "double": "double", "bigint": "long", "int": "int", "float": "float"}
PLAIN_COLUMNS = {"USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "CREATION_TIMESTAMP"}
RECORDS = {"users": "Users", "items": "Items", "interactions": "Interactions"}


@dataclass(frozen=True)
class Dataset:
    """One dataset of a dataset group: rows with Personalize's column names, which say what is what."""

    group: str
    kind: str
    rows: DataFrame

    @property
    def schema(self) -> dict[str, Any]:
        """Return the Avro record of the rows."""
        return {
            "type": "record",
            "name": RECORDS[self.kind],
            "namespace": NAMESPACE,
            "fields": [_avro_field(name, kind) for name, kind in self.rows.dtypes],
            "version": "1.0",
        }

    @property
    def metadata(self) -> list[str]:
        """Return the columns that only describe."""
        return [name for name in self.rows.columns if name not in PLAIN_COLUMNS | {"EVENT_VALUE"}]


def main_datasets(
    tables: dict[str, DataFrame], item_metadata: list[str], settings: Settings
) -> list[Dataset]:
    """Make the datasets of the `main` group from the Athena tables `users`, `items` and `interactions`."""
    return [
        Dataset("main", "users", _columns(tables["users"], ["user_id", *settings.user_metadata])),
        Dataset(
            "main", "items", _columns(tables["items"], ["item_id", *item_metadata, "creation_timestamp"])
        ),
        Dataset("main", "interactions", _interactions(tables["interactions"], settings.interaction_metadata)),
    ]


def coupon_datasets(tables: dict[str, DataFrame], settings: Settings) -> list[Dataset]:
    """Make the datasets of the `coupons` group, whose items are coupons, from the `coupon_*` tables."""
    described = ["category", "discount_type", "discount_value", "cost_band", "breadth"]
    return [
        Dataset(
            "coupons",
            "users",
            _columns(tables["coupon_users"], ["user_id", *settings.user_metadata, "coupon_habit"]),
        ),
        Dataset(
            "coupons",
            "items",
            _columns(tables["coupon_items"], ["item_id", *described, "creation_timestamp"]),
        ),
        Dataset("coupons", "interactions", _interactions(tables["coupon_interactions"], [])),
    ]


def _columns(table: DataFrame, names: list[str]) -> DataFrame:
    return table.select(*[F.col(name).alias(name.upper()) for name in names])


def _interactions(table: DataFrame, metadata: list[str]) -> DataFrame:
    return _columns(table, ["user_id", "item_id", "timestamp", "event_type", "event_value", *metadata])


def _avro_field(name: str, spark_type: str) -> dict[str, Any]:
    kind = AVRO_TYPES[spark_type]
    if name in PLAIN_COLUMNS:
        return {"name": name, "type": kind}
    field = {"name": name, "type": ["null", kind]}
    if kind == "string":
        field["categorical"] = True
    return field
