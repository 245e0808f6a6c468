"""What sending everything to everybody would cost and bring: the measure of a campaign that chooses."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from targeting.blocks import NO_COUPON, Block
from targeting.market import Floats
from targeting.offers import Worth

# Pairs are counted by the square root of their probability: half the bins are for those below 0.25.
BINS = 2_000
CURVE_POINTS = 40


@dataclass(frozen=True)
class Totals:
    """Sums over the audience; by bin of probability `counts` of pairs, `costs` and `expected` redemptions.

    `unlikely` and `organic` count the pairs left out for one or the other reason.
    """

    users: int
    control_users: int
    unlikely: int
    organic: int
    counts: Floats
    costs: Floats
    expected: Floats

    def __add__(self, other: Totals) -> Totals:
        return Totals(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    def lift_curve(self) -> list[dict[str, float]]:
        """Return, for growing shares of all pairs sent, the likeliest first, what that costs and brings."""
        order = slice(None, None, -1)
        pairs, cost, expected = (np.cumsum(of[order]) for of in (self.counts, self.costs, self.expected))
        wanted = pairs[-1] * np.linspace(0, 1, CURVE_POINTS + 1)[1:] ** 2
        bins = sorted(set(np.searchsorted(pairs, wanted).clip(0, BINS - 1).tolist()))
        points = [(pairs[one], cost[one], expected[one]) for one in bins]
        return [
            {"coupons": int(n), "cost": float(c), "expectedRedemptions": float(e)}
            for n, c, e in [(0, 0, 0), *points]
        ]

    def of_everything(self) -> dict[str, Any]:
        """Return what sending every coupon to every user comes to."""
        return {
            "coupons": int(self.counts.sum()),
            "cost": float(self.costs.sum()),
            "expectedRedemptions": float(self.expected.sum()),
        }


def survey(block: Block, worth: Worth) -> Totals:
    """Return the totals of one block."""
    is_pair = block.coupon != NO_COUPON
    probability = block.probability[is_pair].astype(np.float64)
    place = np.minimum((np.sqrt(probability) * BINS).astype(np.int64), BINS - 1)
    cost = worth.offers.cost[block.coupon[is_pair]]
    return Totals(
        users=len(block.users),
        control_users=int(worth.is_control(block).sum()),
        unlikely=int(worth.unlikely(block).sum()),
        organic=int(worth.organic(block).sum()),
        counts=np.bincount(place, minlength=BINS).astype(np.float64),
        costs=np.bincount(place, weights=cost, minlength=BINS),
        expected=np.bincount(place, weights=probability, minlength=BINS),
    )
