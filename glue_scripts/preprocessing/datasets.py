"""The Personalize datasets: columns, Avro schemas and the limits Amazon Personalize sets.

Limits: https://docs.aws.amazon.com/personalize/latest/dg/limits.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from preprocessing.settings import Settings

NAMESPACE = "com.amazonaws.personalize.schema"
MOST_ITEMS = 750_000
MOST_EVENT_TYPES_AND_METADATA = 10
MOST_INTERACTION_METADATA = 5
MOST_USER_METADATA = 25
MOST_ITEM_METADATA = 50
LONGEST_ID = 256
FEWEST_INTERACTIONS = 1000
FEWEST_USERS = 25
AVRO_TYPES = {"string": "string", "double": "double", "bigint": "long", "int": "int", "float": "float"}
PLAIN_COLUMNS = {"USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "CREATION_TIMESTAMP"}
RECORDS = {"users": "Users", "items": "Items", "interactions": "Interactions"}


class LimitError(Exception):
    """The datasets cannot be imported; the message says what to change."""


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


def check_limits(datasets: list[Dataset], counts: dict[tuple[str, str], int]) -> None:
    """Raise LimitError unless Personalize will take the datasets; `counts` are rows by (group, kind)."""
    problems: list[str] = []
    for dataset in datasets:
        where = f"{dataset.group}/{dataset.kind}"
        rows = counts[dataset.group, dataset.kind]
        problems += [f"{where}: {problem}" for problem in _problems(dataset, rows)]
    if problems:
        raise LimitError("Personalize would refuse these datasets:\n" + "\n".join(f"- {p}" for p in problems))


def _problems(dataset: Dataset, rows: int) -> list[str]:
    problems = []
    if dataset.kind == "items" and rows > MOST_ITEMS:
        problems.append(
            f"{rows:,} items, at most {MOST_ITEMS:,} are considered; take attributes out of "
            f"item.id_attributes "
            "or widen their buckets"
        )
    most = {
        "users": MOST_USER_METADATA,
        "items": MOST_ITEM_METADATA,
        "interactions": MOST_INTERACTION_METADATA,
    }[dataset.kind]
    if len(dataset.metadata) > most:
        problems.append(
            f"{len(dataset.metadata)} metadata columns, at most {most}; drop some of {dataset.metadata}"
        )
    if dataset.kind != "interactions" and not dataset.metadata:
        problems.append(
            "no metadata column, at least one is needed; name one in user_metadata or item.pinned"
        )
    ids = [name for name in ("USER_ID", "ITEM_ID") if name in dataset.rows.columns]
    facts = [F.max(F.length(name)).alias(f"longest_{name}") for name in ids]
    if dataset.kind == "interactions":
        facts += [F.collect_set("EVENT_TYPE").alias("event_types")]
        facts += [F.count_distinct("USER_ID").alias("users")]
    else:
        facts += [F.count_distinct(ids[0]).alias("distinct_ids")]
    found = dataset.rows.agg(*facts).collect()[0].asDict()
    problems += [
        f"{name} of {found[f'longest_{name}']} characters, at most {LONGEST_ID}"
        for name in ids
        if (found[f"longest_{name}"] or 0) > LONGEST_ID
    ]
    if dataset.kind != "interactions" and found["distinct_ids"] != rows:
        problems.append(f"{rows - found['distinct_ids']:,} rows repeat an id")
    if dataset.kind == "interactions":
        problems += _interaction_problems(dataset, rows, found)
    return problems


def _interaction_problems(dataset: Dataset, rows: int, found: dict[str, Any]) -> list[str]:
    problems = []
    types_and_metadata = len(found["event_types"]) + len(dataset.metadata)
    if types_and_metadata > MOST_EVENT_TYPES_AND_METADATA:
        problems.append(
            f"{types_and_metadata} event types and metadata columns together, at most "
            f"{MOST_EVENT_TYPES_AND_METADATA}; map some of {sorted(found['event_types'])} together"
        )
    if rows < FEWEST_INTERACTIONS:
        problems.append(f"{rows:,} interactions, at least {FEWEST_INTERACTIONS:,} are needed; add history")
        return problems
    active = dataset.rows.groupBy("USER_ID").count().where("count >= 2").limit(FEWEST_USERS).count()
    if active < FEWEST_USERS:
        problems.append(f"{active} users with two interactions or more, at least {FEWEST_USERS} are needed")
    return problems


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
