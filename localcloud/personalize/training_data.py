"""From the store to what a recipe learns from: interactions, their weights, metadata tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp

from localcloud.personalize.avro import INTERACTIONS, ITEMS, USERS, Column, DatasetSchema
from localcloud.personalize.interactions import InteractionLog
from localcloud.personalize.quotas import MIN_INTERACTIONS, MIN_USERS_WITH_TWO
from localcloud.personalize.recipes import TrainingData
from localcloud.personalize.recipes.user_attributes import UserAttributes, read_attributes
from localcloud.personalize.store import Store

_NUMBER_BINS = 10
_WORDS = r"[^\pL\pN]+"
_LEAST_DOCUMENTS = 2


class NotEnoughDataError(Exception):
    """There are fewer interactions or users than Personalize trains on."""


@dataclass(frozen=True)
class EventChoice:
    """Which events a solution learns from, and which columns it ignores."""

    event_type: str | None = None
    value_threshold: float | None = None
    events: tuple[dict[str, Any], ...] = ()
    ignored_columns: Mapping[str, frozenset[str]] = field(default_factory=dict)


def prepare(store: Store, choice: EventChoice) -> TrainingData:
    """Return what to learn from.

    Raises NotEnoughDataError in AWS's words.
    """
    log = store.log
    keep, weights = _events_that_count(log, choice)
    log = log.select(keep)
    weights = weights[keep]
    _check_size(log, choice)
    items = store.table(ITEMS)
    schema = store.schema(ITEMS)
    item_ids = list(log.item_ids)
    if items is not None:
        known = set(item_ids)
        item_ids += [item_id for item_id in items["ITEM_ID"].to_pylist() if item_id not in known]
    ignored = choice.ignored_columns.get(ITEMS, frozenset())
    return TrainingData(
        log=log,
        item_ids=item_ids,
        weights=weights,
        features=_features(items, schema, item_ids, ignored),
        created=_creation_times(log, items, item_ids),
        users=_user_attributes(store, log, choice.ignored_columns.get(USERS, frozenset())),
        shown=_shown(store, log, item_ids),
        contexts=_contexts(store, log, choice.ignored_columns.get(INTERACTIONS, frozenset())),
    )


def _user_attributes(store: Store, log: InteractionLog, ignored: frozenset[str]) -> UserAttributes | None:
    users, schema = store.table(USERS), store.schema(USERS)
    if users is None or schema is None:
        return None
    columns = {
        column.name: users[column.name]
        for column in schema.metadata
        if column.name not in ignored and not column.textual
    }
    rows = [log.user_index.get(user_id, -1) for user_id in users["USER_ID"].to_pylist()]
    return read_attributes(columns, np.array(rows, dtype=np.int64), len(log.user_ids))


def _contexts(store: Store, log: InteractionLog, ignored: frozenset[str]) -> UserAttributes | None:
    """Return the contextual metadata of the log's interactions, None without such columns."""
    table, schema = store.table(INTERACTIONS), store.schema(INTERACTIONS)
    if table is None or schema is None or log.table_rows is None:
        return None
    names = [one.name for one in schema.metadata if one.name not in ignored and not one.textual]
    if not names:
        return None
    columns = {name: table[name].take(pa.array(log.table_rows)) for name in names}
    return read_attributes(columns, np.arange(len(log)), len(log))


def _shown(store: Store, log: InteractionLog, item_ids: list[str]) -> npt.NDArray[np.float32] | None:
    """Return how often each item was shown while another one was chosen, None without impressions."""
    table = store.table(INTERACTIONS)
    if table is None or log.table_rows is None or "IMPRESSION" not in table.column_names:
        return None
    lists = pc.split_pattern(table["IMPRESSION"].take(pa.array(log.table_rows)).combine_chunks(), "|")
    places = pc.index_in(pc.list_flatten(lists), value_set=pa.array(item_ids)).fill_null(-1).to_numpy()
    chosen = log.items[pc.list_parent_indices(lists).to_numpy()]
    ignored = places[(places >= 0) & (places != chosen)]
    return np.bincount(ignored, minlength=len(item_ids)).astype(np.float32)


def _events_that_count(
    log: InteractionLog, choice: EventChoice
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float32]]:
    keep = np.ones(len(log), dtype=np.bool_)
    weights = np.ones(len(log), dtype=np.float32)
    events = choice.events
    if choice.event_type is not None:
        events = ({"eventType": choice.event_type, "eventValueThreshold": choice.value_threshold},)
    elif choice.value_threshold is not None and not events:
        keep = ~(log.values < choice.value_threshold)
    if events:
        keep[:] = False
        codes = {name.lower(): code for code, name in enumerate(log.event_type_names)}
        for event in events:
            chosen = log.event_types == codes.get(event["eventType"].lower(), -1)
            threshold = event.get("eventValueThreshold")
            if threshold is not None:
                # An event without a value reaches no threshold.
                chosen &= log.values >= threshold
            keep |= chosen
            weights[chosen] = event.get("weight", 1.0)
    return keep & (weights > 0), weights


def _check_size(log: InteractionLog, choice: EventChoice) -> None:
    if len(log) < MIN_INTERACTIONS:
        after = f" after filtering by event type: {choice.event_type}" if choice.event_type else ""
        raise NotEnoughDataError(
            f"Create failed. Dataset has fewer than {MIN_INTERACTIONS} interactions{after}; "
            f"it has {len(log)}."
        )
    users = int((np.diff(log.offsets) >= 2).sum())  # noqa: PLR2004 - AWS's rule is about pairs
    if users < MIN_USERS_WITH_TWO:
        raise NotEnoughDataError(
            f"Create failed. Dataset has fewer than {MIN_USERS_WITH_TWO} users with at least 2 interactions "
            f"each; it has {users}."
        )


def item_numbers(store: Store, item_ids: list[str], column: str) -> npt.NDArray[np.float64]:
    """Return a column of numbers of the Items dataset for some items, NaN where there is none."""
    result = np.full(len(item_ids), np.nan)
    items, schema = store.table(ITEMS), store.schema(ITEMS)
    if items is not None and schema is not None:
        numbers = pc.cast(items[schema.exact_name(column)], pa.float64()).to_numpy()
        result[_places_of(items, item_ids)] = numbers
    return result


def _places_of(items: pa.Table, item_ids: list[str]) -> npt.NDArray[np.int64]:
    """Return the place that each row of the Items dataset has among all items."""
    index = {item_id: position for position, item_id in enumerate(item_ids)}
    return np.array([index[item_id] for item_id in items["ITEM_ID"].to_pylist()], dtype=np.int64)


def _creation_times(
    log: InteractionLog, items: pa.Table | None, item_ids: list[str]
) -> npt.NDArray[np.int64]:
    """Return each item's CREATION_TIMESTAMP, else its first interaction, else 0."""
    never = np.iinfo(np.int64).max
    created = np.full(len(item_ids), never, dtype=np.int64)
    np.minimum.at(created, log.items, log.timestamps)
    created[created == never] = 0
    if items is not None and "CREATION_TIMESTAMP" in items.column_names:
        known = items["CREATION_TIMESTAMP"].is_valid().to_numpy()
        timestamps = items["CREATION_TIMESTAMP"].drop_null().to_numpy()
        created[_places_of(items, item_ids)[known]] = timestamps
    return created


def _features(
    items: pa.Table | None, schema: DatasetSchema | None, item_ids: list[str], ignored: frozenset[str]
) -> sp.csr_matrix:
    """Return items x tokens (categories, words, bins of numbers), by rarity, rows of length 1."""
    if items is None or schema is None:
        return sp.csr_matrix((len(item_ids), 1), dtype=np.float32)
    rows = _places_of(items, item_ids)
    blocks = [
        _tokens_of(items[column.name], column, rows, len(item_ids))
        for column in schema.metadata
        if column.name not in ignored
    ]
    blocks = [block for block in blocks if block.shape[1]]
    if not blocks:
        return sp.csr_matrix((len(item_ids), 1), dtype=np.float32)
    matrix = sp.hstack(blocks, format="csr")
    documents = np.asarray((matrix > 0).sum(axis=0)).ravel()
    matrix = matrix @ sp.diags(np.log(1.0 + len(item_ids) / (1.0 + documents)))
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return (sp.diags(1.0 / np.maximum(lengths, 1e-9)) @ matrix).tocsr().astype(np.float32)


def _bins(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the decile of each number."""
    if len(numbers) == 0:
        return np.zeros(0, dtype=np.int64)
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, _NUMBER_BINS + 1)[1:-1]))
    return np.searchsorted(edges, numbers).astype(np.int64)


def _tokens_of(
    values: pa.ChunkedArray, column: Column, rows: npt.NDArray[np.int64], item_count: int
) -> sp.csr_matrix:
    values = values.combine_chunks()
    if column.is_number:
        numbers = values.to_numpy(zero_copy_only=False).astype(np.float64)
        places = np.flatnonzero(~np.isnan(numbers))
        codes = _bins(numbers[places])
    else:
        texts = pc.cast(values, pa.string())
        if column.textual:
            lists = pc.split_pattern_regex(pc.utf8_lower(texts), _WORDS)
        else:
            lists = pc.split_pattern(texts, "|")
        places = pc.list_parent_indices(lists).to_numpy()
        flat = pc.list_flatten(lists).dictionary_encode()
        codes = flat.indices.to_numpy(zero_copy_only=False)
    width = int(codes.max()) + 1 if len(codes) else 0
    ones = np.ones(len(codes), dtype=np.float32)
    matrix = sp.csr_matrix((ones, (rows[places], codes)), shape=(item_count, width))
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix
