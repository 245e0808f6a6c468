"""What a campaign may spend, on whom and to what end, as the execution's settings say."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import Any

OBJECTIVES = ("redemptions", "margin")


class CampaignError(Exception):
    """The campaign cannot be made of this input; nothing was written."""


@dataclass(frozen=True)
class CampaignSettings:
    """The settings of one campaign. Raises CampaignError for values that make no sense.

    Money is in the currency of the coupons' costs. `cost_per_coupon` is for coupons whose cost is not known,
    `stock_per_coupon` for those that `stock` does not name. `margin` has `per_redemption`, `of_coupon`
    ({coupon: margin}) and `price` ({"attribute", "rate"}), each optional.
    """

    budget: float
    cost_per_coupon: float
    coupons_per_user: int = 1
    objective: str = "redemptions"
    stock_per_coupon: int | None = None
    stock: dict[str, int] = field(default_factory=dict)
    minimum_probability: float = 0.0
    leave_out_organic_above: float | None = None
    control_share: float = 0.0
    seed: int = 0
    margin: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        for name in ("budget", "cost_per_coupon", "coupons_per_user"):
            if getattr(self, name) <= 0:
                raise CampaignError(f"{name} must be above 0, not {getattr(self, name)}")
        for name in ("minimum_probability", "control_share", "leave_out_organic_above"):
            if not 0 <= (getattr(self, name) or 0) <= 1:
                raise CampaignError(f"{name} must be between 0 and 1, not {getattr(self, name)}")
        for coupon, stock in [("stock_per_coupon", self.stock_per_coupon), *self.stock.items()]:
            if stock is not None and stock < 1:
                raise CampaignError(f"the stock of {coupon} must be at least 1, not {stock}")
        if self.objective not in OBJECTIVES:
            raise CampaignError(f"objective must be one of {', '.join(OBJECTIVES)}, not {self.objective!r}")
        if self.objective == "margin" and not self.margin:
            raise CampaignError("objective 'margin' needs coupon_campaign.margin in the configuration")

    @classmethod
    def from_json(cls, text: str) -> CampaignSettings:
        """Read the settings; those of other parts of the campaign are passed over."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in json.loads(text).items() if name in known})
