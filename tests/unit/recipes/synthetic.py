"""Small training data with a structure that a recipe can find."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import scipy.sparse as sp

from localcloud.personalize.interactions import InteractionLog
from localcloud.personalize.recipes import RECIPES, Model, TrainingData
from localcloud.personalize.recipes.user_attributes import UserAttributes

START = 1_700_000_000
DAY = 86_400


def training_data(
    histories: dict[str, list[str]],
    *,
    features: dict[str, list[str]] | None = None,
    users: UserAttributes | None = None,
    contexts: UserAttributes | None = None,
    times: dict[str, list[int]] | None = None,
    weights: np.ndarray | None = None,
) -> TrainingData:
    rows = [
        (user, item, times[user][place] if times else START + place * 3_600)
        for user, items in histories.items()
        for place, item in enumerate(items)
    ]
    user_ids, item_ids, stamps = zip(*rows, strict=True)
    table = pa.table({"USER_ID": user_ids, "ITEM_ID": item_ids, "TIMESTAMP": pa.array(stamps, pa.int64())})
    log = InteractionLog.from_table(table)
    names = list(log.item_ids) + [item for item in features or {} if item not in set(log.item_ids)]
    ones = np.ones(len(log), dtype=np.float32)
    return TrainingData(
        log,
        names,
        ones if weights is None else weights,
        one_hot(names, features or {}),
        np.full(len(names), START, dtype=np.int64),
        users,
        contexts,
    )


def one_hot(item_ids: list[str], features: dict[str, list[str]]) -> sp.csr_matrix:
    tokens = sorted({token for of_item in features.values() for token in of_item})
    matrix = np.zeros((len(item_ids), max(len(tokens), 1)), dtype=np.float32)
    for row, item in enumerate(item_ids):
        for token in features.get(item, []):
            matrix[row, tokens.index(token)] = 1.0
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return sp.csr_matrix(matrix / np.maximum(lengths, 1e-9))


def rings(users: int = 120, ring: int = 10, kinds: int = 4, length: int = 12, seed: int = 3) -> TrainingData:
    """Each user walks along one of some rings of items, with a random item in between now and then."""
    random = np.random.default_rng(seed)
    histories, features = {}, {}
    for kind in range(kinds):
        for place in range(ring):
            features[f"i{kind * ring + place}"] = [f"ring{kind}"]
    for user in range(users):
        kind, place = int(random.integers(0, kinds)), int(random.integers(0, ring))
        items = []
        for _ in range(length):
            if random.random() < 0.15:
                items.append(f"i{random.integers(0, kinds * ring)}")
            else:
                items.append(f"i{kind * ring + place}")
                place = (place + 1) % ring
        histories[f"u{user}"] = items
    return training_data(histories, features=features)


def fitted(recipe: str, data: TrainingData, **hyperparameters: float | bool) -> Model:
    return RECIPES[recipe].fit(data, RECIPES[recipe].with_defaults(hyperparameters))


def positions(model: Model, *item_ids: str) -> np.ndarray:
    return np.array([model.item_index[item_id] for item_id in item_ids], dtype=np.int32)
