"""Personalize's limits and formats, pseudonyms: what leaves the jobs."""

from __future__ import annotations

import csv
import hashlib
import hmac
import json
from pathlib import Path

import pytest
from export import export
from preprocessing.datasets import main_datasets
from preprocessing.limits import LimitError, check_limits
from preprocessing.pseudonyms import pseudonym
from preprocessing.settings import Settings
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812


@pytest.fixture
def tables(spark: SparkSession) -> dict[str, DataFrame]:
    users = spark.range(60).selectExpr(
        "concat('u', id) AS user_id",
        "'DEL' AS home_city",
        "CAST(NULL AS string) AS age_band",
        "'gold' AS loyalty_tier",
    )
    items = spark.range(20).selectExpr(
        "concat('DEL|\"Goa, GOI\"|', id) AS item_id", "'DEL' AS origin", "CAST(id AS double) AS price_inr",
        "1780000000L AS creation_timestamp", "CAST(id AS double) AS popularity",
    )  # fmt: skip
    acts = spark.range(1200).selectExpr(
        "concat('u', id % 60) AS user_id",
        "concat('DEL|\"Goa, GOI\"|', id % 20) AS item_id",
        "'view' AS event_type",
        "1.0D AS event_value",
        "1780000000L + id AS timestamp",
        "'under-1000' AS price_band",
        "'web' AS source",
    )
    return {
        "users": users,
        "items": items,
        "interactions": acts,
        "coupon_users": users.withColumn("coupon_habit", F.lit("never")),
        "coupon_items": items.selectExpr(
            "item_id",
            "'beach' AS category",
            "'flat' AS discount_type",
            "5.0D AS discount_value",
            "'low' AS cost_band",
            "'one' AS breadth",
            "creation_timestamp",
        ),
        "coupon_interactions": acts.drop("price_band", "source"),
    }  # fmt: skip


def run_export(
    spark: SparkSession, settings: Settings, folder: Path, run_id: str, selected: list[str]
) -> None:
    report = folder / "reports" / run_id / "attributes.json"
    report.parent.mkdir(parents=True)
    report.write_text(json.dumps({"selected": selected}))
    export(spark, settings, folder.as_uri(), run_id, lambda name: f"{folder.as_uri()}/athena/{name}/")


def test_an_export_is_found_only_when_it_is_whole(
    spark: SparkSession, travel: Settings, tables: dict[str, DataFrame], tmp_path: Path
) -> None:
    for name, table in tables.items():
        table.write.parquet(f"{tmp_path}/athena/{name}")
    run_export(spark, travel, tmp_path, "r1", ["origin", "price_inr"])
    latest = json.loads((tmp_path / "personalize" / "latest.json").read_text())
    assert latest == {"dataVersion": "r1", "manifestUri": f"{tmp_path.as_uri()}/personalize/r1/manifest.json"}
    manifest = json.loads((tmp_path / "personalize" / "r1" / "manifest.json").read_text())
    items = manifest["datasetGroups"]["main"]["items"]
    assert items["schema"]["fields"] == [
        {"name": "ITEM_ID", "type": "string"},
        {"name": "ORIGIN", "type": ["null", "string"], "categorical": True},
        {"name": "PRICE_INR", "type": ["null", "double"]},
        {"name": "CREATION_TIMESTAMP", "type": "long"},
    ]
    folder = tmp_path / "personalize" / "r1" / "main" / "items"
    names = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    assert all(name.endswith(".csv") for name in names)
    with next(folder.glob("*.csv")).open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["ITEM_ID", "ORIGIN", "PRICE_INR", "CREATION_TIMESTAMP"]
    assert len(rows) == items["rows"] + 1 == 21
    assert ['DEL|"Goa, GOI"|3', "DEL", "3.0", "1780000000"] in rows
    popular = json.loads((tmp_path / "personalize" / "r1" / "popular_items.json").read_text())
    assert popular[0] == {"itemId": 'DEL|"Goa, GOI"|19', "score": 19.0, "ORIGIN": "DEL", "PRICE_INR": 19.0}

    run_export(spark, travel, tmp_path, "r2", ["price_inr"])
    later = json.loads((tmp_path / "personalize" / "r2" / "manifest.json").read_text())
    schema = later["datasetGroups"]["main"]["items"]["schema"]
    assert schema == items["schema"], "a column once exported stays: a schema can grow, not shrink"


def test_what_personalize_would_refuse_is_said_at_once_with_the_remedy(
    travel: Settings, tables: dict[str, DataFrame]
) -> None:
    broken = tables | {
        "items": tables["items"].unionByName(tables["items"]),
        "interactions": tables["interactions"].limit(20).withColumn("event_type", F.col("user_id")),
    }
    datasets = main_datasets(broken, ["origin"], travel)
    counts = {(d.group, d.kind): d.rows.count() for d in datasets}
    with pytest.raises(LimitError) as refused:
        check_limits(datasets, counts | {("main", "items"): 800_000})
    message = str(refused.value)
    assert (
        "800,000 items, at most 750,000 are considered; take attributes out of item.id_attributes" in message
    )
    assert "rows repeat an id" in message
    assert "22 event types and metadata columns together, at most 10" in message
    assert "20 interactions, at least 1,000 are needed" in message


def test_values_that_no_import_would_take_are_named_with_their_column(
    travel: Settings, tables: dict[str, DataFrame]
) -> None:
    users = tables["users"].withColumn("home_city", F.expr("repeat('x', 1001)"))
    acts = tables["interactions"].withColumn(
        "item_id", F.expr("if(timestamp % 2 = 0, repeat('i', 257), NULL)")
    )
    datasets = main_datasets(tables | {"users": users, "interactions": acts}, ["origin"], travel)
    counts = {(d.group, d.kind): d.rows.count() for d in datasets}
    with pytest.raises(LimitError) as refused:
        check_limits(datasets, counts)
    message = str(refused.value)
    assert "main/users: HOME_CITY of 1,001 characters, at most 1,000" in message
    assert "main/interactions: ITEM_ID of 257 characters, at most 256" in message
    assert "main/interactions: 600 rows without ITEM_ID" in message
    assert "main/items" not in message


def test_a_pseudonym_is_the_hmac_of_the_id(spark: SparkSession) -> None:
    for key in (b"key", b"k" * 100):
        row = (
            spark.createDataFrame([("Jürgen",), (None,)], "id string")
            .select(pseudonym(F.col("id"), key))
            .collect()
        )
        assert row[0][0] == hmac.new(key, "Jürgen".encode(), hashlib.sha256).hexdigest()
        assert row[1][0] is None
