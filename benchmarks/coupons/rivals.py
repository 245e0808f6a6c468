"""What ours is compared with: rules of thumb and untuned LightGBM on the same features."""

from __future__ import annotations

import lightgbm
import numpy as np
from targeting.windows import Floats

from benchmarks.coupons.rolling import Situation

SEED = 7


def spend(now: Situation) -> Floats:
    """Rank by spend in the last 60 days."""
    return now.features["activity_sales_value_60"].to_numpy(dtype=np.float64)


def redemptions_so_far(now: Situation) -> Floats:
    """Rank by redemptions so far, then by spend."""
    return now.features["coupons_redeemed"].to_numpy(dtype=np.float64) + spend(now) * 1e-4


def recency_frequency(now: Situation) -> Floats:
    """Rank by the share of campaigns redeemed, how lately, and purchases of what is covered."""
    columns = ("coupons_redeeming_share", "coupons_redeemed_recency_120")
    habit = sum(now.features[name].to_numpy(dtype=np.float64) for name in columns)
    return np.asarray(habit + 0.05 * now.features["covered_bought_365"].to_numpy(dtype=np.float64))


def popularity(now: Situation) -> Floats:
    """Rank by how many coupons were redeemed each time of past campaigns of the kind; then by activity."""
    kinds = [name for name in now.features if name.startswith("campaign_is_")]
    rate = {}
    for kind in kinds:
        of_kind = now.past_features[kind].to_numpy() > 0
        rate[kind] = now.redemptions[of_kind].sum() / (of_kind.sum() + 20)
    of_pair = sum(now.features[kind].to_numpy(dtype=np.float64) * rate[kind] for kind in kinds)
    return np.asarray(of_pair + 1e-4 * now.features["activity_occasions_365"].to_numpy(dtype=np.float64))


def lightgbm_classifier(now: Situation) -> Floats:
    """Return LightGBM's probability that anything is redeemed, with its default parameters."""
    model = lightgbm.LGBMClassifier(random_state=SEED, n_jobs=1, verbose=-1)
    model.fit(now.past_features.to_numpy(), now.redemptions > 0)
    return np.asarray(model.predict_proba(now.features.to_numpy())[:, 1])


def lightgbm_ranker(now: Situation) -> Floats:
    """Return LightGBM's LambdaRank score, past campaigns being the queries, with its default parameters."""
    order = np.argsort(now.past["campaign_id"].to_numpy(), kind="stable")
    _, group = np.unique(now.past["campaign_id"].to_numpy()[order], return_counts=True)
    grade = np.minimum(now.redemptions, 5).astype(int)
    model = lightgbm.LGBMRanker(random_state=SEED, n_jobs=1, verbose=-1)
    model.fit(now.past_features.to_numpy()[order], grade[order], group=group)
    return np.asarray(model.predict(now.features.to_numpy()))
