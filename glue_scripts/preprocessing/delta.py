"""What of a dataset is new since the data version before: what an incremental import needs."""

from __future__ import annotations

import json
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from preprocessing import storage
from preprocessing.datasets import Dataset


def exported_before(datasets_uri: str, latest: str) -> dict[str, Any] | None:
    """Return the manifest of the newest data version, or None when there is none."""
    text = storage.read_text(storage.join(datasets_uri, latest))
    manifest = storage.read_text(json.loads(text)["manifestUri"]) if text else None
    return json.loads(manifest) if manifest else None


def new_rows(spark: SparkSession, dataset: Dataset, before: dict[str, Any] | None) -> DataFrame | None:
    """Return the rows that the data version of the manifest `before` does not have, changed ones included.

    None when there is no such version or its columns were others: then the dataset is imported in full.
    A row that there were two of and now are three of is new once. Rows that are gone stay in Personalize
    until the next full import.
    """
    entry = (before or {}).get("datasetGroups", {}).get(dataset.group, {}).get(dataset.kind)
    if entry is None or entry["schema"] != dataset.schema:
        return None
    rows = _as_written(dataset.rows)
    known = spark.read.csv(
        entry["location"], schema=rows.schema, header=True, escape='"', enforceSchema=False
    )
    return rows.exceptAll(_as_written(known))


def base_of(before: dict[str, Any]) -> str:
    """Return the prefix below which all files of a data version lie."""
    locations = [d["location"] for members in before["datasetGroups"].values() for d in members.values()]
    location: str = locations[0]
    return location.removesuffix("/").rsplit("/", 2)[0] + "/"


def _as_written(rows: DataFrame) -> DataFrame:
    """A CSV file does not tell an empty text from a missing one."""
    return rows.select(
        [
            F.when(F.col(name) != "", F.col(name)).alias(name) if kind == "string" else F.col(name)
            for name, kind in rows.dtypes
        ]
    )
