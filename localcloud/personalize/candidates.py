"""The items that a model can recommend, as a filter sees them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from localcloud.personalize.avro import ITEMS, USERS, DatasetSchema
from localcloud.personalize.filters.columns import CategoryColumn, NumberColumn, Value, column_of
from localcloud.personalize.group_data import GroupData
from localcloud.personalize.history import MOST_RECENT, History
from localcloud.personalize.recipes import Model


class ItemColumns:
    """Columns of the items dataset in the order of a model's items, made once a version of the data."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._lock = threading.Lock()
        self._version = -1
        self._items: dict[str, dict[str, Any]] = {}
        self._columns: dict[str, CategoryColumn | NumberColumn] = {}

    def refresh(self, data: GroupData) -> None:
        """Forget what was derived when the data has changed since."""
        with self._lock:
            version = data.version
            if version != self._version:
                self._items = data.items()
                self._columns = {}
                self._version = version

    def item(self, item_id: str) -> dict[str, Any]:
        """Return the attributes of an item, empty for an unknown one."""
        return self._items.get(item_id, {})

    def column(self, name: str, schema: DatasetSchema) -> CategoryColumn | NumberColumn:
        """Return a column over all items of the model."""
        with self._lock:
            if name not in self._columns:
                values = [self._items.get(item_id, {}).get(name) for item_id in self._model.item_ids]
                self._columns[name] = column_of(values, schema.column(name))
            return self._columns[name]


@dataclass
class ItemCandidates:
    """A model's items for one request: filters.Candidates."""

    model: Model
    columns: ItemColumns
    schemas: Mapping[str, DatasetSchema]
    history: History
    user: Mapping[str, Any] = field(default_factory=dict)
    item_id: str | None = None

    @property
    def size(self) -> int:
        """Number of items."""
        return len(self.model.item_ids)

    def column(self, name: str) -> CategoryColumn | NumberColumn:
        """Return a metadata column."""
        schema = self.schemas.get(ITEMS)
        if schema is None:
            raise ValueError("The dataset group has no Items dataset any more.")
        return self.columns.column(schema.exact_name(name), schema)

    def interacted(self, event_types: frozenset[str] | None) -> npt.NDArray[np.bool_]:
        """Mark the items of the user's recent interactions of these types."""
        mask = np.zeros(self.size, dtype=np.bool_)
        index = self.model.item_index
        for item_id in self.history.items_of_types(event_types, MOST_RECENT):
            if item_id in index:
                mask[index[item_id]] = True
        return mask

    def user_value(self, name: str) -> Value:
        """Return an attribute of the user."""
        value: Value = self.user.get(_exact_name(self.schemas, USERS, name))
        return value

    def item_value(self, name: str) -> Value:
        """Return an attribute of the item of the request."""
        value: Value = self.columns.item(self.item_id or "").get(_exact_name(self.schemas, ITEMS, name))
        return value


def _exact_name(schemas: Mapping[str, DatasetSchema], dataset_type: str, name: str) -> str:
    """Return a column's name as its schema writes it."""
    schema = schemas.get(dataset_type)
    return name if schema is None else schema.exact_name(name)
