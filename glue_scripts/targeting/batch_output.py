"""The output of batch inference: whether it is whole, and the rankings in it."""

from __future__ import annotations

import json

from preprocessing import storage
from preprocessing.storage import join
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from targeting.limits import CampaignError

_OUTPUT_SCHEMA = (
    "input struct<userId:string>, output struct<recommendedItems:array<string>, scores:array<double>>, "
    "error string"
)
SHOWN = 5
# 500 coupons with ids of 256 characters, each of at most four bytes.
LONGEST_LINE_BYTES = 1 << 20


def whole_output(input_uri: str, ranking_uri: str) -> int:
    """Return the bytes of the batch output. Raises CampaignError when that of an input is missing."""
    inputs = [file.uri for file in storage.list_files(input_uri)]
    if not inputs:
        raise CampaignError(f"no batch inference input below {input_uri}: is the audience empty?")
    written = {file.uri: file for file in storage.list_files(ranking_uri)}
    start = len(input_uri.rstrip("/"))
    expected = [join(ranking_uri, f"{uri[start:].lstrip('/')}.out") for uri in inputs]
    missing = [uri for uri in expected if uri not in written]
    if missing:
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        raise CampaignError(
            f"{len(missing)} of {len(expected)} parts of the batch inference output are missing: "
            f"{', '.join(missing[:SHOWN])}{more}; run the ranking again"
        )
    return sum(written[uri].size for uri in expected)


def offered_coupons(input_uri: str) -> list[str]:
    """Return the coupons that the batch input has ranked, by their ids: the same ones for every user."""
    first = storage.read_bytes(storage.list_files(input_uri)[0].uri, LONGEST_LINE_BYTES)
    coupons: list[str] = json.loads(first.split(b"\n", 1)[0])["itemList"]
    return sorted(coupons)


def ranked_pairs(spark: SparkSession, ranking_uri: str) -> DataFrame:
    """Return user_id, coupon_id, score and the number ranked beside it, of the batch output."""
    return pairs_of(spark.read.text(ranking_uri, recursiveFileLookup=True, pathGlobFilter="*.out"))


def pairs_of(lines: DataFrame) -> DataFrame:
    """Return the ranked pairs of batch output lines (`value`); lines with an error have none."""
    parsed = lines.select(F.from_json("value", _OUTPUT_SCHEMA).alias("line")).where("line.error IS NULL")
    listed = parsed.select(
        F.col("line.input.userId").alias("user_id"),
        F.size("line.output.recommendedItems").alias("ranked"),
        F.arrays_zip("line.output.recommendedItems", "line.output.scores").alias("pairs"),
    )
    return listed.select("user_id", "ranked", F.explode("pairs").alias("pair")).select(
        "user_id",
        F.col("pair.recommendedItems").alias("coupon_id"),
        F.col("pair.scores").alias("score"),
        "ranked",
    )
