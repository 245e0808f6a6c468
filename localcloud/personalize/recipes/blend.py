"""How much each view of a history counts, learned from interactions that were held out.

First a softmax regression of the next item on the views, then, from there, a climb of the NDCG (ndcg.py):
likelihood spreads its attention over all targets, the metric wants the head of the list right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from localcloud.personalize.interactions import InteractionLog
from localcloud.personalize.recipes.held_out import Targets
from localcloud.personalize.recipes.ndcg import Climb, Views, Weights, least_loss

# A user, the history, and the row of the interaction that comes next.
Place = tuple[int, npt.NDArray[np.int32], int]

# Samples of competitors, each of which gives weights: their mean is less of a chance.
_SAMPLES = 3
_HARD = 50
_RANDOM = 150
_SEEN = 8
_RIDGE = 1e-3
# Weights with a prior count as if this many targets had spoken for it.
_PRIOR_TARGETS = 4.0
# With fewer targets the NDCG is chance.
_FEWEST_FOR_NDCG = 200
_LEAST_SPREAD = 1e-12
# Bounds the memory of a large catalogue: places x items at once.
_CELLS_AT_ONCE = 2_000_000


def learn_weights(
    log: InteractionLog,
    targets: Targets,
    views_of: Callable[[Sequence[Place]], Views],
    item_count: int,
    seed: int,
    *,
    climb: Climb,
    against_popular: bool = False,
    positive: Sequence[bool],
    around: Weights | None = None,
) -> Weights | None:
    """Return the weight of each view, None without any target (`HeldOut`).

    `views_of` gives the views of some places, shape (views, histories, items). Each target competes with all
    items (of which a sample stands for the others) or, `against_popular`, with items drawn by popularity.
    `climb` raises the NDCG of the likeliest weights. `positive`: of which views the weight is not below 0.
    `around`: weights that these are drawn to, the more the fewer targets.
    """
    if len(targets) == 0:
        return None
    competing, offsets = _lists(log, targets, views_of, item_count, seed, against_popular=against_popular)
    spread = competing.std(axis=1).mean(axis=0)
    scale = np.where(spread > _LEAST_SPREAD, spread, 1.0)
    competing = np.ascontiguousarray(competing / scale, dtype=np.float32)
    total = np.zeros(len(scale))
    prior = np.zeros(len(scale)) if around is None else around * scale
    ridge = _RIDGE if around is None else max(_RIDGE, _PRIOR_TARGETS / len(targets))
    start = np.full(len(scale), 0.2)
    for sample in range(_SAMPLES):
        lists_of_one, offsets_of_one = competing[sample::_SAMPLES], offsets[sample::_SAMPLES]
        start = found = _fit(lists_of_one, offsets_of_one, start, prior, ridge, positive)
        if len(targets) >= _FEWEST_FOR_NDCG:
            found = climb(found, lists_of_one, np.exp(offsets_of_one), positive)
        total += found
    return total / _SAMPLES / scale


def _lists(
    log: InteractionLog,
    targets: Targets,
    views_of: Callable[[Sequence[Place]], Views],
    item_count: int,
    seed: int,
    *,
    against_popular: bool,
) -> tuple[Views, Views]:
    """Return the views of each target and its competitors, _SAMPLES lists a target, and their offsets.

    Shapes (lists, places, views), the target in the first place, and (lists, places).
    """
    random = np.random.default_rng(seed)
    interactions = np.asarray(log.items)
    lists, offsets = [], []
    at_once = min(max(_CELLS_AT_ONCE // item_count, 1), 64)
    for block in np.array_split(targets, -(-len(targets) // at_once)):
        places = [(user, interactions[log.offsets[user] : end], row) for user, row, end in block.tolist()]
        views = views_of(places)
        for place, (_, history, row) in enumerate(places):
            target, seen = int(interactions[row]), np.unique(history)
            hardest = [] if against_popular else _hardest(views[:, place], target, seen)
            for _ in range(_SAMPLES):
                if against_popular:
                    chosen = _popular_competitors(target, seen, interactions, random)
                    offset = np.zeros(len(chosen))
                else:
                    chosen, offset = _competitors(target, hardest, seen, item_count, random)
                lists.append(views[:, place, chosen].T)
                offsets.append(offset)
    return np.stack(lists), np.stack(offsets).astype(np.float32)


def _popular_competitors(
    target: int,
    seen: npt.NDArray[np.int32],
    interactions: npt.NDArray[np.int32],
    random: np.random.Generator,
) -> npt.NDArray[np.int64]:
    """Return the target and items drawn by their popularity, those already seen replaced by any others."""
    drawn = interactions[random.integers(0, len(interactions), _RANDOM)].astype(np.int64)
    taken = np.isin(drawn, seen) | (drawn == target)
    drawn[taken] = random.integers(0, int(interactions.max()) + 1, int(taken.sum()))
    return np.concatenate([[target], drawn])


def _hardest(views: Views, target: int, seen: npt.NDArray[np.int32]) -> list[npt.NDArray[np.int64]]:
    """Return the items that the plain sum of the views, and the first view, rank highest."""
    taken = [seen.astype(np.int64), np.array([target])]
    for total in (
        (views / np.maximum(views.std(axis=1), _LEAST_SPREAD)[:, None]).sum(axis=0),
        views[0].copy(),
    ):
        total[np.concatenate(taken)] = -np.inf
        count = min(_HARD, len(total) - 1)
        taken.append(np.argpartition(-total, count)[:count])
    return taken[2:]


def _competitors(
    target: int,
    hardest: list[npt.NDArray[np.int64]],
    seen: npt.NDArray[np.int32],
    item_count: int,
    random: np.random.Generator,
) -> tuple[npt.NDArray[np.int64], Weights]:
    """Return the target, samples of three strata, and the logarithm of how many items each stands for.

    The strata are the hardest items (all of them), those of the history, and the rest: with the offsets, the
    softmax over the sample estimates the one over all items.
    """
    count = sum(map(len, hardest))
    rest = max(item_count - count - len(seen) - 1, 1)
    drawn = random.integers(0, item_count, _RANDOM)
    chosen = np.concatenate([np.array([target]), *hardest, random.choice(seen, _SEEN), drawn])
    stands_for = np.repeat([1.0, len(seen) / _SEEN, rest / _RANDOM], [1 + count, _SEEN, _RANDOM])
    return chosen, np.log(stands_for)


def _fit(  # noqa: PLR0917 - each is another input of one fit
    competing: Views, offsets: Views, start: Weights, prior: Weights, ridge: float, positive: Sequence[bool]
) -> Weights:
    """Maximise the mean log likelihood of the first place of each list, the weights drawn to a prior.

    `competing` has the shape (lists, places, views), `offsets` (lists, places).
    """
    lists, places, width = competing.shape
    flat = competing.reshape(lists * places, width)
    first = competing[:, 0, :].mean(axis=0)

    def loss(weights: Weights) -> tuple[float, Weights]:
        scores = (flat @ weights.astype(np.float32)).reshape(lists, places) + offsets
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        likelihood = float(np.log(shares[:, 0] + 1e-30).mean())
        gradient = first - (shares.reshape(-1) @ flat) / lists
        return -likelihood, -gradient

    return least_loss(loss, start, prior, ridge, positive)
