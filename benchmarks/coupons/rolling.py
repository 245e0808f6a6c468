"""Protocol C: each campaign decided by what lay before it, then compared with what was redeemed.

One pair a household and campaign; campaigns that start on or after 2017-05-01. For a campaign that starts on
day s only rows dated before s are read, and only campaigns issued 45 days or more before s have outcomes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from targeting.features import pair_features
from targeting.history import redemptions_of
from targeting.windows import DAY_SECONDS, Floats

from benchmarks.coupons.journey import ZONE, Journey

FIRST_START = int(pd.Timestamp("2017-05-01", tz=ZONE).timestamp())
LABEL_DAYS = 45
SHARES = (0.1, 0.2, 0.3, 0.5)


@dataclass(frozen=True)
class Situation:
    """What is known when campaigns start: past and new pairs with their features."""

    past: pd.DataFrame
    past_features: pd.DataFrame
    redemptions: Floats
    pairs: pd.DataFrame
    features: pd.DataFrame


Method = Callable[[Situation], Floats]


def situations(journey: Journey) -> Iterator[tuple[int, Situation]]:
    """Yield each moment (epoch seconds) at which campaigns start, and what is known then.

    The features of a pair are made once, at its own start, of what lay before it.
    """
    decided_before: list[tuple[int, pd.DataFrame, pd.DataFrame]] = []
    for start in sorted(set(journey.starts)):
        known = journey.history.before(int(start))
        new = new_pairs(journey, int(start))
        features = pair_features(new, known, journey.catalogue).columns
        ended = [one for one in decided_before if one[0] <= start - LABEL_DAYS * DAY_SECONDS]
        past, past_features = (
            pd.concat([new[:0], *(one[1] for one in ended)], ignore_index=True),
            pd.concat([features[:0], *(one[2] for one in ended)], ignore_index=True),
        )
        redeemed = redemptions_of(past, known, journey.catalogue, as_of=int(start), label_days=LABEL_DAYS)
        counts = np.bincount(redeemed["pair"], minlength=len(past)).astype(np.float64)
        yield int(start), Situation(past, past_features, counts, new, features)
        decided_before.append((int(start), new, features))


def new_pairs(journey: Journey, start: int) -> pd.DataFrame:
    """Return who is to be sent the campaigns that start at this moment: the question, not its answer."""
    issues = journey.history.issues
    new = issues[issues["timestamp"] == start].rename(columns={"timestamp": "as_of"})
    return new.sort_values(["campaign_id", "user_id"]).reset_index(drop=True)


def decided(journey: Journey, methods: Mapping[str, Method]) -> pd.DataFrame:
    """Return all pairs of the later campaigns with the score of each method and `real`, what was redeemed."""
    parts = []
    for start, now in situations(journey):
        if start >= FIRST_START:
            parts.append(now.pairs.assign(**{name: method(now) for name, method in methods.items()}))
    pairs = pd.concat(parts, ignore_index=True)
    return pairs.assign(real=_real(journey, pairs))


def shares_kept(score: Floats, real: Floats, shares: tuple[float, ...] = SHARES) -> list[float]:
    """Return which share of the redemptions is kept by sending only the best-scored pairs."""
    order = np.argsort(-score, kind="stable")
    kept = np.cumsum(real[order]) / real.sum()
    return [float(kept[int(len(kept) * share) - 1]) for share in shares]


def by_decile(expected: Floats, real: Floats) -> list[dict[str, float]]:
    """Return expected and real redemptions of ten equal parts of the pairs, the likeliest first."""
    order = np.argsort(-expected, kind="stable")
    return [
        {
            "decile": place + 1,
            "pairs": len(part),
            "expected": float(expected[part].sum()),
            "real": float(real[part].sum()),
        }
        for place, part in enumerate(np.array_split(order, 10))
    ]


def _real(journey: Journey, pairs: pd.DataFrame) -> Floats:
    """Return all redemptions of each pair, whenever they were: the answer, read once all is decided."""
    campaign = journey.catalogue.coupons.set_index("coupon_id")["campaign_id"]
    redeemed = journey.history.redemptions
    counts = redeemed.assign(campaign_id=redeemed["coupon_id"].map(campaign))
    counts = counts.groupby(["user_id", "campaign_id"]).size()
    keys = pd.MultiIndex.from_frame(pairs[["user_id", "campaign_id"]])
    return counts.reindex(keys, fill_value=0).to_numpy(dtype=np.float64)
