"""The prices of budget and stock at which users' own best choices nearly use both up.

Lagrangian relaxation: with a price on the budget and on each coupon of limited stock, every user can be
served alone, by the coupons of the highest value after the prices. The sum over users, and the limits at
their prices, is for any prices an upper bound of what any campaign can be worth: the dual function. It is
convex, and its lowest point is found by Kelley's cutting planes within a trust region (Marsten, Hogan and
Blankenship 1975, "The boxstep method").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from targeting.market import Floats, Market, Prices, best_slots

# Stop when the bound can fall by no more than this share of itself.
TOLERANCE = 2e-4
MOST_EVALUATIONS = 200
FIRST_STEP = 0.1
LEAST_STEP = 1e-7
BISECTIONS = 16
# An actual fall of this share of the predicted one is progress; of the larger, reason for longer steps.
PROGRESS, GOOD_PROGRESS = 0.1, 0.5


@dataclass(frozen=True)
class Bound:
    """An upper bound of what a campaign can be worth, and the prices that prove it."""

    value: float
    prices: Prices


def bound_at(market: Market, prices: Prices) -> tuple[float, Floats]:
    """Return the dual function at some prices, and how many of each coupon users would take there."""
    worth = 0.0
    taken = np.zeros(len(market.cost))
    for block, best, left in best_slots(market, prices):
        wanted = left > 0
        worth += float(left.sum(where=wanted, dtype=np.float64))
        coupons = np.take_along_axis(market.coupon[block], best, axis=1)[wanted]
        taken += np.bincount(coupons, minlength=len(market.cost))
    limited = np.isfinite(market.stock)
    limits = prices.of_budget * market.budget + float(prices.of_stock[limited] @ market.stock[limited])
    return worth + limits, taken


def lowest_bound(
    market: Market,
    start: Prices | None = None,
) -> Bound:
    """Return the lowest bound found, from the prices `start` on or else from that of the budget alone."""
    step = FIRST_STEP
    search = _Search(market)
    point = search.point(start) if start else search.budget_alone()
    value = search.look(point)
    for _ in range(MOST_EVALUATIONS):
        candidate, predicted = search.next_point(point, step)
        fall = value - predicted
        # Within the trust region the bound can fall by `fall`; by convexity it can by fall / step elsewhere.
        if fall <= TOLERANCE * abs(value) * step or step < LEAST_STEP:
            break
        found = search.look(candidate)
        if value - found >= PROGRESS * fall:
            step = min(1.0, 2 * step) if value - found >= GOOD_PROGRESS * fall else step
            value, point = found, candidate
        else:
            step /= 2
    return Bound(value, search.prices(point))


class _Search:
    """The dual function on [0, 1] in each price, and the cutting planes seen so far."""

    def __init__(self, market: Market) -> None:
        self._market = market
        highest = np.zeros(len(market.cost))
        is_pair = market.value > 0
        np.maximum.at(highest, market.coupon[is_pair], market.value[is_pair])
        pairs = np.bincount(market.coupon[is_pair], minlength=len(market.cost))
        # At the highest price nobody takes the coupon; stock for all who may take it needs no price.
        self._limited = np.flatnonzero((market.stock < pairs) & (highest > 0))
        self._scale = np.array([float((highest / market.cost).max()), *highest[self._limited]])
        self._slopes: list[Floats] = []
        self._offsets: list[float] = []

    def prices(self, point: Floats) -> Prices:
        """Return the prices at a point."""
        of_stock = np.zeros(len(self._market.cost))
        of_stock[self._limited] = point[1:] * self._scale[1:]
        return Prices(float(point[0] * self._scale[0]), of_stock)

    def point(self, prices: Prices) -> Floats:
        """Return the point of some prices, as near as the box allows."""
        wanted = np.array([prices.of_budget, *prices.of_stock[self._limited]])
        return np.clip(np.divide(wanted, self._scale, out=np.zeros_like(wanted), where=self._scale > 0), 0, 1)

    def look(self, point: Floats) -> float:
        """Return the bound at a point, and remember it with its slope as a cutting plane."""
        value, taken = bound_at(self._market, self.prices(point))
        market = self._market
        slope = self._scale * np.array(
            [market.budget - market.cost @ taken, *(market.stock - taken)[self._limited]]
        )
        self._slopes.append(slope)
        self._offsets.append(value - float(slope @ point))
        return value

    def budget_alone(self) -> Floats:
        """Return the point where the budget is just used up, stock aside: bisection on its price."""
        point = np.zeros(len(self._scale))
        low, high = 0.0, 1.0
        self.look(point)
        if self._slopes[-1][0] >= 0:
            return point
        for _ in range(BISECTIONS):
            point[0] = (low + high) / 2
            self.look(point)
            low, high = (low, point[0]) if self._slopes[-1][0] >= 0 else (point[0], high)
        point[0] = high
        return point

    def next_point(self, centre: Floats, step: float) -> tuple[Floats, float]:
        """Return the lowest point of the cutting planes within a step of the centre, and how low it is."""
        slopes, offsets = np.array(self._slopes), np.array(self._offsets)
        size = max(1.0, float(np.abs(offsets).max()))
        result = linprog(
            c=np.array([*np.zeros(len(centre)), 1.0]),
            A_ub=np.column_stack([slopes / size, -np.ones(len(slopes))]),
            b_ub=-offsets / size,
            bounds=[
                *zip(np.maximum(0, centre - step), np.minimum(1, centre + step), strict=True),
                (None, None),
            ],
            method="highs-ds",
        )
        if result.x is None:
            return centre, float("inf")
        return np.clip(result.x[:-1], 0, 1), float(result.fun) * size
