"""The users of a dataset group, as a filter of a batch segment job sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from localcloud.personalize.avro import USERS, DatasetSchema
from localcloud.personalize.filters.columns import CategoryColumn, NumberColumn, Value, column_of
from localcloud.personalize.group_data import GroupData
from localcloud.personalize.history import MOST_RECENT


class UserCandidates:
    """All users, as rows: filters.Candidates."""

    def __init__(
        self, user_ids: Sequence[str], data: GroupData, schemas: Mapping[str, DatasetSchema]
    ) -> None:
        self._user_ids = user_ids
        self._data = data
        self._schemas = schemas
        self._rows: list[Mapping[str, Any]] | None = None

    @property
    def size(self) -> int:
        """Number of users."""
        return len(self._user_ids)

    def column(self, name: str) -> CategoryColumn | NumberColumn:
        """Return a metadata column."""
        if self._rows is None:
            self._rows = [self._data.user(user_id) for user_id in self._user_ids]
        schema = self._schemas[USERS]
        exact = schema.exact_name(name)
        return column_of([row.get(exact) for row in self._rows], schema.column(name))

    def interacted(self, event_types: frozenset[str] | None) -> npt.NDArray[np.bool_]:
        """Mark the users with recent interactions of these types."""
        found = [
            bool(self._data.history(user_id).items_of_types(event_types, MOST_RECENT))
            for user_id in self._user_ids
        ]
        return np.array(found, dtype=np.bool_)

    def user_value(self, name: str) -> Value:
        """Say that there is no current user."""
        raise ValueError(f"CurrentUser.{name} cannot be used with user segments.")

    def item_value(self, name: str) -> Value:
        """Say that there is no current item."""
        raise ValueError(f"CurrentItem.{name} cannot be used with user segments.")
