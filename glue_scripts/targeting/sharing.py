"""From a campaign to its coupons: which of them a user redeems, and what is bought without any."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.linear_model import PoissonRegressor

from targeting.history import Catalogue
from targeting.windows import Floats

LEAST_REDEMPTIONS = 30
# Without past redemptions: a coupon for what was bought once weighs twice that of one for what never was.
PLAIN_POWER = 1.0
LEAST_SHAPE, MOST_SHAPE = 0.02, 10.0


@dataclass(frozen=True)
class CouponWeights:
    """What a coupon weighs among its campaign's: (1 + user's occasions)^bought x (1 + breadth)^breadth."""

    bought: float = PLAIN_POWER
    breadth: float = 0.0

    def base(self, catalogue: Catalogue) -> Floats:
        """Return (coupons,) the weights for a user who bought nothing that the coupons cover."""
        return np.power(1 + catalogue.breadth, self.breadth)

    def per_redemption(self, pairs: pd.DataFrame, covered: pd.DataFrame, catalogue: Catalogue) -> Floats:
        """Return (pairs,) 1 / the sum of the weights of all coupons of the pair's campaign."""
        base = self.base(catalogue)
        of_campaign = pd.Series(base).groupby(catalogue.coupons["campaign_id"].to_numpy()).sum()
        gain = base[covered["coupon"]] * (np.power(1.0 + covered["occasions"].to_numpy(), self.bought) - 1)
        total = of_campaign.reindex(pairs["campaign_id"]).to_numpy(dtype=np.float64)
        return 1 / (total + np.bincount(covered["pair"], weights=gain, minlength=len(pairs)))


def fit_weights(
    pairs: pd.DataFrame, covered: pd.DataFrame, redeemed: pd.DataFrame, catalogue: Catalogue
) -> CouponWeights:
    """Return the weights that past redemptions (`pair`, `coupon`) show among all coupons of their campaigns.

    A Poisson regression of how much more often than the campaign's average coupon each one was redeemed.
    """
    if len(redeemed) < LEAST_REDEMPTIONS:
        return CouponWeights()
    totals = redeemed.groupby("pair").size()
    offered = pd.DataFrame(
        {"pair": totals.index, "campaign_id": pairs["campaign_id"].to_numpy()[totals.index]}
    )
    coupons = pd.DataFrame(
        {"campaign_id": catalogue.coupons["campaign_id"], "coupon": catalogue.coupons.index}
    )
    rows = offered.merge(coupons, on="campaign_id")
    counts = redeemed.groupby(["pair", "coupon"]).size().rename("redeemed")
    keys = ["pair", "coupon"]
    rows = rows.merge(counts, left_on=keys, right_index=True, how="left").merge(covered, on=keys, how="left")
    share = (
        totals.reindex(rows["pair"]).to_numpy() / rows.groupby("pair")["coupon"].transform("size").to_numpy()
    )
    features = np.log1p(
        np.column_stack([rows["occasions"].fillna(0.0), catalogue.breadth[rows["coupon"]]]).astype(np.float64)
    )
    relative = rows["redeemed"].fillna(0.0).to_numpy() / share
    model = PoissonRegressor(alpha=1e-3, max_iter=1_000).fit(features, relative, sample_weight=share)
    bought, breadth = (float(power) for power in model.coef_)
    return CouponWeights(max(0.0, bought), breadth)


def purchase_priors(covered: pd.DataFrame, users: int, coupons: int) -> tuple[Floats, Floats]:
    """Return (coupons,) the mean and the shape of a user's occasions of buying what each coupon covers.

    Users' rates are taken as gamma distributed (Ehrenberg's NBD), the shape by the method of moments.
    """
    counts = covered["occasions"].to_numpy(dtype=np.float64)
    first, second = (
        np.bincount(covered["coupon"], weights=values, minlength=coupons) / max(users, 1)
        for values in (counts, counts**2)
    )
    mean = np.maximum(first, 0.5 / max(users, 1))
    excess = np.maximum(second - first**2 - first, 1e-12)
    return mean, np.clip(mean**2 / excess, LEAST_SHAPE, MOST_SHAPE)
