"""What a redemption of a coupon earns: a share of the usual price of what the coupon covers."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812


def price_margins(
    interactions: DataFrame, coupon_scope: DataFrame, *, price: str, rate: float
) -> dict[str, float]:
    """Return `rate` x the mean `price` of purchases that a coupon covers, of coupons that have any."""
    bought = interactions.where((F.col("event_type") == "purchase") & (F.col(price) > 0))
    attributes = [row["attribute"] for row in coupon_scope.select("attribute").distinct().collect()]
    covered = [
        bought.groupBy(F.col(name).cast("string").alias("value"))
        .agg(F.sum(price).alias("paid"), F.count("*").alias("purchases"))
        .join(F.broadcast(coupon_scope.where(F.col("attribute") == name)), "value")
        .select("coupon_id", "paid", "purchases")
        for name in attributes
        if name in bought.columns
    ]
    margins: dict[str, tuple[float, int]] = {}
    for part in covered:
        for row in part.groupBy("coupon_id").agg(F.sum("paid"), F.sum("purchases")).collect():
            paid, purchases = margins.get(row[0], (0.0, 0))
            margins[row[0]] = (paid + row[1], purchases + row[2])
    return {coupon: rate * paid / purchases for coupon, (paid, purchases) in margins.items()}
