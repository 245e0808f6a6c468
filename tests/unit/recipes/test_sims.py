"""aws-sims and aws-similar-items."""

from __future__ import annotations

import numpy as np
import pytest

from localcloud.personalize.recipes import Query
from tests.unit.recipes.synthetic import START, fitted, one_hot, positions, rings, training_data

SIMS, SIMILAR = "aws-sims", "aws-similar-items"
NOBODY = np.zeros(0, dtype=np.int32)


def beside(model, item_id: str) -> np.ndarray:
    return model.scores(Query(NOBODY, int(positions(model, item_id)[0])))


@pytest.fixture(scope="module")
def data():
    return rings()


@pytest.mark.parametrize("recipe", [SIMS, SIMILAR])
def test_neighbours_on_the_ring_come_first(data, recipe):
    model = fitted(recipe, data)
    scores = beside(model, "i14")
    best = [model.item_ids[place] for place in np.argsort(-scores)[:2]]
    assert "i15" in best
    ring = np.array([10 <= int(item[1:]) < 20 for item in model.item_ids])
    assert scores[ring].mean() > scores[~ring].mean()


@pytest.mark.parametrize("recipe", [SIMS, SIMILAR])
def test_many_answers_at_once_are_the_weighted_views_of_each(data, recipe):
    model = fitted(recipe, data)
    items = range(len(model.item_ids))
    *answers, of_nothing = model.scores_of_many([*(Query(NOBODY, item) for item in items), Query(NOBODY)])
    for item, answer in zip(items, answers, strict=True):
        np.testing.assert_allclose(answer, model.arrays["weights"] @ model.views(item), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(of_nothing, model.arrays["log_popularity"])


def test_the_history_of_a_user_has_no_influence(data):
    model = fitted(SIMS, data)
    with_history = model.scores(Query(positions(model, "i30", "i31"), model.item_index["i14"]))
    np.testing.assert_array_equal(with_history, beside(model, "i14"))


def test_popularity_discount_prefers_rare_companions():
    histories = {f"both{user}": ["item", "rare", "common"] for user in range(20)}
    histories |= {f"crowd{user}": ["common", f"other{user % 5}"] for user in range(200)}
    data = training_data(histories)
    together = {}
    for discount in (0.0, 1.0):
        model = fitted(
            SIMS, data, popularity_discount_factor=discount, max_item_interaction_count_percentile=1.0
        )
        row = model.rows("together")[model.item_index["item"]].toarray().ravel()
        together[discount] = row[model.item_index["rare"]] / row[model.item_index["common"]]
    assert together[0.0] == pytest.approx(1.0)
    assert together[1.0] > 5


def test_pairs_need_so_many_users_in_common():
    histories = {f"u{user}": ["a", "b"] for user in range(20)} | {f"v{user}": ["a", "c"] for user in range(4)}
    for least, linked in ((4, True), (5, False)):
        model = fitted(SIMS, training_data(histories), min_cointeraction_count=least, **_everything())
        row = model.rows("together")[model.item_index["a"]].toarray().ravel()
        assert bool(row[model.item_index["c"]] > 0) is linked


def test_items_and_users_outside_their_percentiles_do_not_count_together():
    histories = {f"u{user}": ["hit", f"i{user % 10}", f"i{(user + 1) % 10}"] for user in range(60)}
    histories["robot"] = [f"i{item % 10}" for item in range(100)]
    data = training_data(histories)
    model = fitted(SIMS, data, **_everything())
    without_hit = fitted(SIMS, data, **_everything() | {"max_item_interaction_count_percentile": 0.9})
    hit = model.item_index["hit"]
    assert model.rows("together")[hit].nnz > 0
    assert without_hit.rows("together")[hit].nnz == 0
    pairs_of_one = _everything() | {"min_cointeraction_count": 1}
    model = fitted(SIMS, data, **pairs_of_one)
    without_robot = fitted(SIMS, data, **pairs_of_one | {"max_user_history_length_percentile": 0.9})
    pair = model.item_index["i0"], model.item_index["i5"]
    assert model.rows("together")[pair] > 0
    assert without_robot.rows("together")[pair] == 0


def test_an_unknown_or_lonely_item_gets_what_is_popular():
    histories = {f"u{user}": ["a", "b", "a" if user % 2 else "c"] for user in range(40)} | {"one": ["lonely"]}
    model = fitted(SIMS, training_data(histories), **_everything())
    popular = model.scores(Query(NOBODY))
    assert model.item_ids[int(np.argmax(popular))] == "a"
    np.testing.assert_array_equal(beside(model, "lonely").argsort(), popular.argsort())


def test_similar_items_finds_items_that_nobody_had_by_their_metadata():
    data = rings()
    items = [*data.item_ids, "new"]
    features = {item: [f"ring{int(item[1:]) // 10}"] for item in data.item_ids} | {"new": ["ring2"]}
    created = np.full(len(items), START, dtype=np.int64)
    more = data.__class__(data.log, items, data.weights, one_hot(items, features), created)
    scores = beside(fitted(SIMILAR, more), "i25")
    others = [place for place, item in enumerate(data.item_ids) if features[item] != ["ring2"]]
    assert (scores[-1] > scores[others]).mean() > 0.8


def test_dimensions_of_similar_items_are_those_of_its_vectors(data):
    model = fitted(SIMILAR, data, item_id_hidden_dimension=30)
    assert model.arrays["factors"].shape[1] == 30
    wide = {item: [f"word{number}", f"word{number + 1}"] for number, item in enumerate(data.item_ids)}
    described = data.__class__(
        data.log, data.item_ids, data.weights, one_hot(data.item_ids, wide), data.created
    )
    assert fitted(SIMILAR, described, item_metadata_hidden_dimension=30).arrays["metadata"].shape[1] == 30


def _everything() -> dict[str, float]:
    return {
        "min_user_history_length_percentile": 0.0,
        "max_user_history_length_percentile": 1.0,
        "min_item_interaction_count_percentile": 0.0,
        "max_item_interaction_count_percentile": 1.0,
    }
