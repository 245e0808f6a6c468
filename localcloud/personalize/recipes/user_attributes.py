"""What attributes of users, and contexts of interactions, say about the items that are taken."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp

from localcloud.personalize.interactions import InteractionLog

Float32s = npt.NDArray[np.float32]

# Tokens x items is a dense array: its size is bounded by the number of tokens, the commonest ones.
_MOST_CELLS = 8_000_000
_MOST_TOKENS = 64
# A token's shares of items are drawn towards everybody's as by this many interactions.
_PRIOR = 50.0
_THRESHOLD = ">="
_QUANTILES = (0.0, 0.2, 0.4, 0.6, 0.8)


@dataclass(frozen=True)
class UserAttributes:
    """Tokens of users: `matrix` is users x tokens, 0 or 1, rows in the order of the log's users.

    The same for contexts: rows in the order of the log's interactions.

    A token is "COLUMN=value", or "COLUMN>=number" for a number that is at least a quantile of its column.
    """

    tokens: list[str]
    matrix: sp.csr_matrix

    def attributes(self, user: int) -> dict[str, object]:
        """Return a user's attributes as far as the tokens tell them."""
        found: dict[str, object] = {}
        start, end = self.matrix.indptr[user : user + 2]
        for place in self.matrix.indices[start:end]:
            column, threshold, bound = self.tokens[place].partition(_THRESHOLD)
            if threshold:
                known = found.get(column)
                found[column] = max(float(bound), known) if isinstance(known, float) else float(bound)
            else:
                column, _, value = self.tokens[place].partition("=")
                found[column] = f"{found[column]}|{value}" if column in found else value
        return found


def read_attributes(
    columns: Mapping[str, pa.ChunkedArray], rows: npt.NDArray[np.int64], user_count: int
) -> UserAttributes:
    """Make the tokens of the columns; `rows` are their users, -1 for users without interactions."""
    tokens: list[str] = []
    blocks = []
    for name, values in columns.items():
        if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
            numbers = values.to_numpy().astype(np.float64)
            present = numbers[~np.isnan(numbers)]
            bounds = np.unique(np.quantile(present, _QUANTILES)) if len(present) else np.zeros(0)
            texts = [f"{name}{_THRESHOLD}{bound}" for bound in bounds]
            places, codes = np.nonzero(numbers[:, None] >= bounds[None, :])
        else:
            lists = pc.split_pattern(pc.cast(values.combine_chunks(), pa.string()), "|")
            encoded = pc.list_flatten(lists).dictionary_encode()
            texts = [f"{name}={value}" for value in encoded.dictionary.to_pylist()]
            places = pc.list_parent_indices(lists).to_numpy()
            codes = encoded.indices.to_numpy(zero_copy_only=False)
        known = rows[places] >= 0
        ones = np.ones(int(known.sum()), dtype=np.float32)
        blocks.append(sp.csr_matrix((ones, (rows[places][known], codes[known])), (user_count, len(texts))))
        tokens += texts
    matrix = sp.hstack(blocks, format="csr") if blocks else sp.csr_matrix((user_count, 0), dtype=np.float32)
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return UserAttributes(tokens, matrix)


def tokens_of(user: Mapping[str, object], vocabulary: Mapping[str, int]) -> list[int]:
    """Return the positions of the tokens that a user's attributes have."""
    found = []
    for token, position in vocabulary.items():
        column, threshold, bound = token.partition(_THRESHOLD)
        value = user.get(column if threshold else token.partition("=")[0])
        if value is None:
            continue
        if threshold:
            holds = _number(value) >= float(bound)
        else:
            holds = token.partition("=")[2] in str(value).split("|")
        if holds:
            found.append(position)
    return found


def _number(value: object) -> float:
    """Return a number, also of text as a request's context has it; NaN, which reaches nothing, of others."""
    try:
        return float(str(value))
    except ValueError:
        return math.nan


def lifts_of_users(
    log: InteractionLog, weights: Float32s, users: UserAttributes | None, item_count: int
) -> tuple[list[str], Float32s]:
    """Return the commonest tokens of users and the items' lifts, as `_lifts` does."""
    return _lifts(log, weights, users, log.offsets, item_count)


def lifts_of_contexts(
    log: InteractionLog, weights: Float32s, contexts: UserAttributes | None, item_count: int
) -> tuple[list[str], Float32s]:
    """Return the commonest tokens of interactions and the items' lifts, as `_lifts` does."""
    return _lifts(log, weights, contexts, np.arange(len(log) + 1), item_count)


def _lifts(
    log: InteractionLog,
    weights: Float32s,
    attributes: UserAttributes | None,
    offsets: npt.NDArray[np.int64],
    item_count: int,
) -> tuple[list[str], Float32s]:
    """Return the commonest tokens and log(P(item | token) / P(item)), shape (tokens, items).

    `offsets` tell which interactions of the log belong to each row of the attributes.
    """
    if attributes is None or not attributes.tokens:
        return [], np.zeros((0, item_count), dtype=np.float32)
    most = min(_MOST_TOKENS, _MOST_CELLS // max(item_count, 1))
    counts = np.asarray(attributes.matrix.sum(axis=0)).ravel()
    chosen = np.sort(np.argsort(-counts, kind="stable")[:most])
    shape = (len(offsets) - 1, item_count)
    matrix = sp.csr_matrix((weights, log.items.copy(), offsets.copy()), shape=shape)
    together = np.asarray((attributes.matrix[:, chosen].T @ matrix).todense(), dtype=np.float64)
    shares = np.asarray(matrix.sum(axis=0)).ravel() + 1.0 / max(item_count, 1)
    shares /= shares.sum()
    smoothed = (together + _PRIOR * shares) / (together.sum(axis=1, keepdims=True) + _PRIOR)
    return [attributes.tokens[place] for place in chosen], np.log(smoothed / shares).astype(np.float32)
