"""RecBole's models in benchmarks/recommender: their input, when they are left out, how they learn."""

from __future__ import annotations

import time
from importlib import import_module

import numpy as np
import pytest

from benchmarks.processes import figures_in_own_process
from benchmarks.recommender import neural
from tests.unit.recipes.synthetic import rings, training_data

needs_recbole = pytest.mark.skipif(bool(neural.missing()), reason="torch or RecBole is not installed")


def test_windows_are_cut_from_the_newest_end_and_padded_after_it():
    data = training_data({"u1": ["a", "b", "c", "d"], "u2": ["d", "a"], "u3": ["b"]})
    a, b, c, d = (data.item_ids.index(item) + 1 for item in "abcd")
    inputs, targets = neural.windows(data.log, 2)
    assert inputs.tolist() == [[b, c], [a, 0], [d, 0]]
    assert targets.tolist() == [[c, d], [b, 0], [a, 0]]


def test_users_of_one_interaction_make_no_window():
    inputs, targets = neural.windows(training_data({"u1": ["a"], "u2": ["b"]}).log)
    assert inputs.shape == targets.shape == (0, neural.WINDOW)


@pytest.mark.parametrize(("items", "expected"), [([1, 2], [1, 2, 0]), ([1, 2, 3, 4], [2, 3, 4])])
def test_a_history_keeps_its_newest_items_and_is_padded_after_them(items, expected):
    assert neural.padded(np.array(items), 3).tolist() == expected


@pytest.mark.parametrize("absent", ["torch", "recbole"])
def test_without_a_package_the_models_are_left_out_and_the_notice_names_it(monkeypatch, absent):
    monkeypatch.setattr(neural, "find_spec", lambda name: None if name == absent else object())
    assert neural.methods() == {}
    assert f"not installed: {absent} (see docs/recipes.md)" in neural.notice()


def test_with_all_packages_both_models_are_methods_and_there_is_no_notice(monkeypatch):
    monkeypatch.setattr(neural, "find_spec", lambda name: name)
    assert list(neural.methods()) == ["RecBole GRU4Rec", "RecBole SASRec"]
    assert neural.notice() == ""


def test_figures_come_from_the_last_line_of_a_process_of_its_own(tmp_path):
    (tmp_path / "figures.json").write_text('{"NDCG@10": 0.5}')
    arguments = ("--compact", str(tmp_path / "figures.json"))
    assert figures_in_own_process("json.tool", *arguments) == {"NDCG@10": 0.5}


def test_a_failed_measurement_says_why(tmp_path):
    (tmp_path / "figures.json").write_text("no figures")
    with pytest.raises(RuntimeError, match=r"(?s)json\.tool .* failed: .*Expecting value"):
        figures_in_own_process("json.tool", str(tmp_path / "figures.json"))


@needs_recbole
@pytest.mark.parametrize("name", ["GRU4Rec", "SASRec"])
def test_a_window_costs_the_mean_of_recboles_own_loss_over_its_prefixes(name):
    networks, torch = import_module("benchmarks.recommender.networks"), import_module("torch")
    data = rings()
    model = networks.Network(name, data)._model
    for part in model.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.0
    inputs, targets = (torch.from_numpy(rows[:1]) for rows in neural.windows(data.log))
    length = int((inputs > 0).sum())
    prefixes = inputs.repeat(length, 1) * torch.tril(torch.ones(length, neural.WINDOW, dtype=torch.long))
    lengths, following = torch.arange(1, length + 1), targets[0, :length]
    batch = {"item_id_list": inputs, "item_length": lengths[-1:], "item_id": following}
    every_place = model.train().calculate_loss(batch).item()
    batch = {"item_id_list": prefixes, "item_length": lengths, "item_id": following}
    assert length > 3
    assert every_place == pytest.approx(model.eval().calculate_loss(batch).item(), abs=1e-5)


@needs_recbole
@pytest.mark.parametrize("name", ["GRU4Rec", "SASRec"])
def test_a_model_learns_what_follows_within_its_time(monkeypatch, name):
    networks, data = import_module("benchmarks.recommender.networks"), rings()
    monkeypatch.setattr(networks, "_ROUND", 20)
    started = time.process_time()
    score = networks.fit(name, data, cpu_seconds=16.0)
    assert time.process_time() - started < 32.0
    scores = score(np.array([data.item_ids.index(item) for item in ("i13", "i14")]))
    assert scores.shape == (data.item_count,)
    assert data.item_ids[int(np.argmax(scores))] == "i15"
