"""Item exploration: new items with few interactions get some of the places.

A place goes to an item of the exploration pool with the probability explorationWeight squared: none at 0, a
tenth at AWS's default of 0.3, all at 1. The pool has the items that are at most explorationItemAgeCutOff days
older than the newest interaction and have fewer interactions than half of all items; who of it is drawn
depends on the logits, less the more often the item was interacted with or, by the impressions, was shown
while another one was chosen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from localcloud.personalize.recipes.base import Float32s, Model

_DAY = 86_400


@dataclass(frozen=True)
class Exploration:
    """A campaign's itemExplorationConfig."""

    weight: float = 0.3
    item_age_cut_off_days: float = 30.0


def explore(  # noqa: PLR0917 - what a request knows, once
    model: Model,
    logits: Float32s,
    best: npt.NDArray[np.int64],
    allowed: npt.NDArray[np.bool_],
    exploration: Exploration,
    random: np.random.Generator,
) -> npt.NDArray[np.int64]:
    """Return `best`, positions of items, with some of the places given to the pool's items."""
    if exploration.weight <= 0 or len(best) == 0:
        return best
    pool = _pool(model, allowed, exploration.item_age_cut_off_days)
    pool = pool[~np.isin(pool, best)]
    places = np.flatnonzero(random.random(len(best)) < exploration.weight**2)[: len(pool)]
    if len(places) == 0:
        return best
    chances = np.asarray(model.arrays["interaction_counts"]) + np.asarray(model.arrays["shown_counts"])
    preference = logits[pool] - np.log1p(chances[pool])
    # The largest of logits with Gumbel noise: a draw without replacement by their softmax.
    drawn = pool[np.argsort(-(preference + random.gumbel(size=len(pool))))[: len(places)]]
    result = np.delete(best, len(best) - 1 - np.arange(len(places)))
    for place, item in zip(places, drawn, strict=True):
        result = np.insert(result, place, item)
    return result


def _pool(model: Model, allowed: npt.NDArray[np.bool_], cut_off_days: float) -> npt.NDArray[np.int64]:
    created = np.asarray(model.arrays["created"])
    counts = np.asarray(model.arrays["interaction_counts"])
    new = created >= model.settings["newest"] - cut_off_days * _DAY
    return np.flatnonzero(allowed & new & (counts < np.median(counts)))
