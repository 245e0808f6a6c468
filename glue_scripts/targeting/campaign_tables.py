"""A selection as tables: the pairs that are sent or held out, and the segments of all users."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from targeting.offers import Worth
from targeting.selection import Selection

SENT, CONTROL = "sent", "control"
UNKNOWN_SEGMENT = "never"


def pairs_table(selection: Selection, worth: Worth, segments: dict[str, str]) -> pa.Table:
    """Return the pairs that are sent, and those the control group would have been, by user and coupon."""
    block, value = selection.block, worth.of(selection.block)
    users, slots = np.nonzero(selection.sent | selection.would)
    coupons = block.coupon[users, slots]
    names = [block.users[user] for user in users.tolist()]
    table = pa.table(
        {
            "user_id": names,
            "coupon_id": [worth.offers.coupon_ids[coupon] for coupon in coupons.tolist()],
            "treatment": np.where(selection.sent[users, slots], SENT, CONTROL),
            "segment": [segments.get(user, UNKNOWN_SEGMENT) for user in names],
            "probability": block.probability[users, slots].astype(np.float64),
            "organic_probability": block.organic[users, slots].astype(np.float64),
            "value": value[users, slots].astype(np.float64),
            "cost": worth.offers.cost[coupons],
        }
    )
    return table.sort_by([("user_id", "ascending"), ("coupon_id", "ascending")])


def segments_table(selection: Selection, worth: Worth, segments: dict[str, str]) -> pa.Table:
    """Return a row a user of the audience: their segment, their group and how many coupons they are sent."""
    users = selection.block.users
    table = pa.table(
        {
            "user_id": users,
            "segment": [segments.get(user, UNKNOWN_SEGMENT) for user in users],
            "treatment": np.where(worth.is_control(selection.block), CONTROL, SENT),
            "coupons": selection.sent.sum(axis=1).astype(np.int32),
        }
    )
    return table.sort_by([("segment", "ascending"), ("user_id", "ascending")])
