"""aws-user-personalization and aws-personalized-ranking, both versions of each.

A logit for each item is a weighted sum of views of the user's last `bptt` interactions: directed transitions
over many and over few steps, their logarithms, transitions read backwards, EASE, a regression of the next
item, factors of ALS (of rank `hidden_dimension`) and of the next item (of half that rank), likeness of
metadata, popularity (recent or of all times, `recency_mask`), how lately and how often the user had the item
and whether it is one that is repeated, what users with the same attributes take, and what is taken in the
same context. The weights are learned from held-out interactions (blend.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from localcloud.personalize.interactions import InteractionLog
from localcloud.personalize.recipes import views
from localcloud.personalize.recipes.base import (
    Float32s,
    Hyperparameter,
    Hyperparameters,
    Model,
    Query,
    Recipe,
    TrainingData,
    Value,
    history_percentiles,
)
from localcloud.personalize.recipes.blend import Place, learn_weights
from localcloud.personalize.recipes.cold_items import stand_ins
from localcloud.personalize.recipes.held_out import Targets, hold_out, share_ahead
from localcloud.personalize.recipes.ndcg import Weights, by_gradient
from localcloud.personalize.recipes.next_factors import (
    NextFactors,
    learn_next_factors,
    update_next_factors,
)
from localcloud.personalize.recipes.regression import next_item_regression
from localcloud.personalize.recipes.sequence_model import SIGNED, VIEWS, WEIGHTS, SequenceModel
from localcloud.personalize.recipes.threads import one_thread
from localcloud.personalize.recipes.user_attributes import (
    UserAttributes,
    lifts_of_contexts,
    lifts_of_users,
)

Arrays = dict[str, npt.NDArray[Any]]

_DAY = 86_400
# An item's share of repeats is drawn towards everybody's as by this many interactions.
_REPEATS_PRIOR = 10.0
_SEED = 1
# Above this many interactions the held-out ones are too few to be missed: the model that learned the weights
# stays.
_ONE_FIT_ABOVE = 500_000
# Where no interaction can be held out: log transitions, metadata and popularity alone.
_PLAIN = {"popularity": 0.5, "attributes": 1.0, "context": 1.0, "log following": 0.5, "metadata": 1.0}


def fit(data: TrainingData, hyperparameters: Hyperparameters) -> SequenceModel:
    """Train a model that finds the likeliest of all items."""
    with one_thread():
        return _fit(data, hyperparameters, against_popular=False)


def fit_to_rank(data: TrainingData, hyperparameters: Hyperparameters) -> SequenceModel:
    """Train a model that orders items somebody chose, popular ones mostly."""
    with one_thread():
        return _fit(data, hyperparameters, against_popular=True)


def update(previous: Model, data: TrainingData, hyperparameters: Hyperparameters) -> SequenceModel:
    """Take in new items and interactions: count again, learn new items' next factors, keep the rest.

    A new item has no part in EASE, regression and ALS factors; it is scored by transitions, next factors,
    metadata and popularity, or as a cold item.
    """
    hyperparameters = {**_DEFAULTS, **hyperparameters}
    data = _of_usual_histories(data, hyperparameters)
    index = {item_id: place for place, item_id in enumerate(data.item_ids)}
    places = np.array([index.get(item_id, -1) for item_id in previous.item_ids], dtype=np.int64)
    learned: Arrays = {name: np.asarray(previous.arrays[name]) for name in WEIGHTS}
    rank = previous.arrays["factors_in"].shape[1]
    factors_in, next_in, factors_out = (
        _moved(np.asarray(previous.arrays[name]), places, data.item_count)
        for name in ("factors_in", "next_in", "factors_out")
    )
    known = NextFactors(next_in, factors_out[:, rank:], np.asarray(previous.arrays["next_lags"]))
    new = np.isin(np.arange(data.item_count), places, invert=True)
    with one_thread():
        following = update_next_factors(known, new, data.log, data.weights, _SEED)
    learned |= _factor_arrays((factors_in, factors_out[:, :rank]), following)
    covered = places[previous.arrays["ease_items"]]
    order = np.argsort(covered[covered >= 0])
    learned["ease_items"] = covered[covered >= 0][order].astype(np.int32)
    for name in ("ease", "regression"):
        learned[name] = previous.arrays[name][covered >= 0][:, covered >= 0][order][:, order]
    counted, settings = _counted(data, np.ones(len(data.log), dtype=np.bool_), hyperparameters)
    return SequenceModel(data.item_ids, counted | learned, settings)


def _moved(rows: Float32s, places: npt.NDArray[np.int64], item_count: int) -> Float32s:
    """Return items' rows in the places that the items have now, -1 being none; rows of 0 for the others."""
    result = np.zeros((item_count, rows.shape[1]), dtype=np.float32)
    result[places[places >= 0]] = rows[places >= 0]
    return result


def _fit(data: TrainingData, hyperparameters: Hyperparameters, *, against_popular: bool) -> SequenceModel:
    """Learn the views' weights from held-out interactions, and the views from all of them."""
    hyperparameters = {**_DEFAULTS, **hyperparameters}
    data = _of_usual_histories(data, hyperparameters)
    held_out = hold_out(data.log, data.item_count, _SEED, ahead=share_ahead(data.log), newcomers=True)
    model = _fit_views(data, held_out.remains, hyperparameters)

    def views_of(places: Sequence[Place]) -> Float32s:
        queries = [
            Query(history, user=_of(data.users, user), context=_of(data.contexts, row))
            for user, history, row in places
        ]
        shape = (len(queries), data.item_count)
        return np.stack([np.broadcast_to(view, shape) for view in model.views(queries)])

    def learn(targets: Targets, around: Weights | None = None) -> Weights | None:
        return learn_weights(
            data.log,
            targets,
            views_of,
            data.item_count,
            _SEED,
            climb=by_gradient,
            against_popular=against_popular,
            positive=[view not in SIGNED for view in VIEWS],
            around=around,
        )

    of_long = learn(held_out.newest)
    learnt = learn(held_out.of_newcomers, around=of_long)
    of_short = of_long if learnt is None else learnt
    if len(data.log) <= _ONE_FIT_ABOVE:
        model = _fit_views(data, np.ones(len(data.log), dtype=np.bool_), hyperparameters)
    plain = np.array([_PLAIN.get(view, 0.0) for view in VIEWS])
    for name, weights in zip(WEIGHTS, (of_long, of_short), strict=True):
        model.arrays[name] = (plain if weights is None else weights).astype(np.float32)
    return model


def _of(attributes: UserAttributes | None, row: int) -> dict[str, object]:
    return attributes.attributes(row) if attributes is not None else {}


def _of_usual_histories(data: TrainingData, hyperparameters: Hyperparameters) -> TrainingData:
    """Return the data without the users whose histories are too short or too long."""
    keep = history_percentiles(
        data.log,
        float(hyperparameters["min_user_history_length_percentile"]),
        float(hyperparameters["max_user_history_length_percentile"]),
    )
    return data.select(keep)


def _fit_views(
    data: TrainingData, used: npt.NDArray[np.bool_], hyperparameters: Hyperparameters
) -> SequenceModel:
    """Learn the views from the marked interactions."""
    log = data.log.select(used)
    arrays, settings = _counted(data, used, hyperparameters)
    arrays |= views.ease(log, arrays["interaction_counts"].astype(np.float64))
    arrays["regression"] = next_item_regression(log, data.item_count, arrays["ease_items"], _SEED)
    rank, lags = int(hyperparameters["hidden_dimension"]), int(hyperparameters["bptt"])
    arrays |= _factor_arrays(
        views.factors(log, data.item_count, rank, _SEED),
        learn_next_factors(log, data.weights[used], data.item_count, rank=rank // 2, lags=lags, seed=_SEED),
    )
    return SequenceModel(data.item_ids, arrays, settings)


def _factor_arrays(factors: tuple[Float32s, Float32s], following: NextFactors) -> Arrays:
    """Return the factors of histories, and those of items side by side: one product gives both views."""
    return {
        "factors_in": factors[0],
        "next_in": following.of_histories,
        "next_lags": following.lags,
        "factors_out": np.hstack([factors[1], following.of_items]),
    }


def _counted(
    data: TrainingData, used: npt.NDArray[np.bool_], hyperparameters: Hyperparameters
) -> tuple[Arrays, dict[str, float]]:
    """Return the arrays that counting gives, and the model's settings."""
    data = data.select(used)
    log, weights = data.log, data.weights
    # The second versions call recency_mask apply_recency_bias.
    masked = hyperparameters.get("apply_recency_bias", hyperparameters["recency_mask"])
    recency = _recency(log) if masked else np.ones(len(log), dtype=np.float32)
    popularity = np.bincount(log.items, weights=weights, minlength=data.item_count).astype(np.float64)
    recent = np.bincount(log.items, weights=weights * recency, minlength=data.item_count)
    bptt = int(hyperparameters["bptt"])
    tokens, token_lifts = lifts_of_users(log, weights, data.users, data.item_count)
    contexts, context_lifts = lifts_of_contexts(log, weights, data.contexts, data.item_count)
    cold, cold_weights = stand_ins(data.features, popularity, data.created)
    arrays = {
        "log_popularity": np.log(recent + 0.1).astype(np.float32),
        "interaction_counts": popularity.astype(np.float32),
        "created": data.created,
        "shown_counts": np.zeros(data.item_count, dtype=np.float32) if data.shown is None else data.shown,
        "user_tokens": np.array(tokens, dtype=np.str_),
        "user_lifts": token_lifts,
        "context_tokens": np.array(contexts, dtype=np.str_),
        "context_lifts": context_lifts,
        "cold_items": cold,
        "blank_items": np.setdiff1d(np.flatnonzero(popularity <= 0), cold).astype(np.int32),
        **views.csr_arrays("stand_ins", cold_weights),
        "log_repeats": _log_repeats(log, data.item_count),
        **views.transitions(log, weights * (0.5 + 0.5 * recency), popularity, bptt),
        **views.csr_arrays("features", data.features),
    }
    settings = {
        "bptt": float(bptt),
        "newest": float(log.timestamps.max(initial=0)),
        "features_width": float(data.features.shape[1]),
    }
    return arrays, settings


def _log_repeats(log: InteractionLog, item_count: int) -> Float32s:
    """Return the logarithm of each item's share of repeated interactions over everybody's."""
    totals = np.bincount(log.items, minlength=item_count).astype(np.float64)
    repeats = totals - np.bincount(views.user_items(log, item_count).indices, minlength=item_count)
    overall = (repeats.sum() + 1) / (totals.sum() + 2)
    shares = (repeats + _REPEATS_PRIOR * overall) / (totals + _REPEATS_PRIOR)
    result: Float32s = np.log(shares / overall).astype(np.float32)
    return result


def _recency(log: InteractionLog) -> Float32s:
    """Return 2^(-age / half-life); the half-life is a tenth of the data's time span, at least a day."""
    if len(log) == 0:
        return np.zeros(0, dtype=np.float32)
    newest = log.timestamps.max()
    half_life = max((newest - log.timestamps.min()) / 10, _DAY)
    result: Float32s = np.exp2(-(newest - log.timestamps) / half_life).astype(np.float32)
    return result


_HYPERPARAMETERS = (
    Hyperparameter("hidden_dimension", "int", 149, 32, 256, tunable=True),
    Hyperparameter("bptt", "int", 32, 2, 32, tunable=True),
    Hyperparameter("recency_mask", "bool", default=True, tunable=True),
    Hyperparameter("min_user_history_length_percentile", "float", 0.0, 0.0, 1.0),
    Hyperparameter("max_user_history_length_percentile", "float", 0.99, 0.0, 1.0),
)
_SECOND_VERSION = (Hyperparameter("apply_recency_bias", "bool", default=True),)
# What the second versions, which have no such parameters, use.
_DEFAULTS: dict[str, Value] = {one.name: one.default for one in _HYPERPARAMETERS}

USER_PERSONALIZATION = Recipe(
    name="aws-user-personalization",
    recipe_type="USER_PERSONALIZATION",
    description="Predicts the items that a user will interact with, from the order of past interactions and "
    "metadata, and explores new items.",
    hyperparameters=_HYPERPARAMETERS,
    fit=fit,
    explores=True,
    supports_update=True,
    uses_events=True,
    update=update,
)

USER_PERSONALIZATION_V2 = Recipe(
    name="aws-user-personalization-v2",
    recipe_type="USER_PERSONALIZATION",
    description="Predicts the items that a user will interact with, from the order of past interactions "
    "and metadata.",
    hyperparameters=_SECOND_VERSION,
    fit=fit,
    uses_events=True,
)

PERSONALIZED_RANKING = Recipe(
    name="aws-personalized-ranking",
    recipe_type="PERSONALIZED_RANKING",
    description="Ranks a given list of items for a user.",
    hyperparameters=_HYPERPARAMETERS,
    fit=fit_to_rank,
    uses_events=True,
)

PERSONALIZED_RANKING_V2 = Recipe(
    name="aws-personalized-ranking-v2",
    recipe_type="PERSONALIZED_RANKING",
    description="Ranks a given list of items for a user, from the order of past interactions and metadata.",
    hyperparameters=_SECOND_VERSION,
    fit=fit_to_rank,
    uses_events=True,
)
