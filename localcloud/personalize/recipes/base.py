"""What a recipe is, what it trains on and what it trains: the frame that each recipe's file fills."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from localcloud.personalize.interactions import InteractionLog
from localcloud.personalize.recipes.user_attributes import UserAttributes

Float32s = npt.NDArray[np.float32]
Int32s = npt.NDArray[np.int32]
Value = int | float | bool | str
Hyperparameters = Mapping[str, Value]


# To be raised whenever a recipe's saved arrays or settings change: older models cannot be read then.
FORMAT = 5
# The logits of a block of queries; what they are summed up from has to fit into memory as well.
_CELLS_AT_ONCE = 2_000_000


class OtherFormatError(Exception):
    """A saved model is of another version of the recipes."""


@dataclass(frozen=True)
class Hyperparameter:
    """A parameter by AWS's name; `kind` is int, float, bool or choice.

    `low` and `high` bound a number, `choices` are the texts that a choice can be.
    """

    name: str
    kind: str
    default: Value
    low: float | None = None
    high: float | None = None
    tunable: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrainingData:
    """What a recipe learns from.

    `log` holds the interactions that count; its item numbers are positions in `item_ids`, which goes on with
    items that have metadata only. `weights` has one factor an interaction. `features` is items x metadata
    tokens, rows of length 1 (or 0). `created` is the creation time of each item in epoch seconds: its
    CREATION_TIMESTAMP, else its first interaction, else 0. `users` are the attributes of the log's users,
    `contexts` those of its interactions, if there are any. `shown` is how often each item was among the
    impressions of an interaction with another one.
    """

    log: InteractionLog
    item_ids: list[str]
    weights: Float32s
    features: sp.csr_matrix
    created: npt.NDArray[np.int64]
    users: UserAttributes | None = None
    contexts: UserAttributes | None = None
    shown: Float32s | None = None

    @property
    def item_count(self) -> int:
        """Number of items."""
        return len(self.item_ids)

    def select(self, keep: npt.NDArray[np.bool_]) -> TrainingData:
        """Return the data of the marked interactions; users and items keep their numbers."""
        contexts = self.contexts
        if contexts is not None:
            contexts = replace(contexts, matrix=contexts.matrix[np.flatnonzero(keep)])
        return replace(self, log=self.log.select(keep), weights=self.weights[keep], contexts=contexts)


@dataclass(frozen=True)
class Query:
    """Whom or what recommendations are for: positions of items, the history oldest first.

    `user` are the user's attributes, `context` what is known of the moment, both by column.
    """

    history: Int32s
    item: int | None = None
    user: Mapping[str, object] = field(default_factory=dict)
    context: Mapping[str, object] = field(default_factory=dict)


class Model(ABC):
    """A trained recipe. Its arrays are memory-mapped after `load`."""

    KIND: ClassVar[str]

    def __init__(
        self, item_ids: list[str], arrays: dict[str, npt.NDArray[Any]], settings: dict[str, float]
    ) -> None:
        self.item_ids = item_ids
        self.arrays = arrays
        self.settings = settings

    @cached_property
    def item_index(self) -> dict[str, int]:
        """Position of each item id."""
        return {item_id: position for position, item_id in enumerate(self.item_ids)}

    @abstractmethod
    def scores(self, query: Query) -> Float32s:
        """Return a logit for each item, shape (items,): their softmax is the scores that AWS gives."""

    def scores_of_many(self, queries: Sequence[Query]) -> Float32s:
        """Return the logits for some queries, shape (queries, items)."""
        return np.stack([self.scores(query) for query in queries])

    def save(self, folder: Path) -> None:
        """Write the model to an empty folder."""
        folder.mkdir(parents=True)
        for name, array in self.arrays.items():
            np.save(folder / f"{name}.npy", array)
        (folder / "model.json").write_text(
            json.dumps(
                {
                    "format": FORMAT,
                    "kind": self.KIND,
                    "settings": self.settings,
                    "items": self.item_ids,
                }
            )
        )


class BlockModel(Model):
    """A model that answers a block of queries faster than one after the other."""

    def scores(self, query: Query) -> Float32s:
        """Return a logit for each item, shape (items,)."""
        result: Float32s = self.scores_of_many([query])[0]
        return result

    def scores_of_many(self, queries: Sequence[Query]) -> Float32s:
        """Return logits, shape (queries, items)."""
        logits = np.empty((len(queries), len(self.item_ids)), dtype=np.float32)
        at_once = max(_CELLS_AT_ONCE // max(len(self.item_ids), 1), 1)
        for start in range(0, len(queries), at_once):
            block = queries[start : start + at_once]
            self._write_block(block, logits[start : start + len(block)])
        return logits

    @abstractmethod
    def _write_block(self, queries: Sequence[Query], logits: Float32s) -> None:
        """Write the logits of some queries, shape (queries, items)."""


@dataclass(frozen=True)
class Recipe:
    """A recipe of AWS's by name, and how localcloud trains it.

    `explores`: campaigns take an itemExplorationConfig. `uses_events`: new events change the next answer.
    `supports_update`: trainingMode UPDATE, for which `update` makes a new model of the previous one and all
    data.
    """

    name: str
    recipe_type: str
    description: str
    hyperparameters: tuple[Hyperparameter, ...]
    fit: Callable[[TrainingData, Hyperparameters], Model]
    explores: bool = False
    supports_update: bool = False
    uses_events: bool = False
    update: Callable[[Model, TrainingData, Hyperparameters], Model] | None = None

    def with_defaults(self, given: Hyperparameters) -> dict[str, Value]:
        """Return all hyperparameters: the given ones, else the defaults."""
        return {one.name: given.get(one.name, one.default) for one in self.hyperparameters}


def read_model(folder: Path, kinds: Mapping[str, type[Model]]) -> Model:
    """Open a model that `save` wrote, arrays memory-mapped.

    Raises OtherFormatError for one that another version of the recipes wrote.
    """
    head = json.loads((folder / "model.json").read_text())
    if head.get("format") != FORMAT:
        raise OtherFormatError(f"{folder} has the format {head.get('format')}; it must be {FORMAT}.")
    arrays = {path.stem: np.load(path, mmap_mode="r") for path in folder.glob("*.npy")}
    return kinds[head["kind"]](head["items"], arrays, head["settings"])


def history_percentiles(log: InteractionLog, low: float, high: float) -> npt.NDArray[np.bool_]:
    """Mark the interactions of users whose history length lies between two percentiles (0 to 1)."""
    lengths = np.diff(log.offsets)
    present = lengths[lengths > 0]
    if len(present) == 0:
        return np.ones(0, dtype=np.bool_)
    least, most = np.quantile(present, [low, high], method="nearest")
    chosen: npt.NDArray[np.bool_] = ((lengths >= least) & (lengths <= most))[log.users]
    return chosen


def standardised(scores: Float32s) -> Float32s:
    """Return scores with mean 0 and standard deviation 1 (0 when they are all the same)."""
    deviation = float(scores.std())
    if deviation <= 0:
        return np.zeros_like(scores)
    result: Float32s = (scores - scores.mean()) / deviation
    return result
