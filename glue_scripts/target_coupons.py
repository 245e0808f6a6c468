"""Glue job: coupon rankings to a campaign file, choosing the most redemptions that the budget buys.

Arguments: --ranking_uri (batch inference output), --datasets_uri, --output_uri (the campaign's prefix, which
gets campaign/ and report/), --campaign_run, --budget, --cost_per_coupon, --coupons_per_user,
--minimum_probability, --control_share, --seed; optionally --stock_per_coupon (0: no limit) and --coupons
(ids, separated by commas; all if not given).

The campaign is written beside its place and moved there when it is whole: a partly written one is never
visible.
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace

from preprocessing import storage
from preprocessing.session import open_session, parse_arguments, size_session
from preprocessing.storage import join
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from targeting.choosing import (
    CampaignError,
    CampaignLimits,
    campaign_report,
    choose,
    estimated_probabilities,
    in_control_group,
    ranked_pairs,
)

REQUIRED = ["ranking_uri", "datasets_uri", "output_uri", "campaign_run", "budget", "cost_per_coupon"]
OPTIONAL = ["coupons_per_user", "minimum_probability", "control_share", "seed", "stock_per_coupon", "coupons"]

# A Glue argument cannot be empty: this stands for no choice of coupons.
EVERY_COUPON = "all"


def main(arguments: list[str]) -> None:
    """Run the job. Raises CampaignError before anything is written when the input cannot make a campaign."""
    options = parse_arguments(arguments, REQUIRED, OPTIONAL)
    spark = open_session("target_coupons")
    size_session(spark, sum(file.size for file in storage.list_files(options.ranking_uri)))
    limits = _limits(options)
    pairs = ranked_pairs(_batch_output(spark, options.ranking_uri))
    pairs = _narrowed(pairs, options.coupons)
    coupon_events = spark.read.parquet(join(options.datasets_uri, "curated", "coupon_events/"))
    candidates = estimated_probabilities(pairs, coupon_events).cache()
    if candidates.isEmpty():
        raise CampaignError(f"no ranked coupons below {options.ranking_uri}: is the audience empty?")
    is_control = in_control_group(F.col("user_id"), limits)
    chosen = choose(candidates.where(~is_control), limits).cache()
    report = campaign_report(candidates, chosen, candidates.where(is_control), limits, options.campaign_run)
    _publish(chosen, json.dumps(report, indent=2), options.output_uri)


def _limits(options: Namespace) -> CampaignLimits:
    return CampaignLimits(
        budget=float(options.budget),
        cost_per_coupon=float(options.cost_per_coupon),
        coupons_per_user=int(options.coupons_per_user or 1),
        stock_per_coupon=int(options.stock_per_coupon or 0) or None,
        minimum_probability=float(options.minimum_probability or 0),
        control_share=float(options.control_share or 0),
        seed=int(options.seed or 0),
    )


def _batch_output(spark: SparkSession, uri: str) -> DataFrame:
    outputs = [file.uri for file in storage.list_files(uri) if file.uri.endswith(".out")]
    if not outputs:
        raise CampaignError(f"no batch inference output (*.out) below {uri}")
    return spark.read.text(outputs)


def _narrowed(pairs: DataFrame, coupons: str | None) -> DataFrame:
    if coupons in {None, "", EVERY_COUPON}:
        return pairs
    wanted = {coupon.strip() for coupon in str(coupons).split(",") if coupon.strip()}
    known = {
        row["coupon_id"]
        for row in pairs.where(F.col("coupon_id").isin(*wanted)).select("coupon_id").distinct().collect()
    }
    if wanted - known:
        raise CampaignError(f"unknown or unranked coupons: {', '.join(sorted(wanted - known))}")
    return pairs.where(F.col("coupon_id").isin(*wanted))


def _publish(chosen: DataFrame, report: str, output_uri: str) -> None:
    """Write the parts under `_staging/`, then copy them to campaign/; the report, last, says it is whole."""
    staging = join(output_uri, "_staging/")
    storage.delete_prefix(join(output_uri, "campaign/"))
    chosen.coalesce(1).write.mode("overwrite").option("header", "true").csv(staging)
    for place, part in enumerate(file for file in storage.list_files(staging) if file.uri.endswith(".csv")):
        storage.copy(part.uri, join(output_uri, "campaign", f"campaign-{place:04d}.csv"))
    storage.delete_prefix(staging)
    storage.write_text(join(output_uri, "report", "report.json"), report)


if __name__ == "__main__":
    main(sys.argv[1:])
