"""RecBole's GRU4Rec and SASRec among the methods to compare, where torch and RecBole are installed.

Neither is a dependency of this project: nothing here imports them before a method is trained.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt

from benchmarks.recommender.protocols import Scorer
from benchmarks.recommender.rivals import Rival
from localcloud.personalize.interactions import InteractionLog
from localcloud.personalize.recipes import TrainingData

# What the models import; RecBole's other dependencies (ray, thop, plotly...) serve its other parts.
PACKAGES = ("torch", "recbole", "tensorboard", "texttable", "colorlog", "colorama")
WINDOW = 50  # RecBole's default length of a history
Items = npt.NDArray[np.int64]


def missing() -> list[str]:
    """Return the packages that the two models need and that are not installed."""
    return [package for package in PACKAGES if find_spec(package) is None]


def gru4rec(data: TrainingData) -> Scorer:
    """Score by RecBole's GRU4Rec (Tan et al. 2016)."""
    return _fit("GRU4Rec", data)


def sasrec(data: TrainingData) -> Scorer:
    """Score by RecBole's SASRec (Kang and McAuley 2018)."""
    return _fit("SASRec", data)


def methods() -> dict[str, Rival]:
    """Return the two by name; none where a package is missing."""
    return {} if missing() else {"RecBole GRU4Rec": gru4rec, "RecBole SASRec": sasrec}


def notice() -> str:
    """Return the sentence that says why the two are left out; empty where they are not."""
    absent = missing()
    if not absent:
        return ""
    names = ", ".join(absent)
    return f"RecBole's GRU4Rec and SASRec are left out, not installed: {names} (see docs/recipes.md).\n"


def windows(log: InteractionLog, length: int = WINDOW) -> tuple[Items, Items]:
    """Return inputs and the item that follows each, both windows x `length`, zeros after a window's end.

    Items count from 1. A user's history is cut into windows from its newest end.
    """
    inputs, targets = [], []
    for start, end in zip(log.offsets[:-1], log.offsets[1:], strict=True):
        items = log.items[start:end].astype(np.int64) + 1
        for last in range(len(items) - 1, 0, -length):
            first = max(0, last - length)
            inputs.append(padded(items[first:last], length))
            targets.append(padded(items[first + 1 : last + 1], length))
    shape = (len(inputs), length)
    return np.array(inputs, np.int64).reshape(shape), np.array(targets, np.int64).reshape(shape)


def padded(items: Items, length: int) -> Items:
    """Return at most the last `length` items, zeros after them."""
    kept = items[-length:]
    return np.pad(kept, (0, length - len(kept)))


def _fit(name: str, data: TrainingData) -> Scorer:
    scorer: Scorer = import_module("benchmarks.recommender.networks").fit(name, data)
    return scorer
