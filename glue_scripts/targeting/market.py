"""What there is to allocate: each user's coupons and their values, and the limits on giving them out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Ints = NDArray[np.integer]
Bools = NDArray[np.bool_]

# Users looked at together: their reduced values fit the processor's cache.
BLOCK_USERS = 1 << 13
# Costs are decimal fractions in binary: three times 0.1 is within a budget of 0.3.
BUDGET_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Market:
    """The pairs of users and coupons that may be chosen, and what limits the choice.

    `value` (users, slots) is what a pair is worth, -inf in a slot without a pair; `coupon` (users, slots) is
    which coupon it is of. `cost` and `stock` (coupons,) are above 0, `stock` inf where there is no limit.
    A user gets `cap` coupons at the most, and all of them together cost `budget` at the most.
    """

    value: Floats
    coupon: Ints
    cost: Floats
    stock: Floats
    cap: int
    budget: float

    @property
    def users(self) -> int:
        """How many users there are."""
        return int(self.value.shape[0])

    @property
    def pairs(self) -> int:
        """How many pairs are worth choosing."""
        return int(np.count_nonzero(self.value > 0))

    @property
    def spendable(self) -> float:
        """The budget with the room that rounding needs."""
        return self.budget * (1 + BUDGET_TOLERANCE)

    def spent(self, chosen: Bools) -> float:
        """Return what a choice (users, slots) costs."""
        return float(self.cost @ self.issued(chosen))

    def issued(self, chosen: Bools) -> Ints:
        """Return how many of each coupon a choice gives out."""
        return np.bincount(self.coupon[chosen], minlength=len(self.cost))

    def worth(self, chosen: Bools) -> float:
        """Return the sum of the values of a choice."""
        return float(self.value[chosen].sum(dtype=np.float64))

    def some(self, users: Ints, share: float) -> Market:
        """Return the market of some users, with their share of the budget and of the stock."""
        return Market(
            self.value[users],
            self.coupon[users],
            self.cost,
            self.stock * share,
            self.cap,
            self.budget * share,
        )


@dataclass(frozen=True)
class Prices:
    """What a unit of budget (`of_budget`) and a coupon of limited stock (`of_stock`, by coupon) are worth."""

    of_budget: float
    of_stock: Floats

    def of_coupons(self, cost: Floats) -> Floats:
        """Return what giving out one of each coupon takes from the other users."""
        return self.of_budget * cost + self.of_stock


def best_slots(market: Market, prices: Prices, extra: int = 0) -> Iterator[tuple[slice, Ints, Floats]]:
    """Yield, by blocks of users, their `cap` + `extra` best slots and the values left after the prices.

    Slots are in no order; fewer are yielded where a user has no more.
    """
    price = prices.of_coupons(market.cost).astype(market.value.dtype)
    slots = market.value.shape[1]
    wanted = min(slots, market.cap + extra)
    for start in range(0, market.users, BLOCK_USERS):
        block = slice(start, min(start + BLOCK_USERS, market.users))
        left = market.value[block] - price[market.coupon[block]]
        if wanted == slots:
            best = np.broadcast_to(np.arange(slots), left.shape)
        elif wanted == 1:
            best = left.argmax(axis=1)[:, None]
        else:
            best = np.argpartition(left, slots - wanted, axis=1)[:, slots - wanted :]
        yield block, best, np.take_along_axis(left, best, axis=1)


def demanded(market: Market, prices: Prices) -> Bools:
    """Return what each user would take at these prices, stock and budget aside: (users, slots)."""
    chosen = np.zeros(market.value.shape, dtype=bool)
    for block, best, left in best_slots(market, prices):
        np.put_along_axis(chosen[block], best, left > 0, axis=1)
    return chosen
