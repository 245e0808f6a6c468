"""The `coupon_campaign` section: who may get coupons, the budget, and what a campaign is for."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from config.base import Section


class PriceMargin(Section):
    """A redemption earns `rate` of the mean of `attribute` over purchases that the coupon covers."""

    attribute: str
    rate: float = Field(gt=0, le=1)


class Margin(Section):
    """What a redemption earns before the coupon's cost: by coupon, else by price, else `per_redemption`."""

    per_redemption: float = Field(default=0.0, ge=0)
    of_coupon: dict[str, float] = Field(default_factory=dict)
    price: PriceMargin | None = None


class Segments(Section):
    """What makes a user frequent or lapsed; who never redeemed a coupon is `never`, others `occasional`.

    Lapsed is who redeemed last more than `lapsed_after_days` before the end of the data.
    """

    frequent_redemptions: int = Field(default=3, ge=2)
    lapsed_after_days: int = Field(default=90, ge=1)


class Batch(Section):
    """How the ranking is split: Personalize takes 1 GB a batch job and 5 pending jobs a region."""

    megabytes_per_job: float = Field(default=900, gt=0, le=1000)
    jobs_side_by_side: int = Field(default=4, ge=1)


class CouponCampaignConfig(Section):
    """Defaults of a targeted coupon campaign; each but the last four may be overridden for one execution.

    `cost_per_coupon` is for coupons whose own cost is not known, `stock_per_coupon` for those that `stock`
    does not name. Pairs are left out below `minimum_probability`, and above `leave_out_organic_above`: the
    probability that the user buys without any coupon.
    """

    budget: float = Field(gt=0)
    objective: Literal["redemptions", "margin"] = "redemptions"
    cost_per_coupon: float = Field(gt=0)
    coupons_per_user: int = Field(default=1, ge=1)
    stock_per_coupon: int | None = Field(default=None, ge=1)
    stock: dict[str, int] = Field(default_factory=dict)
    minimum_probability: float = Field(default=0.0, ge=0, le=1)
    leave_out_organic_above: float | None = Field(default=None, ge=0, le=1)
    control_share: float = Field(default=0.1, ge=0, lt=1)
    seed: int = 7
    margin: Margin | None = None
    segments: Segments = Segments()
    batch: Batch = Batch()
    schedule: str | None = None

    @model_validator(mode="after")
    def _margin_is_known_where_it_is_the_objective(self) -> Self:
        if self.objective == "margin" and self.margin is None:
            raise ValueError("coupon_campaign.objective = 'margin' needs coupon_campaign.margin")
        return self
