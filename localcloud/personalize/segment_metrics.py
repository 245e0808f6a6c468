"""The metrics of USER_SEGMENTATION recipes: how many of a segment's users did interact.

Source: developer guide, "Evaluating the solution version with metrics". The newest fifth of each user's
interactions is predicted by a model that has seen only the older ones. A segment has the likeliest 1% of the
users for an item, or for a value of items' metadata.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.special import softmax

from localcloud.personalize.interactions import InteractionLog
from localcloud.personalize.recipes import Hyperparameters, Model, Query, Recipe, TrainingData
from localcloud.personalize.recipes.affinity import ITEM_AFFINITY
from localcloud.personalize.recipes.top import top_items
from localcloud.personalize.recipes.views import user_items

Float32s = npt.NDArray[np.float32]

_HELD_OUT = 0.2
_SEGMENT = 0.01
# More of them change the metrics in the third digit only, and cost time.
_MOST_USERS = 5_000
_MOST_SEGMENTS = 500
_USERS_AT_ONCE = 256


def evaluate_segments(
    recipe: Recipe, data: TrainingData, hyperparameters: Hyperparameters, seed: int
) -> dict[str, float]:
    """Return coverage, hits_at_1_percent and recall_at_1_percent, means over the segments.

    `coverage` is the share of the users that are in any segment, `hits` how many of a segment's users took
    what it is for, `recall` their share of those that did, or of the segment where it is smaller.
    """
    newest = newest_fifth(data.log)
    older = data.select(~newest)
    model = recipe.fit(older, hyperparameters)
    random = np.random.default_rng(seed)
    users = _some(np.flatnonzero(np.diff(data.log.offsets) > 0), _MOST_USERS, random)
    happened = user_items(data.log.select(newest), data.item_count)[users]
    kinds = sp.identity(data.item_count, dtype=np.float32, format="csc")
    if recipe is not ITEM_AFFINITY:
        kinds = (data.features > 0).astype(np.float32).tocsc()
    taken = (happened @ kinds > 0).tocsc()
    segments = _some(np.flatnonzero(np.diff(taken.indptr) > 0), _MOST_SEGMENTS, random)
    if len(segments) == 0:
        return {"coverage": 0.0, "hits_at_1_percent": 0.0, "recall_at_1_percent": 0.0}
    interest = _interest(model, older.log, users, kinds[:, segments])
    size = max(int(len(users) * _SEGMENT), 1)
    found = np.zeros(len(users), dtype=np.bool_)
    hits, recalls = [], []
    for place, segment in enumerate(segments.tolist()):
        likeliest = top_items(interest[:, place], size)
        found[likeliest] = True
        did = taken.indices[taken.indptr[segment] : taken.indptr[segment + 1]]
        hits.append(int(np.isin(likeliest, did).sum()))
        recalls.append(hits[-1] / min(len(did), size))
    means = {
        "coverage": found.mean(),
        "hits_at_1_percent": np.mean(hits),
        "recall_at_1_percent": np.mean(recalls),
    }
    return {name: round(float(mean), 6) for name, mean in means.items()}


def newest_fifth(log: InteractionLog) -> npt.NDArray[np.bool_]:
    """Mark the newest fifth of each user's interactions, one at least; none of a user with a single one."""
    lengths = np.diff(log.offsets)
    held_out = np.where(lengths > 1, np.ceil(lengths * _HELD_OUT), 0).astype(np.int64)
    marked: npt.NDArray[np.bool_] = np.arange(len(log)) >= (log.offsets[1:] - held_out)[log.users]
    return marked


def _interest(
    model: Model, log: InteractionLog, users: npt.NDArray[np.int64], kinds: sp.csc_matrix
) -> Float32s:
    """Return each user's probability that the next item is of each kind, shape (users, kinds)."""
    result = np.empty((len(users), kinds.shape[1]), dtype=np.float32)
    for start in range(0, len(users), _USERS_AT_ONCE):
        block = users[start : start + _USERS_AT_ONCE]
        queries = [Query(log.items[log.offsets[user] : log.offsets[user + 1]]) for user in block]
        result[start : start + len(block)] = softmax(model.scores_of_many(queries), axis=1) @ kinds
    return result


def _some(chosen: npt.NDArray[np.intp], most: int, random: np.random.Generator) -> npt.NDArray[np.intp]:
    return chosen if len(chosen) <= most else np.sort(random.choice(chosen, most, replace=False))
