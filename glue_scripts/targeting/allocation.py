"""Who gets which coupon: the optimum where pairs are few, else a choice with a proven distance from it."""

from __future__ import annotations

from dataclasses import dataclass

from targeting.dual import Bound, lowest_bound
from targeting.exact import best_choice
from targeting.market import Bools, Market, Prices
from targeting.repair import within_limits

# Beyond this many pairs branch and bound may take long, and the other way is within a fraction of a percent.
EXACT_PAIRS = 5_000


@dataclass(frozen=True)
class Allocation:
    """A choice (users, slots), what it is worth, and the most that any choice can be worth.

    `prices` say who of those not asked, such as the control group, would have been chosen too.
    """

    chosen: Bools
    worth: float
    bound: float
    prices: Prices
    method: str

    @property
    def gap(self) -> float:
        """By what share of the bound, at the most, the choice is worse than the best one."""
        return max(0.0, 1 - self.worth / self.bound) if self.bound > 0 else 0.0


def allocate(market: Market, start: Prices | None = None, *, exact_pairs: int = EXACT_PAIRS) -> Allocation:
    """Return the most valuable choice within budget, stock and cap, or one near it."""
    bound = lowest_bound(market, start)
    if market.pairs <= exact_pairs:
        chosen = best_choice(market)
        if chosen is not None:
            worth = market.worth(chosen)
            return Allocation(chosen, worth, worth, bound.prices, "exact")
    return near(market, bound)


def near(market: Market, bound: Bound) -> Allocation:
    """Return a choice within the limits made from prices, and their bound."""
    chosen = within_limits(market, bound.prices)
    return Allocation(chosen, market.worth(chosen), bound.value, bound.prices, "lagrangian")
