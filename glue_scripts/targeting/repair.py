"""From prices to a choice within all limits: cut what is too much, then spend what is left."""

from __future__ import annotations

import numpy as np

from targeting.market import Bools, Floats, Ints, Market, Prices, best_slots

# So many of the best pairs are tried for what is left of the budget; prices near the optimum leave little.
TRIED_PAIRS = 500_000


def within_limits(market: Market, prices: Prices) -> Bools:
    """Return a choice (users, slots) within budget, stock and cap, near the best when the prices are.

    Everybody takes their best coupons at these prices. Where stock runs out, those keep theirs who have the
    least to fall back on; where the budget does, what is worth most for its cost. Then whatever still fits is
    given out, the best for its cost first.
    """
    users, slots, left, fallback = _taken(market, prices)
    coupons = market.coupon[users, slots]
    kept = _within_stock(market, coupons, left - fallback)
    users, slots, left, coupons = users[kept], slots[kept], left[kept], coupons[kept]
    kept = _within_budget(market, market.cost[coupons], left)
    chosen = np.zeros(market.value.shape, dtype=bool)
    chosen[users[kept], slots[kept]] = True
    _spend_the_rest(market, prices, chosen)
    return chosen


def _taken(market: Market, prices: Prices) -> tuple[Ints, Ints, Floats, Floats]:
    """Return the pairs taken at these prices: users, slots, values left, what there is to fall back on."""
    parts: list[tuple[Ints, Ints, Floats, Floats]] = []
    for block, best, left in best_slots(market, prices, extra=1):
        order = np.argsort(-left, axis=1, kind="stable")
        ranked, slots = np.take_along_axis(left, order, axis=1), np.take_along_axis(best, order, axis=1)
        next_best = ranked[:, market.cap] if ranked.shape[1] > market.cap else np.zeros(len(ranked))
        row, place = np.nonzero(ranked[:, : market.cap] > 0)
        parts.append(
            (row + block.start, slots[row, place], ranked[row, place], np.maximum(0, next_best)[row])
        )
    if not parts:
        empty = np.zeros(0)
        return empty.astype(int), empty.astype(int), empty, empty
    users, slots, left, fallback = (np.concatenate(column) for column in zip(*parts, strict=True))
    return users, slots, left, fallback


def _within_stock(market: Market, coupons: Ints, loss: Floats) -> Bools:
    """Keep of each coupon no more than there are: the pairs that lose most without it."""
    order = np.lexsort((-loss, coupons))
    ordered = coupons[order]
    first = np.searchsorted(ordered, np.arange(len(market.cost)))
    place = np.arange(len(ordered)) - first[ordered]
    kept = np.zeros(len(coupons), dtype=bool)
    kept[order] = place < market.stock[ordered]
    return kept


def _within_budget(market: Market, cost: Floats, left: Floats) -> Bools:
    """Keep what the budget pays for, the most valuable for its cost first."""
    kept = np.ones(len(cost), dtype=bool)
    if cost.sum() > market.spendable:
        order = np.argsort(-left / cost, kind="stable")
        kept[order] = np.cumsum(cost[order]) <= market.spendable
    return kept


def _spend_the_rest(market: Market, prices: Prices, chosen: Bools) -> None:
    """Add to a choice, in place, the pairs that still fit, the most valuable for its cost first."""
    budget = market.spendable - market.spent(chosen)
    stock = market.stock - market.issued(chosen)
    room = market.cap - chosen.sum(axis=1)
    fits = (market.value > 0) & ~chosen & (room > 0)[:, None] & (stock > 0)[market.coupon]
    fits &= (market.cost <= budget)[market.coupon]
    users, slots = np.nonzero(fits)
    coupons = market.coupon[users, slots]
    price = prices.of_coupons(market.cost)
    worth = (market.value[users, slots] - price[coupons]) / market.cost[coupons]
    if len(worth) > TRIED_PAIRS:
        best = np.sort(np.argpartition(-worth, TRIED_PAIRS)[:TRIED_PAIRS])
        users, slots, coupons, worth = users[best], slots[best], coupons[best], worth[best]
    least = float(market.cost.min())
    for pair in np.argsort(-worth, kind="stable").tolist():
        if budget < least:
            break
        user, coupon = users[pair], coupons[pair]
        if room[user] > 0 and stock[coupon] > 0 and market.cost[coupon] <= budget:
            chosen[user, slots[pair]] = True
            room[user] -= 1
            stock[coupon] -= 1
            budget -= market.cost[coupon]
