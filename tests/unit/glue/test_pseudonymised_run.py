"""With pseudonyms on no user id leaves the raw zone, a user stays one user, and a forgotten one is gone."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

from preprocessing.erasure import erase_from_raw, forget_derived
from preprocessing.settings import Settings
from pyspark.sql import SparkSession

from tests.unit.glue.lake import Lake, click, day

KEY = b"a key of this test"
TABLES = ["parsed/interactions", "parsed/customers", "curated/interactions", "curated/customers"]
TABLES += ["quarantine", "state/actors", "state/identities"]


def pseudonym(user_id: str) -> str:
    return hmac.new(KEY, user_id.encode(), hashlib.sha256).hexdigest()


def texts(spark: SparkSession, folder: Path) -> str:
    """Return every value of every Parquet and JSON file below the folder, as one text."""
    parts = [path.read_text() for path in folder.rglob("*.json")]
    for table in TABLES:
        rows = spark.read.parquet(f"{folder}/{table}")
        parts += [json.dumps(row.asDict(), default=str) for row in rows.collect()]
    return "\n".join(parts)


def test_ids_stay_in_the_raw_zone_and_a_forgotten_user_leaves_it(
    spark: SparkSession, travel: Settings, tmp_path: Path
) -> None:
    lake = Lake(tmp_path, spark, travel, key=KEY)
    lake.put("clickstream/ios/a.jsonl.gz", day(0, 1200).replace('{"id": "u', '{"id": "person-'))
    lake.put("clickstream/ios/b.jsonl", click(1, user={"id": "person-7"}, ts=-1))
    lake.put("customers/c.csv", "customer_id,home_city,age_band,tier\nperson-7,DEL,18-24,gold\n")
    lake.curate()
    found = texts(spark, lake.datasets)
    assert "person-" not in found
    assert f'"user_id": "{pseudonym("person-7")}", "home_city": "DEL"' in found
    users = {row[1] for row in lake.kept()}
    assert users == {pseudonym(f"person-{number}") for number in range(40)}

    erase_from_raw(travel, lake.raw.as_uri() + "/", {"person-7"})
    forget_derived(lake.datasets.as_uri() + "/")
    lake.curate()
    assert pseudonym("person-7") not in texts(spark, lake.datasets)
    assert {row[1] for row in lake.kept()} == users - {pseudonym("person-7")}
