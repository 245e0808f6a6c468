"""Who travels: homes, tastes that drift, devices, and the legs they take in order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sample_data.travel.world import KINDS, PRODUCTS, WINDOWS, World

AGE_BANDS = ["18-24", "25-34", "35-44", "45-54", "55+"]
TIERS = ["blue", "silver", "gold"]
RETURN_SHARE = 0.72
MEAN_LEGS = 6.0


@dataclass(frozen=True)
class Travellers:
    """One row a traveller; tastes are log-weights over kinds of place, before and after the drift."""

    home: NDArray[np.int64]
    age: NDArray[np.int64]
    tier: NDArray[np.int64]
    channel: NDArray[np.int64]
    taste_before: NDArray[np.float64]
    taste_after: NDArray[np.float64]
    drift_at: NDArray[np.float64]
    product_liking: NDArray[np.float64]
    window_liking: NDArray[np.float64]
    coupon_liking: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of travellers."""
        return len(self.home)


@dataclass(frozen=True)
class Legs:
    """One row a leg a traveller looked into: who, when (share of the history), and the journeys liked best.

    `ranked` has shape (legs, 3): the journey chosen, the second and the third choice (repeats of the first
    where the route offers fewer).
    """

    traveller: NDArray[np.int64]
    when: NDArray[np.float64]
    ranked: NDArray[np.int64]


def build_travellers(count: int, world: World, rng: np.random.Generator) -> Travellers:
    """Draw `count` travellers."""
    homes = rng.choice(len(world.codes), size=count, p=world.popularity / world.popularity.sum())
    tier = rng.choice(3, size=count, p=[0.6, 0.3, 0.1])
    budget = rng.normal(size=count) + 0.8 * tier
    comfort = np.array([0.6, 1.6, -1.0, 0.2, -1.2, -0.5])
    return Travellers(
        home=homes,
        age=rng.choice(5, size=count, p=[0.25, 0.35, 0.2, 0.12, 0.08]),
        tier=tier,
        channel=rng.choice(3, size=count, p=[0.3, 0.45, 0.25]),
        taste_before=rng.gumbel(size=(count, len(KINDS))) * 1.1,
        taste_after=rng.gumbel(size=(count, len(KINDS))) * 1.1,
        drift_at=rng.uniform(0.3, 1.4, size=count),
        product_liking=budget[:, None] * comfort + rng.gumbel(size=(count, len(PRODUCTS))) * 0.9,
        window_liking=rng.gumbel(size=(count, len(WINDOWS))) * 1.2,
        coupon_liking=rng.normal(size=count),
    )


def travel(travellers: Travellers, world: World, rng: np.random.Generator) -> Legs:
    """Let everyone travel: out by taste and by where the last trip went, then home again or onwards."""
    count = len(travellers)
    legs_of = 2 + rng.poisson(MEAN_LEGS - 2, size=count)
    steps = int(legs_of.max())
    moments = np.sort(
        np.where(np.arange(steps) < legs_of[:, None], rng.random((count, steps)), np.inf), axis=1
    )
    here, last = travellers.home.copy(), travellers.home.copy()
    parts: list[Legs] = []
    for step in range(steps):
        who = np.flatnonzero(legs_of > step)
        when = moments[who, step]
        to = _destinations(travellers, world, who, when=when, here=here[who], last=last[who], rng=rng)
        parts.append(
            Legs(who, when, _liked(travellers, world, who, origin=here[who], destination=to, rng=rng))
        )
        last[who] = np.where(to == travellers.home[who], last[who], to)
        here[who] = to
    return Legs(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("traveller", "when", "ranked"))
    )


def _destinations(
    travellers: Travellers,
    world: World,
    who: NDArray[np.int64],
    *,
    when: NDArray[np.float64],
    here: NDArray[np.int64],
    last: NDArray[np.int64],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    home = travellers.home[who]
    drifted = (when > travellers.drift_at[who])[:, None]
    taste = np.where(drifted, travellers.taste_after[who], travellers.taste_before[who])
    weight = np.log(world.popularity) + taste[:, world.kind] + world.successors[last]
    weight[np.arange(len(who)), here] = -np.inf
    weight[np.arange(len(who)), home] = -np.inf
    chosen = (weight + rng.gumbel(size=weight.shape)).argmax(axis=1)
    goes_home = (here != home) & (rng.random(len(who)) < RETURN_SHARE)
    return np.where(goes_home, home, chosen)


def _liked(
    travellers: Travellers,
    world: World,
    who: NDArray[np.int64],
    *,
    origin: NDArray[np.int64],
    destination: NDArray[np.int64],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    options = world.by_route[origin, destination]
    rows = np.arange(len(who))[:, None]
    liking = travellers.product_liking[who][rows, world.product[options]]
    liking = liking + travellers.window_liking[who][rows, world.window[options]]
    liking = liking + 0.6 * rng.gumbel(size=options.shape)
    liking[options < 0] = -np.inf
    best = np.argsort(-liking, axis=1)[:, :3]
    ranked = np.take_along_axis(options, best, axis=1)
    if ranked.shape[1] < 3:  # noqa: PLR2004 - three choices, as documented
        ranked = np.pad(ranked, ((0, 0), (0, 3 - ranked.shape[1])), constant_values=-1)
    return np.where(ranked < 0, ranked[:, :1], ranked)
