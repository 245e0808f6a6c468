"""aws-user-personalization and aws-personalized-ranking: what they learn, and what each parameter changes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localcloud.personalize import recipes
from localcloud.personalize.recipes import RECIPES, Exploration, Query, explore
from localcloud.personalize.recipes.sequence_model import SIGNED, VIEWS, WEIGHTS, SequenceModel
from localcloud.personalize.recipes.user_attributes import read_attributes, tokens_of
from tests.unit.recipes.synthetic import DAY, START, fitted, one_hot, positions, rings, training_data

UP, RANKING = "aws-user-personalization", "aws-personalized-ranking"


@pytest.fixture(scope="module")
def data():
    return rings()


@pytest.fixture(scope="module")
def model(data):
    return fitted(UP, data)


@pytest.mark.parametrize("recipe", [UP, f"{UP}-v2", RANKING, f"{RANKING}-v2"])
def test_the_next_item_of_the_ring_comes_first(data, recipe):
    model = fitted(recipe, data)
    scores = model.scores(Query(positions(model, "i12", "i13", "i14")))
    assert model.item_ids[int(np.argmax(scores))] == "i15"


def test_the_order_of_the_history_matters(model):
    forward = model.scores(Query(positions(model, "i12", "i13", "i14")))
    backward = model.scores(Query(positions(model, "i14", "i13", "i12")))
    place = model.item_index["i15"]
    assert forward[place] > backward[place]


def test_the_same_data_trains_the_same_model(data, model):
    again = fitted(UP, data)
    history = positions(model, "i3", "i4")
    np.testing.assert_allclose(
        again.scores(Query(history)), model.scores(Query(history)), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("recipe", [UP, RANKING])
def test_what_a_view_finds_speaks_for_items_only(data, recipe):
    model = fitted(recipe, data)
    for name in WEIGHTS:
        weights = dict(zip(VIEWS, model.arrays[name].tolist(), strict=True))
        assert min(weight for view, weight in weights.items() if view not in SIGNED) >= 0


def test_a_saved_model_answers_as_before(model, tmp_path):
    model.save(tmp_path / "model")
    query = Query(positions(model, "i3", "i4"))
    np.testing.assert_allclose(recipes.load(tmp_path / "model").scores(query), model.scores(query), rtol=1e-6)


@settings(max_examples=25, deadline=None)
@given(histories=st.lists(st.lists(st.integers(0, 39), max_size=40), min_size=1, max_size=5))
def test_scores_of_many_are_the_scores_of_each(model, histories):
    queries = [Query(np.array(history, dtype=np.int32)) for history in histories]
    together = model.scores_of_many(queries)
    assert np.isfinite(together).all()
    for place, query in enumerate(queries):
        np.testing.assert_allclose(together[place], model.scores(query), rtol=1e-3, atol=1e-3)


@settings(max_examples=25, deadline=None)
@given(histories=st.lists(st.lists(st.integers(0, 39), min_size=1, max_size=80), min_size=1, max_size=4))
def test_the_compiled_sum_is_the_weighted_sum_of_the_views(model, histories):
    queries = [Query(np.array(history, dtype=np.int32)) for history in histories]
    shape = (len(queries), len(model.item_ids))
    random = np.random.default_rng(len(histories))
    scale = [max(float(np.abs(view).max()), 1e-6) for view in model.views(queries)]
    weights = (random.normal(size=len(VIEWS)) / scale).astype(np.float32)
    both = {"weights": weights, "weights_of_short": weights}
    tried = SequenceModel(model.item_ids, {**model.arrays, **both}, model.settings)
    views = [np.broadcast_to(view, shape) for view in model.views(queries)]
    expected = np.tensordot(weights.astype(np.float64), np.stack(views), 1)
    np.testing.assert_allclose(tried.scores_of_many(queries), expected, rtol=1e-3, atol=1e-3)


def test_bptt_is_the_number_of_interactions_that_are_read(data):
    history = ["i0", "i1", "i12", "i13"]
    other = ["i30", "i31", "i12", "i13"]
    for bptt, same in ((2, True), (32, False)):
        model = fitted(UP, data, bptt=bptt)
        place = VIEWS.index("following")
        forward = [list(model.views([Query(positions(model, *items))]))[place] for items in (history, other)]
        assert np.allclose(*forward) is same


def test_hidden_dimension_is_the_rank_of_the_factors(data):
    for rank in (32, 64):
        arrays = fitted(UP, data, hidden_dimension=rank).arrays
        assert arrays["factors_in"].shape[1] == rank
        assert arrays["next_in"].shape[1] == rank // 2


@pytest.mark.parametrize(
    ("recipe", "parameter"),
    [
        (UP, "recency_mask"),
        (RANKING, "recency_mask"),
        (f"{UP}-v2", "apply_recency_bias"),
        (f"{RANKING}-v2", "apply_recency_bias"),
    ],
)
def test_recency_makes_new_items_more_popular_than_old_ones(recipe, parameter):
    histories = {
        f"u{user}": [f"old{user % 3}", f"old{(user + 1) % 3}", f"new{user % 3}"] for user in range(60)
    }
    times = {user: [START, START + DAY, START + 400 * DAY] for user in histories}
    data = training_data(histories, times=times)
    popular = {}
    for chosen in (True, False):
        model = fitted(recipe, data, **{parameter: chosen})
        scores = model.scores(Query(np.zeros(0, dtype=np.int32)))
        popular[chosen] = model.item_ids[int(np.argmax(scores))][:3]
    assert popular == {True: "new", False: "old"}


def test_users_outside_the_history_length_percentiles_teach_nothing():
    histories = {f"u{user}": ["a", "b", "c"] for user in range(40)} | {"robot": ["x", "y"] * 200}
    data = training_data(histories)
    counts = {
        most: fitted(UP, data, max_user_history_length_percentile=most).arrays["interaction_counts"].sum()
        for most in (0.9, 1.0)
    }
    assert counts == {0.9: 120, 1.0: 520}
    longest = fitted(UP, data, min_user_history_length_percentile=1.0)
    assert longest.arrays["interaction_counts"].sum() == 400


def test_repeats_are_learned_where_people_repeat():
    random = np.random.default_rng(0)
    again = {
        f"u{user}": [f"i{user % 30}", f"i{(user * 3) % 30}", f"i{(user * 7) % 30}"] * 5 for user in range(80)
    }
    never = {f"u{user}": [f"i{item}" for item in random.permutation(30)[:16]] for user in range(80)}
    shares = {}
    for name, histories in (("again", again), ("never", never)):
        model = fitted(UP, training_data(histories))
        history = positions(
            model, *(["i3", "i9", "i21"] * 2 if name == "again" else ["i3", "i9", "i21", "i5"])
        )
        scores = model.scores(Query(history))
        shares[name] = (scores[history[-3:]].mean() - scores.mean()) / scores.std()
    assert shares["again"] > 1
    assert shares["never"] < 0


def test_event_weights_change_what_is_popular():
    histories = {f"u{user}": ["bought" if user % 3 == 0 else "viewed", "other"] for user in range(30)}
    data = training_data(histories)
    heavy = np.where(np.array(data.item_ids)[data.log.items] == "bought", 10.0, 1.0).astype(np.float32)
    nobody = Query(np.zeros(0, dtype=np.int32))
    plain = fitted("aws-popularity-count", data).scores(nobody)
    weighted = fitted("aws-popularity-count", training_data(histories, weights=heavy)).scores(nobody)
    bought, viewed = data.item_ids.index("bought"), data.item_ids.index("viewed")
    assert plain[bought] < plain[viewed]
    assert weighted[bought] > weighted[viewed]


def test_a_cold_user_gets_what_is_popular_among_users_alike():
    histories = {f"u{user}": (["a", "b", "c"] if user % 2 else ["x", "y", "z"]) for user in range(80)}
    tiers = pa.chunked_array([["gold" if user % 2 else "basic" for user in range(80)]])
    ages = pa.chunked_array([[60 if user % 2 else 20 for user in range(80)]])
    users = read_attributes({"TIER": tiers, "AGE": ages}, np.arange(80), 80)
    data = training_data(histories, users=users)
    order = [data.log.user_ids.index(f"u{user}") for user in range(80)]
    users = read_attributes({"TIER": tiers, "AGE": ages}, np.array(order), 80)
    model = fitted(UP, training_data(histories, users=users))
    for user, expected in (
        ({"TIER": "gold"}, "abc"),
        ({"TIER": "basic"}, "xyz"),
        ({"AGE": 61}, "abc"),
        ({"AGE": 20, "TIER": "basic"}, "xyz"),
    ):
        scores = model.scores(Query(np.zeros(0, dtype=np.int32), user=user))
        assert {model.item_ids[place] for place in np.argsort(-scores)[:3]} == set(expected), user
    assert tokens_of({"AGE": "unknown", "TIER": None}, {"AGE>=20": 0, "TIER=gold": 1}) == []


def test_a_context_that_matters_improves_held_out_answers_and_one_of_chance_does_no_harm():
    """On phones people take the items a0 to a9, else b0 to b9; the last interaction is predicted."""
    random = np.random.default_rng(0)
    on_phone = random.random((150, 9)) < 0.5
    histories = {
        f"u{user}": [f"{'a' if phone else 'b'}{random.integers(0, 10)}" for phone in row]
        for user, row in enumerate(on_phone)
    }
    seen = {user: items[:-1] for user, items in histories.items()}
    devices = np.where(on_phone, "phone", "desk")
    known = devices[:, :-1].ravel()
    found = {}
    for name, values in (("true", known), ("chance", random.permutation(known)), ("none", None)):
        contexts = None
        if values is not None:
            columns = {"DEVICE": pa.chunked_array([values.tolist()])}
            contexts = read_attributes(columns, np.arange(len(known)), len(known))
        model = fitted(UP, training_data(seen, contexts=contexts))
        hits = []
        for device, items in zip(devices[:, -1].tolist(), histories.values(), strict=True):
            scores = model.scores(Query(positions(model, *items[:-1]), context={"DEVICE": device}))
            hits.append((scores > scores[model.item_index[items[-1]]]).sum() < 10)
        found[name] = np.mean(hits)
    assert found["true"] > found["none"] + 0.2
    assert found["chance"] > found["none"] - 0.06


def test_a_new_item_that_was_shown_in_vain_is_explored_less():
    data = rings()
    items = [*data.item_ids, "ignored", "fresh"]
    shown = np.array([0.0] * len(data.item_ids) + [500.0, 0.0], dtype=np.float32)
    created = np.full(len(items), START, dtype=np.int64)
    more = data.__class__(data.log, items, data.weights, one_hot(items, {}), created, shown=shown)
    model = fitted(UP, more)
    logits, allowed = np.zeros(len(items), dtype=np.float32), np.ones(len(items), dtype=np.bool_)
    found = {"ignored": 0, "fresh": 0}
    for seed in range(200):
        random = np.random.default_rng(seed)
        for place in explore(model, logits, np.arange(10), allowed, Exploration(0.5), random):
            if items[place] in found:
                found[items[place]] += 1
    assert found["fresh"] > 5 * found["ignored"]


@pytest.mark.parametrize("recipe", [UP, RANKING])
def test_a_cold_item_with_metadata_stands_above_most_items_of_other_kinds(recipe):
    data = rings()
    items = [*data.item_ids, "new", "blank"]
    features = {item: [f"ring{int(item[1:]) // 10}"] for item in data.item_ids} | {"new": ["ring1"]}
    log_data = data.__class__(
        data.log, items, data.weights, one_hot(items, features), np.full(len(items), START, dtype=np.int64)
    )
    model = fitted(recipe, log_data)
    scores = model.scores(Query(positions(model, "i12", "i13", "i14")))
    others = [place for place, item in enumerate(data.item_ids) if features[item] != ["ring1"]]
    new, blank = model.item_index["new"], model.item_index["blank"]
    assert (scores[new] > scores[others]).mean() > 0.8
    assert scores[new] > scores[blank]


def test_update_takes_in_new_items_and_keeps_what_was_learned(data, model):
    histories = {
        user: [data.item_ids[item] for item in data.log.items[start:end]]
        for user, start, end in zip(
            data.log.user_ids, data.log.offsets[:-1], data.log.offsets[1:], strict=True
        )
    }
    histories |= {f"late{number}": ["i12", "i13", "brand-new"] for number in range(40)}
    more = training_data(histories)
    recipe = RECIPES[UP]
    updated = recipe.update(model, more, recipe.with_defaults({}))
    for name in WEIGHTS:
        np.testing.assert_array_equal(updated.arrays[name], model.arrays[name])
    old, new = model.item_index["i5"], updated.item_index["i5"]
    np.testing.assert_array_equal(updated.arrays["factors_in"][new], model.arrays["factors_in"][old])
    place = updated.item_index["brand-new"]
    after = updated.scores(Query(positions(updated, "i12", "i13")))
    apart = updated.scores(Query(positions(updated, "i32", "i33")))
    assert np.argsort(-after).tolist().index(place) < np.argsort(-apart).tolist().index(place)
    assert not updated.arrays["factors_in"][place].any()


def test_a_large_catalogue_trains_without_a_dense_item_by_item_array():
    random = np.random.default_rng(0)
    histories = {f"u{user}": [f"i{item}" for item in random.integers(0, 4_200, 10)] for user in range(2_400)}
    model = fitted(UP, training_data(histories), hidden_dimension=32)
    count = len(model.item_ids)
    largest = max(array.size for array in model.arrays.values())
    assert count > 4_100
    assert largest <= max(4_000**2, 400 * count)
