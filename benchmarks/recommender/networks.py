"""Train RecBole's GRU4Rec and SASRec in three minutes of CPU. Imports torch and recbole: see neural.py.

The models are RecBole's classes with its default sizes, loss and optimiser. RecBole learns each prefix of a
history by itself: three minutes hold two passes of GRU4Rec over MovieLens 100K and one of SASRec. Here one
pass over a window learns the next item at all of its places, as SASRec's paper does: the same loss sooner.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from recbole.model.sequential_recommender.gru4rec import GRU4Rec
from recbole.model.sequential_recommender.sasrec import SASRec

from benchmarks.recommender.neural import WINDOW, Items, padded, windows
from benchmarks.recommender.protocols import Scorer, Scores, rank_all
from benchmarks.recommender.sequences import Sequences
from localcloud.personalize.recipes import TrainingData

CPU_SECONDS = 180.0
_BATCH, _ROUND, _PATIENCE = 32, 100, 10  # windows; batches between two validations; rounds without a gain
_FIELDS = {
    "USER_ID_FIELD": "user_id",
    "ITEM_ID_FIELD": "item_id",
    "LIST_SUFFIX": "_list",
    "ITEM_LIST_LENGTH_FIELD": "item_length",
    "NEG_PREFIX": "neg_",
    "MAX_ITEM_LIST_LENGTH": WINDOW,
    "device": "cpu",
    "loss_type": "CE",
}


class _EveryPlace:
    """In training, predict at every place of a history in place of its last one only."""

    training: bool

    def gather_indexes(self, output: torch.Tensor, gather_index: torch.Tensor) -> torch.Tensor:
        if not self.training:
            last: torch.Tensor = super().gather_indexes(output, gather_index)  # type: ignore[misc]
            return last
        return output[torch.arange(output.shape[1]) <= gather_index[:, None]]


class _GRU4Rec(_EveryPlace, GRU4Rec):  # type: ignore[misc]
    pass


class _SASRec(_EveryPlace, SASRec):  # type: ignore[misc]
    pass


@dataclass(frozen=True)
class _Kind:
    """A model class, its sizes, and the learning rate and dropout chosen on ML-100K's last-but-one items."""

    model: type[Any]
    learning_rate: float
    settings: dict[str, Any]


_KINDS = {
    "GRU4Rec": _Kind(
        _GRU4Rec,
        0.003,
        {"embedding_size": 64, "hidden_size": 128, "num_layers": 1, "dropout_prob": 0.3},
    ),
    "SASRec": _Kind(
        _SASRec,
        0.001,
        {
            "n_layers": 2,
            "n_heads": 2,
            "hidden_size": 64,
            "inner_size": 256,
            "hidden_dropout_prob": 0.2,
            "attn_dropout_prob": 0.2,
            "hidden_act": "gelu",
            "layer_norm_eps": 1e-12,
            "initializer_range": 0.02,
        },
    ),
}


@dataclass(frozen=True)
class _ItemCount:
    """All that the models ask a RecBole data set for; item 0 is the padding."""

    count: int

    def num(self, _field: str) -> int:
        return self.count + 1


class Network:
    """One model on one thread (all CPU time goes into training), and the batches it learns from."""

    def __init__(self, name: str, data: TrainingData) -> None:
        torch.manual_seed(0)
        torch.set_num_threads(1)
        kind = _KINDS[name]
        self._model = kind.model({**_FIELDS, **kind.settings}, _ItemCount(data.item_count))
        self._optimiser = torch.optim.Adam(self._model.parameters(), lr=kind.learning_rate)
        self._batches = _batches(*windows(data.log))

    def learn_round(self) -> None:
        """Learn from the next batches."""
        self._model.train()
        for inputs, targets in islice(self._batches, _ROUND):
            known = inputs > 0
            batch = {"item_id_list": inputs, "item_length": known.sum(dim=1), "item_id": targets[known]}
            self._optimiser.zero_grad()
            self._model.calculate_loss(batch).backward()
            self._optimiser.step()
        self._model.eval()

    def scores(self, history: np.ndarray) -> Scores:
        """Score all items after a history, oldest first."""
        items = padded(history.astype(np.int64) + 1, WINDOW)[None]
        lengths = torch.tensor([min(len(history), WINDOW)])
        with torch.no_grad():
            scores = self._model.full_sort_predict(
                {"item_id_list": torch.from_numpy(items), "item_length": lengths}
            )
        return np.asarray(scores[0, 1:].numpy())


def fit(name: str, data: TrainingData, cpu_seconds: float = CPU_SECONDS) -> Scorer:
    """Find out in half the time how many rounds predict each last item best, then train on all of it."""
    rounds = _best_rounds(name, data, cpu_seconds / 2)
    network = Network(name, data)
    started = time.process_time()
    for _ in range(rounds):
        network.learn_round()
        if time.process_time() - started > cpu_seconds / 2:
            break
    return network.scores


def _best_rounds(name: str, data: TrainingData, cpu_seconds: float) -> int:
    """Return the rounds after which the last item of `data` is predicted best from those before it."""
    held_out = Sequences("the last item of the training data", data.log, data.features)
    network = Network(name, held_out.without_newest())
    started, rounds, best, best_rounds = time.process_time(), 0, -1.0, 1
    while time.process_time() - started < cpu_seconds and rounds - best_rounds < _PATIENCE:
        network.learn_round()
        rounds += 1
        reached = rank_all(held_out, network.scores)["NDCG@10"]
        if reached > best:
            best, best_rounds = reached, rounds
    return best_rounds


def _batches(inputs: Items, targets: Items) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield batches of shuffled windows, pass after pass."""
    random = np.random.default_rng(0)
    while True:
        order = random.permutation(len(inputs))
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            yield torch.from_numpy(inputs[rows]), torch.from_numpy(targets[rows])
