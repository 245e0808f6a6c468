"""What coupons cost, how many there are, and what it is worth to give one to a user."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from targeting.blocks import NO_COUPON, Block
from targeting.limits import CampaignSettings
from targeting.market import Bools, Floats, Market


@dataclass(frozen=True)
class Offers:
    """The campaign's coupons by their ids; `margin` is of a redemption, before the coupon's cost."""

    coupon_ids: list[str]
    cost: Floats
    stock: Floats
    margin: Floats

    @classmethod
    def of(
        cls,
        coupon_ids: list[str],
        known_costs: dict[str, float | None],
        settings: CampaignSettings,
        price_margins: dict[str, float] | None = None,
    ) -> Offers:
        """Return the coupons with what the coupons table, or else the settings, say of them."""
        costs = [known_costs.get(coupon) or settings.cost_per_coupon for coupon in coupon_ids]
        stocks = [settings.stock.get(coupon, settings.stock_per_coupon) or np.inf for coupon in coupon_ids]
        given = settings.margin or {}
        margins = {**(price_margins or {}), **(given.get("of_coupon") or {})}
        default = given.get("per_redemption") or 0.0
        margin = [margins.get(coupon, default) for coupon in coupon_ids]
        return cls(coupon_ids, np.array(costs, float), np.array(stocks, float), np.array(margin, float))


@dataclass(frozen=True)
class Worth:
    """Tells what pairs are worth under the settings."""

    settings: CampaignSettings
    offers: Offers

    def of(self, block: Block) -> Floats:
        """Return the values (users, slots): expected redemptions, or the margin that is left of them.

        -inf for a slot without a pair and for a pair that is left out: too unlikely, bound to be bought
        anyway, or worth nothing.
        """
        value = block.probability
        if self.settings.objective == "margin":
            margin, cost = self.offers.margin.astype(np.float32), self.offers.cost.astype(np.float32)
            value = value * margin[block.coupon] - cost[block.coupon]
        left_out = self.unlikely(block) | self.organic(block) | (block.coupon == NO_COUPON) | (value <= 0)
        return np.where(left_out, np.float32(-np.inf), value)

    def unlikely(self, block: Block) -> Bools:
        """Tell the pairs below the minimum probability."""
        return (block.coupon != NO_COUPON) & (block.probability < self.settings.minimum_probability)

    def organic(self, block: Block) -> Bools:
        """Tell the pairs whose user would buy without a coupon, where those are to be left out."""
        threshold = self.settings.leave_out_organic_above
        if threshold is None:
            return np.zeros(block.coupon.shape, dtype=bool)
        return (block.coupon != NO_COUPON) & (block.organic > threshold)

    def market(self, block: Block) -> Market:
        """Return the market of a block's users, with the whole budget and stock."""
        return Market(
            value=self.of(block),
            coupon=np.maximum(block.coupon, 0),
            cost=self.offers.cost,
            stock=self.offers.stock,
            cap=self.settings.coupons_per_user,
            budget=self.settings.budget,
        )

    def is_control(self, block: Block) -> Bools:
        """Tell the users (users,) who are kept aside to measure against."""
        return block.draw < self.settings.control_share
