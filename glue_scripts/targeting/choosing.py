"""Who gets which coupon: redemption probabilities from rankings and history; choosing under a budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

# How many issued coupons of everybody's rate a user's own history is weighed against.
PRIOR_ISSUES = 5.0
CONTROL_BUCKETS = 10_000
_OUTPUT_SCHEMA = (
    "input struct<userId:string, itemList:array<string>>, "
    "output struct<recommendedItems:array<string>, scores:array<double>>, error string"
)


class CampaignError(Exception):
    """The campaign cannot be made of this input; nothing was written."""


@dataclass(frozen=True)
class CampaignLimits:
    """What a campaign may spend, and on whom. Raises CampaignError for values that make no sense."""

    budget: float
    cost_per_coupon: float
    coupons_per_user: int
    stock_per_coupon: int | None
    minimum_probability: float
    control_share: float
    seed: int

    def __post_init__(self) -> None:
        for name in ("budget", "cost_per_coupon", "coupons_per_user"):
            if getattr(self, name) <= 0:
                raise CampaignError(f"{name} must be above 0, not {getattr(self, name)}")
        for name in ("minimum_probability", "control_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise CampaignError(f"{name} must be between 0 and 1, not {getattr(self, name)}")

    @property
    def affordable(self) -> int:
        """Return how many coupons the budget buys."""
        return int(self.budget / self.cost_per_coupon + 1e-9)


def ranked_pairs(lines: DataFrame) -> DataFrame:
    """Return user_id, coupon_id, score and the number ranked beside it, of batch output lines (`value`)."""
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


def estimated_probabilities(pairs: DataFrame, coupon_events: DataFrame) -> DataFrame:
    """Add `probability` of redemption: the user's own rate, shared out by the ranking's scores.

    A user's rate is redeemed / issued, smoothed towards everybody's. Scores of a ranking sum to 1, so score x
    number ranked is how much likelier than the average coupon this one is for the user.
    """
    is_redeemed = F.col("event_type") == "redeemed"
    history = coupon_events.groupBy("user_id").agg(
        F.sum(F.when(is_redeemed, 1.0).otherwise(0.0)).alias("redeemed"),
        F.sum(F.when(is_redeemed, 0.0).otherwise(1.0)).alias("issued"),
    )
    total = history.agg(F.sum("redeemed") / F.greatest(F.sum("issued"), F.lit(1.0))).first()
    overall = float((total[0] if total else None) or 0.0)
    rate = (F.coalesce("redeemed", F.lit(0.0)) + overall * PRIOR_ISSUES) / (
        F.coalesce("issued", F.lit(0.0)) + PRIOR_ISSUES
    )
    estimate = F.least(F.lit(1.0), rate * F.col("score") * F.col("ranked"))
    return pairs.join(history, "user_id", "left").select(
        "user_id", "coupon_id", "score", estimate.alias("probability")
    )


def in_control_group(user_id: Column, limits: CampaignLimits) -> Column:
    """Tell who is held out to measure against: a share of users that the seed alone decides."""
    bucket = F.pmod(F.xxhash64(F.lit(limits.seed), user_id), F.lit(CONTROL_BUCKETS))
    return bucket < int(limits.control_share * CONTROL_BUCKETS)


def choose(candidates: DataFrame, limits: CampaignLimits) -> DataFrame:
    """Choose the likeliest pairs within the caps, the stock and the budget, with `probability` and `cost`.

    Every coupon costs the same, so taking the likeliest first is best but for the interplay of the caps.
    Equal probabilities go by user and coupon, so that the same input gives the same campaign.
    """
    likeliest = [F.desc("probability"), F.asc("user_id"), F.asc("coupon_id")]
    kept = candidates.where(F.col("probability") >= limits.minimum_probability)
    of_user = Window.partitionBy("user_id").orderBy(*likeliest)
    kept = kept.withColumn("place", F.row_number().over(of_user)).where(
        F.col("place") <= limits.coupons_per_user
    )
    if limits.stock_per_coupon is not None:
        of_coupon = Window.partitionBy("coupon_id").orderBy(*likeliest)
        kept = kept.withColumn("place", F.row_number().over(of_coupon))
        kept = kept.where(F.col("place") <= limits.stock_per_coupon)
    chosen = kept.orderBy(*likeliest).limit(limits.affordable)
    return chosen.select(
        "user_id", "coupon_id", "score", "probability", F.lit(limits.cost_per_coupon).alias("cost")
    )


def campaign_report(
    candidates: DataFrame, chosen: DataFrame, control: DataFrame, limits: CampaignLimits, campaign_run: str
) -> dict[str, Any]:
    """Return what the campaign costs and should bring, beside sending every coupon to everybody."""
    everything = _totals(candidates)
    sent = _totals(chosen)
    by_coupon = chosen.groupBy("coupon_id").agg(
        F.count("*").alias("issued"), F.sum("probability").alias("expectedRedemptions")
    )
    return {
        "campaignRun": campaign_run,
        "issued": sent["pairs"],
        "users": sent["users"],
        "coupons": sent["coupons"],
        "cost": sent["pairs"] * limits.cost_per_coupon,
        "budget": limits.budget,
        "expectedRedemptions": sent["expected"],
        "controlUsers": control.select("user_id").distinct().count(),
        "costOfSendingAll": everything["pairs"] * limits.cost_per_coupon,
        "expectedRedemptionsOfSendingAll": everything["expected"],
        "byCoupon": [row.asDict() for row in by_coupon.orderBy("coupon_id").collect()],
    }


def _totals(pairs: DataFrame) -> dict[str, Any]:
    totals = pairs.agg(
        F.count("*").alias("pairs"),
        F.count_distinct("user_id").alias("users"),
        F.count_distinct("coupon_id").alias("coupons"),
        F.coalesce(F.sum("probability"), F.lit(0.0)).alias("expected"),
    ).first()
    return totals.asDict() if totals else {}
