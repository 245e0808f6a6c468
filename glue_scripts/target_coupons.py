"""Glue job: coupon rankings to a campaign: who is sent what, within the budget, and who is held out.

Arguments: --input_uri and --ranking_uri (batch inference input and output), --datasets_uri, --campaigns_uri
(the campaign goes below it, under its run), --campaign_run, --settings (JSON, targeting/limits.py);
--glue_database, whose table coupon_users has the segments and which gets the campaign's tables.
"""

from __future__ import annotations

import sys

from preprocessing.catalog import Catalog
from preprocessing.session import open_session, parse_arguments, size_session
from preprocessing.storage import join
from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from targeting.batch_output import offered_coupons, ranked_pairs, whole_output
from targeting.blocks import packed
from targeting.campaign_report import campaign_report
from targeting.campaign_tables import pairs_table, segments_table
from targeting.limits import CampaignError, CampaignSettings
from targeting.offers import Offers, Worth
from targeting.price_margins import price_margins
from targeting.probabilities import Curated, last_moment, redemption_probabilities
from targeting.publishing import publish
from targeting.selection import select

REQUIRED = [
    "input_uri", "ranking_uri", "datasets_uri", "campaigns_uri", "campaign_run", "settings", "glue_database",
]  # fmt: skip
CURATED = {"interactions": "interactions/outcome=kept/", "coupons": "coupons/",
           "coupon_scope": "coupon_scope/", "coupon_events": "coupon_events/"}  # fmt: skip


def main(arguments: list[str]) -> None:
    """Run the job."""
    options = parse_arguments(arguments, REQUIRED, [])
    catalog = Catalog(options.glue_database)
    target(
        open_session("target_coupons"),
        CampaignSettings.from_json(options.settings),
        input_uri=options.input_uri,
        ranking_uri=options.ranking_uri,
        datasets_uri=options.datasets_uri,
        campaigns_uri=options.campaigns_uri,
        campaign_run=options.campaign_run,
        coupon_users_uri=catalog.location("coupon_users"),
        catalog=catalog,
    )


def target(
    spark: SparkSession,
    settings: CampaignSettings,
    *,
    input_uri: str,
    ranking_uri: str,
    datasets_uri: str,
    campaigns_uri: str,
    campaign_run: str,
    coupon_users_uri: str,
    catalog: Catalog | None,
) -> None:
    """Make one campaign. Raises CampaignError before anything is written when the input cannot make one."""
    size_session(spark, whole_output(input_uri, ranking_uri))
    spark.conf.set("spark.sql.execution.arrow.pyspark.enabled", "true")
    tables = {
        name: spark.read.parquet(join(datasets_uri, "curated", folder)) for name, folder in CURATED.items()
    }
    curated, as_of = Curated(**tables), last_moment(Curated(**tables))
    worth = Worth(settings, _offers(curated, offered_coupons(input_uri), settings))
    pairs = redemption_probabilities(
        ranked_pairs(spark, ranking_uri), curated, as_of=as_of, seed=settings.seed
    )
    blocks = packed(pairs, worth.offers.coupon_ids, settings.seed).persist(StorageLevel.DISK_ONLY)
    selection = select(blocks, worth)
    blocks.unpersist()
    segments = _segments(spark.read.parquet(coupon_users_uri))
    chosen, users = pairs_table(selection, worth, segments), segments_table(selection, worth, segments)
    report = campaign_report(selection, worth, chosen, users, campaign_run=campaign_run, as_of=as_of)
    publish(chosen, users, report, campaigns_uri=campaigns_uri, campaign_run=campaign_run, catalog=catalog)


def _offers(curated: Curated, coupon_ids: list[str], settings: CampaignSettings) -> Offers:
    rows = curated.coupons.select("coupon_id", "cost").collect()
    costs = {row["coupon_id"]: row["cost"] for row in rows}
    unknown = sorted(set(coupon_ids) - set(costs))
    if unknown:
        raise CampaignError(f"the coupons table does not have the ranked coupons {', '.join(unknown)}")
    price = (settings.margin or {}).get("price") if settings.objective == "margin" else None
    margins = (
        price_margins(
            curated.interactions, curated.coupon_scope, price=price["attribute"], rate=price["rate"]
        )
        if price
        else None
    )
    return Offers.of(coupon_ids, costs, settings, margins)


def _segments(coupon_users: DataFrame) -> dict[str, str]:
    frame = coupon_users.select("user_id", "coupon_habit").toPandas()
    return dict(zip(frame["user_id"], frame["coupon_habit"], strict=True))


if __name__ == "__main__":
    main(sys.argv[1:])
