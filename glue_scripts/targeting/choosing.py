"""Redemption probabilities from rankings and each user's own coupon history."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

# How many issued coupons of everybody's rate a user's own history is weighed against.
PRIOR_ISSUES = 5.0


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
