"""Glue job: the Athena tables to what Personalize imports: CSV, Avro schemas, popular items, the manifest.

Arguments: --settings_uri, --datasets_uri, --glue_database, --run_id; with --delta also what is new since the
data version before. The manifest's address is put into personalize/latest.json last, so a version partly
written is never found.
"""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Callable
from typing import Any

from preprocessing import storage
from preprocessing.catalog import Catalog
from preprocessing.datasets import PLAIN_COLUMNS, coupon_datasets, main_datasets
from preprocessing.delta import base_of, exported_before, new_rows
from preprocessing.limits import check_limits
from preprocessing.session import open_session, parse_arguments, size_session
from preprocessing.settings import Settings, parse_settings
from preprocessing.storage import join
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

TABLES = ["users", "items", "interactions", "coupon_users", "coupon_items", "coupon_interactions"]
ROWS_PER_FILE = 2_000_000
POPULAR_ITEMS = 500
LATEST = "personalize/latest.json"
CSV_OPTIONS = {
    "header": "true",
    "escape": '"',
    "emptyValue": "",
    "mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
}


def main(arguments: list[str]) -> None:
    """Run the job."""
    options = parse_arguments(
        arguments, ["settings_uri", "datasets_uri", "glue_database", "run_id"], ["delta"]
    )
    settings = parse_settings(storage.read_bytes(options.settings_uri).decode("utf-8"))
    catalog = Catalog(options.glue_database)
    export(
        open_session("export"),
        settings,
        options.datasets_uri,
        options.run_id,
        catalog.location,
        delta=options.delta is not None,
    )


def export(
    spark: SparkSession,
    settings: Settings,
    datasets_uri: str,
    run_id: str,
    location: Callable[[str], str],
    *,
    delta: bool = False,
) -> None:
    """Write the data version `run_id`; `location` tells where a table lies. May raise LimitError first.

    With `delta` also what is new in it since the version before.
    """
    sizes = [file.size for name in TABLES for file in storage.list_files(location(name))]
    size_session(spark, sum(sizes))
    tables = {name: spark.read.parquet(location(name)) for name in TABLES}
    item_metadata = _item_metadata(settings, datasets_uri, run_id)
    datasets = [*main_datasets(tables, item_metadata, settings), *coupon_datasets(tables, settings)]
    counts = {(dataset.group, dataset.kind): dataset.rows.count() for dataset in datasets}
    check_limits(datasets, counts)
    version_uri = join(datasets_uri, "personalize", run_id + "/")
    before = exported_before(datasets_uri, LATEST) if delta else None
    groups: dict[str, dict[str, Any]] = {}
    for dataset in datasets:
        rows = counts[dataset.group, dataset.kind]
        target = join(version_uri, dataset.group, dataset.kind + "/")
        _write_csv(dataset.rows, rows, target)
        entry: dict[str, Any] = {"location": target, "rows": rows, "schema": dataset.schema}
        if before is not None and (new := new_rows(spark, dataset, before)) is not None:
            entry["delta"] = {**_write_delta(new, target), "base": base_of(before)}
        groups.setdefault(dataset.group, {})[dataset.kind] = entry
    popular_uri = join(version_uri, "popular_items.json")
    storage.write_text(popular_uri, json.dumps(popular_items(tables["items"], item_metadata)))
    manifest = {
        "dataVersion": run_id,
        "createdAt": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "datasetGroups": groups,
        "popularItemsUri": popular_uri,
    }
    manifest_uri = join(version_uri, "manifest.json")
    storage.write_text(manifest_uri, json.dumps(manifest, indent=2))
    latest = {"dataVersion": run_id, "manifestUri": manifest_uri}
    storage.write_text(join(datasets_uri, LATEST), json.dumps(latest))


def popular_items(items: DataFrame, metadata: list[str]) -> list[dict[str, Any]]:
    """Return the items with the highest sum of event values, best first, as the API's fallback needs them."""
    columns = [F.col(name).alias(name.upper()) for name in metadata]
    best = items.orderBy(F.desc("popularity"), "item_id").limit(POPULAR_ITEMS)
    rows = best.select(F.col("item_id").alias("itemId"), F.col("popularity").alias("score"), *columns)
    return [row.asDict() for row in rows.collect()]


def _item_metadata(settings: Settings, datasets_uri: str, run_id: str) -> list[str]:
    """Return the attributes that describe an item: the configured ones, or those chosen by now.

    What was chosen once stays unless it is forbidden: Personalize lets a dataset's schema grow, not shrink.
    """
    if settings.item.metadata is not None:
        return settings.item.metadata
    report = storage.read_bytes(join(datasets_uri, "reports", run_id, "attributes.json"))
    selected: list[str] = json.loads(report)["selected"]
    stay = [name for name in _exported_metadata(datasets_uri) if _may_stay(name, settings)]
    return [*stay, *(name for name in selected if name not in stay)]


def _exported_metadata(datasets_uri: str) -> list[str]:
    latest = storage.read_text(join(datasets_uri, LATEST))
    manifest = storage.read_text(json.loads(latest)["manifestUri"]) if latest else None
    if manifest is None:
        return []
    fields = json.loads(manifest)["datasetGroups"]["main"]["items"]["schema"]["fields"]
    return [field["name"].lower() for field in fields if field["name"] not in PLAIN_COLUMNS]


def _may_stay(name: str, settings: Settings) -> bool:
    return name in settings.attribute_types and name not in settings.item.forbidden


def _write_csv(data: DataFrame, rows: int, target: str) -> None:
    files = max(1, -(-rows // ROWS_PER_FILE))
    data.coalesce(files).write.mode("overwrite").options(**CSV_OPTIONS).csv(target)


def _write_delta(new: DataFrame, target: str) -> dict[str, Any]:
    """Write new rows beside all of them; Personalize limits an incremental import by rows and by bytes."""
    new = new.cache()
    location, rows = target.removesuffix("/") + "-new/", new.count()
    _write_csv(new, rows, location)
    new.unpersist()
    size = sum(file.size for file in storage.list_files(location))
    return {"location": location, "rows": rows, "bytes": size}


if __name__ == "__main__":
    main(sys.argv[1:])
