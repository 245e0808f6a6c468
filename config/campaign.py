"""The `coupon_campaign` section: who may get coupons, and the budget."""

from __future__ import annotations

from pydantic import Field

from config.base import Section


class CouponCampaignConfig(Section):
    """Defaults of a targeted coupon campaign; each may be overridden in the execution input."""

    budget: float = Field(gt=0)
    cost_per_coupon: float = Field(gt=0)
    coupons_per_user: int = Field(default=1, ge=1)
    stock_per_coupon: int | None = Field(default=None, ge=1)
    minimum_probability: float = Field(default=0.0, ge=0, le=1)
    control_share: float = Field(default=0.1, ge=0, lt=1)
    schedule: str | None = None
    seed: int = 7
