"""What a campaign costs and should bring, beside sending everything to everybody."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from targeting.campaign_tables import CONTROL, SENT
from targeting.offers import Worth
from targeting.selection import Selection


def campaign_report(
    selection: Selection, worth: Worth, pairs: pa.Table, users: pa.Table, *, campaign_run: str, as_of: int
) -> dict[str, Any]:
    """Return the report; `pairs` and `users` are the tables of `campaign_tables`, `as_of` epoch seconds."""
    sent = pairs.filter(pc.equal(pairs["treatment"], SENT))
    held_out = pairs.filter(pc.equal(pairs["treatment"], CONTROL))
    totals, allocation = selection.totals, selection.allocation
    everything = totals.of_everything()
    return {
        "campaignRun": campaign_run,
        "asOf": as_of,
        "objective": worth.settings.objective,
        "issued": sent.num_rows,
        "users": pc.count_distinct(sent["user_id"]).as_py(),
        "coupons": pc.count_distinct(sent["coupon_id"]).as_py(),
        "cost": _sum(sent["cost"]),
        "budget": worth.settings.budget,
        "expectedRedemptions": _sum(sent["probability"]),
        "expectedOrganicPurchases": _sum(sent["organic_probability"]),
        "audience": totals.users,
        "controlUsers": totals.control_users,
        "costOfSendingAll": everything["cost"],
        "expectedRedemptionsOfSendingAll": everything["expectedRedemptions"],
        "costSaved": everything["cost"] - _sum(sent["cost"]),
        "leftOut": {"unlikely": totals.unlikely, "organic": totals.organic},
        "control": {"coupons": held_out.num_rows, "expectedRedemptions": _sum(held_out["probability"])},
        "optimality": {
            "method": allocation.method,
            "value": allocation.worth,
            "bound": allocation.bound,
            "gap": allocation.gap,
        },
        "byCoupon": _by_coupon(worth, sent, held_out),
        "bySegment": _by_segment(users, sent),
        "liftCurve": totals.lift_curve(),
    }


def _by_coupon(worth: Worth, sent: pa.Table, held_out: pa.Table) -> list[dict[str, Any]]:
    controls = dict(_counted(held_out, "coupon_id", "probability"))
    rows = dict(_counted(sent, "coupon_id", "probability"))
    offers = worth.offers
    return [
        {
            "coupon_id": coupon,
            "issued": rows.get(coupon, (0, 0.0))[0],
            "cost": rows.get(coupon, (0, 0.0))[0] * float(cost),
            "expectedRedemptions": rows.get(coupon, (0, 0.0))[1],
            "stock": int(stock) if np.isfinite(stock) else None,
            "control": controls.get(coupon, (0, 0.0))[0],
        }
        for coupon, cost, stock in zip(offers.coupon_ids, offers.cost, offers.stock, strict=True)
    ]


def _by_segment(users: pa.Table, sent: pa.Table) -> list[dict[str, Any]]:
    issued = dict(_counted(sent, "segment", "probability"))
    cost = dict(_counted(sent, "segment", "cost"))
    return [
        {
            "segment": segment,
            "users": count,
            "issued": issued.get(segment, (0, 0.0))[0],
            "cost": cost.get(segment, (0, 0.0))[1],
            "expectedRedemptions": issued.get(segment, (0, 0.0))[1],
        }
        for segment, (count, _) in _counted(users, "segment", "coupons")
    ]


def _counted(table: pa.Table, key: str, summed: str) -> list[tuple[str, tuple[int, float]]]:
    """Return for each value of `key` how many rows there are and the sum of a column, by the value."""
    grouped = table.group_by(key).aggregate([([], "count_all"), (summed, "sum")]).sort_by(key)
    rows = grouped.to_pylist()
    return [(row[key], (row["count_all"], float(row[f"{summed}_sum"]))) for row in rows]


def _sum(column: pa.ChunkedArray) -> float:
    return float(pc.sum(column).as_py() or 0.0)
