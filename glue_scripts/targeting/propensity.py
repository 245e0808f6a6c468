"""How many coupons of a campaign a user will redeem: learnt from past campaigns, calibrated out of fold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, PoissonRegressor
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

Floats = NDArray[np.floating]

# Features are many and redeeming users few: a heavy penalty (ridge, 1 / C) on standardised features.
PENALTY_C = 0.003
FOLDS = 5
# With fewer redeeming pairs or campaigns there is nothing to learn a model from.
LEAST_REDEEMING = 30
LEAST_CAMPAIGNS = 3
# How many issued coupons of everybody's rate a user's own history is weighed against.
PRIOR_ISSUES = 5.0
# What everybody's rate is before the first coupon was issued, and how many issued coupons that counts as:
# little, but never 0, since what is worth nothing is sent to nobody, and nothing would ever be learnt.
PRIOR_RATE = 0.01
PRIOR_WEIGHT = 1.0
# A feature further out than this many standard deviations says no more than one at this distance.
CLIPPED_AT = 6.0


class Propensity(Protocol):
    """Tells the expected redemptions (pairs,) of the features of pairs."""

    def expected(self, features: pd.DataFrame) -> Floats:
        """Return how many coupons each pair's user is expected to redeem."""


@dataclass(frozen=True)
class SmoothedRate:
    """The user's own redeemed / issued, smoothed towards everybody's, times the coupons to be issued."""

    overall: float

    def expected(self, features: pd.DataFrame) -> Floats:
        """Return the expected redemptions of each pair."""
        redeemed, issued, coupons = (
            np.expm1(features[name].to_numpy(dtype=np.float64))
            for name in ("coupons_redeemed", "coupons_issued_coupons", "campaign_coupons")
        )
        rate = (redeemed + self.overall * PRIOR_ISSUES) / (issued + PRIOR_ISSUES)
        return np.minimum(rate, 1.0) * coupons


@dataclass(frozen=True)
class CalibratedModel:
    """A ranking model of whether anything is redeemed, and what its score means in redemptions."""

    ranker: Pipeline
    calibration: PoissonRegressor

    def expected(self, features: pd.DataFrame) -> Floats:
        """Return the expected redemptions of each pair, never more than the coupons issued."""
        score = _score(self.ranker, features)
        coupons = np.expm1(features["campaign_coupons"].to_numpy(dtype=np.float64))
        return np.minimum(self.calibration.predict(score[:, None]), coupons)


def fit(features: pd.DataFrame, redemptions: Floats, campaigns: NDArray[np.object_]) -> Propensity:
    """Return the model of past pairs: their features, how many coupons each redeemed, and its campaign.

    The score is calibrated on scores of campaigns that the ranker, fitted on the others, has not seen
    (Platt's way, for counts: log of the expected redemptions is linear in the score, the log of the
    probability; linear in the logit, the best pairs would be expected to redeem too much).
    Too little history makes it smoothed rates.
    """
    is_redeeming = redemptions > 0
    folds = min(FOLDS, len(np.unique(campaigns)))
    if is_redeeming.sum() < LEAST_REDEEMING or folds < LEAST_CAMPAIGNS or is_redeeming.all():
        return SmoothedRate(_rate_of(features, redemptions))
    unseen = np.zeros(len(features))
    for rest, held_out in GroupKFold(folds).split(features, groups=campaigns):
        if not 0 < is_redeeming[rest].sum() < len(rest):
            return SmoothedRate(_rate_of(features, redemptions))
        ranker = _ranker().fit(features.iloc[rest], is_redeeming[rest])
        unseen[held_out] = _score(ranker, features.iloc[held_out])
    calibration = PoissonRegressor(alpha=0.0, max_iter=1_000).fit(unseen[:, None], redemptions)
    return CalibratedModel(_ranker().fit(features, is_redeeming), calibration)


def _ranker() -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(C=PENALTY_C, max_iter=2_000))


def _score(ranker: Pipeline, features: pd.DataFrame) -> Floats:
    standardised = np.clip(ranker[0].transform(features), -CLIPPED_AT, CLIPPED_AT)
    return np.asarray(ranker[1].predict_log_proba(standardised)[:, 1])


def _rate_of(features: pd.DataFrame, redemptions: Floats) -> float:
    issued = np.expm1(features["campaign_coupons"].to_numpy(dtype=np.float64)).sum()
    return overall_rate(float(redemptions.sum()), float(issued))


def overall_rate(redeemed: float, issued: float) -> float:
    """Return everybody's redeemed / issued, above 0 and at most 1 whatever there was so far."""
    return min((redeemed + PRIOR_RATE * PRIOR_WEIGHT) / (issued + PRIOR_WEIGHT), 1.0)
