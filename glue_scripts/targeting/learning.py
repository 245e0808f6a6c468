"""What past campaigns teach of the coming ones: the models, and what they say of users."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from targeting.features import pair_features
from targeting.history import Catalogue, History, past_pairs, redemptions_of
from targeting.propensity import Propensity, SmoothedRate, fit, overall_rate
from targeting.sharing import CouponWeights, fit_weights
from targeting.windows import Floats

NOBODY = "nobody"


@dataclass(frozen=True)
class Learnt:
    """How many coupons of a campaign a user redeems, and which."""

    propensity: Propensity
    weights: CouponWeights


@dataclass(frozen=True)
class UserExpectations:
    """Of `pairs`: the redemptions `expected`, those `per_weight` of a coupon, and what is `covered`."""

    pairs: pd.DataFrame
    expected: Floats
    per_weight: Floats
    covered: pd.DataFrame


def learn(history: History, catalogue: Catalogue, *, as_of: int) -> Learnt:
    """Return what the campaigns whose outcome is known before `as_of` teach. Reads nothing at or after it."""
    known, label_days = history.before(as_of), catalogue.label_days
    pairs = past_pairs(known, as_of=as_of, label_days=label_days)
    if pairs.empty:
        # What was issued lately counts as it stands: too low a rate, but of these coupons.
        rate = overall_rate(len(known.redemptions), float(known.issues["coupons"].sum()))
        return Learnt(SmoothedRate(rate), CouponWeights())
    found = pair_features(pairs, known, catalogue)
    redeemed = redemptions_of(pairs, known, catalogue, as_of=as_of, label_days=label_days)
    counts = np.bincount(redeemed["pair"], minlength=len(pairs)).astype(np.float64)
    propensity = fit(found.columns, counts, pairs["campaign_id"].to_numpy(dtype=object))
    return Learnt(propensity, fit_weights(pairs, found.covered, redeemed, catalogue))


@dataclass(frozen=True)
class Offer:
    """The coupons of the catalogue that can be had at a moment (epoch seconds)."""

    catalogue: Catalogue
    as_of: int

    @property
    def is_valid(self) -> NDArray[np.bool_]:
        """Tell (coupons,) whether each can still be redeemed; one without an end can."""
        ends = self.catalogue.coupons["valid_until"]
        return ~(ends < pd.Timestamp(self.as_of, unit="s").normalize()).to_numpy()

    @property
    def sizes(self) -> pd.Series:
        """How many valid coupons each campaign has, by its id."""
        return self.catalogue.coupons.loc[self.is_valid, "campaign_id"].value_counts().sort_index()


def expectations(learnt: Learnt, history: History, offer: Offer, users: list[str]) -> UserExpectations:
    """Return what each user is expected to redeem of each campaign on offer: users' rows lie together."""
    sizes = offer.sizes
    pairs = pd.DataFrame(
        {
            "user_id": np.repeat(np.array(users, dtype=object), len(sizes)),
            "campaign_id": np.tile(sizes.index.to_numpy(dtype=object), len(users)),
            "as_of": offer.as_of,
            "coupons": np.tile(sizes.to_numpy(), len(users)),
        }
    )
    catalogue = offer.catalogue
    found = pair_features(pairs, history.before(offer.as_of), catalogue.of_campaigns(set(sizes.index)))
    expected = learnt.propensity.expected(found.columns)
    per_weight = expected * learnt.weights.per_redemption(pairs, found.covered, catalogue)
    return UserExpectations(pairs, expected, per_weight, found.covered)


def of_nobody(learnt: Learnt, history: History, offer: Offer) -> UserExpectations:
    """Return what a user of whom nothing is known is expected to redeem; `history` gives the columns."""
    empty = History(history.interactions[:0], history.issues[:0], history.redemptions[:0])
    return expectations(learnt, empty, offer, [NOBODY])
