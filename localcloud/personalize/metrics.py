"""The metrics of a solution version by AWS's definitions and split.

Source: developer guide, "Evaluating the solution version with metrics". A tenth of the users is held out; of
each of them the newest tenth of the interactions (one at least) is predicted from the older ones by a model
that has seen only the other users.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from localcloud.personalize.objective import ItemValues
from localcloud.personalize.recipes import Hyperparameters, Model, Query, Recipe, TrainingData
from localcloud.personalize.recipes.top import top_items

Marks = npt.NDArray[np.bool_]

_HELD_OUT = 0.1
_DEPTH = 25
# More users change the metrics in the third digit only, and cost time.
_MOST_USERS = 1_000


def evaluate(
    recipe: Recipe, data: TrainingData, hyperparameters: Hyperparameters, seed: int
) -> dict[str, float]:
    """Return the metrics of a recipe that is trained for this without the held-out users."""
    held_out = hold_out_users(data, seed)
    model = recipe.fit(without_users(data, held_out), hyperparameters)
    return measure(recipe, model, data, held_out)


def hold_out_users(data: TrainingData, seed: int) -> Marks:
    """Mark a tenth of the users with two interactions or more.

    Their ids decide, so that a later training on more data holds out the same ones and its metrics can be
    compared, and no model that is updated has seen them.
    """
    eligible = np.flatnonzero(np.diff(data.log.offsets) >= 2)  # noqa: PLR2004 - one to predict, one to predict from
    places = np.array([_place(data.log.user_ids[user], seed) for user in eligible])
    # At least one, however few there are.
    chosen = eligible[places <= max(_HELD_OUT, places.min())]
    marked = np.zeros(len(data.log.user_ids), dtype=np.bool_)
    marked[chosen] = True
    return marked


def without_users(data: TrainingData, held_out: Marks) -> TrainingData:
    """Return the data without the interactions of the marked users."""
    return data.select(~held_out[data.log.users])


def _place(user_id: str, seed: int) -> float:
    """Return a user's place in [0, 1), as good as random."""
    digest = hashlib.blake2b(f"{seed} {user_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64


def measure(
    recipe: Recipe, model: Model, data: TrainingData, held_out: Marks, objective: ItemValues | None = None
) -> dict[str, float]:
    """Return coverage, mean_reciprocal_rank_at_25, and NDCG and precision at 5, 10 and 25.

    `model` must not have seen the held-out users. With an objective, which weighs in the ranking as it does
    when items are recommended, also average_rewards_at_k.
    """
    users = np.flatnonzero(held_out)
    if len(users) > _MOST_USERS:
        users = np.random.default_rng(0).choice(users, _MOST_USERS, replace=False)
    sums: dict[str, float] = {}
    recommended = np.zeros(data.item_count, dtype=np.bool_)
    for user in users:
        items = np.asarray(data.log.items[data.log.offsets[user] : data.log.offsets[user + 1]])
        split = min(len(items) - 1, int(np.ceil(len(items) * 0.9)))
        past, future = items[:split], np.unique(items[split:])
        by_item = recipe.recipe_type == "RELATED_ITEMS"
        query = Query(history=past, item=int(past[-1]) if by_item else None)
        logits = model.scores(query)
        top = top_items(logits if objective is None else objective.applied_to(logits), _DEPTH)
        recommended[top] = True
        of_user = _user_metrics(np.isin(top, future), len(future))
        if objective is not None:
            of_user["average_rewards_at_k"] = objective.share_won(top, future)
        for name, value in of_user.items():
            sums[name] = sums.get(name, 0.0) + value
    metrics = {name: round(total / len(users), 6) for name, total in sums.items()}
    return {"coverage": round(float(recommended.mean()), 6), **metrics}


def _user_metrics(hits: npt.NDArray[np.bool_], relevant: int) -> dict[str, float]:
    discounts = 1.0 / np.log2(np.arange(2, _DEPTH + 2))
    first = np.flatnonzero(hits)
    metrics = {"mean_reciprocal_rank_at_25": 1.0 / (first[0] + 1) if len(first) else 0.0}
    for depth in (5, 10, 25):
        gain = float((hits[:depth] * discounts[: len(hits[:depth])]).sum())
        ideal = float(discounts[: min(relevant, depth)].sum())
        metrics[f"normalized_discounted_cumulative_gain_at_{depth}"] = gain / ideal
    for depth in (5, 10, 25):
        metrics[f"precision_at_{depth}"] = float(hits[:depth].sum()) / depth
    return metrics
