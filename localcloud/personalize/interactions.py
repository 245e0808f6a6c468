"""All interactions of a dataset group as arrays: users one after the other, each in time order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Float32s = npt.NDArray[np.float32]


@dataclass
class InteractionLog:
    """Interactions in the order (user, timestamp, position in the input).

    User u's rows are `offsets[u]:offsets[u + 1]`. `items` and `event_types` are positions in `item_ids` and
    `event_type_names`; `values` are event values, NaN where there is none; timestamps are epoch seconds;
    `table_rows` are the positions in the table that the log was made of.
    """

    user_ids: list[str]
    item_ids: list[str]
    event_type_names: list[str]
    offsets: Int64s
    items: Int32s
    timestamps: Int64s
    event_types: Int32s
    values: Float32s
    table_rows: Int32s | None = None

    @classmethod
    def from_table(cls, table: pa.Table | None) -> InteractionLog:
        """Sort and encode the rows of an Interactions dataset."""
        if table is None or table.num_rows == 0:
            empty = np.zeros(0, dtype=np.int32)
            return cls(
                [],
                [],
                [],
                np.zeros(1, np.int64),
                empty,
                empty.astype(np.int64),
                empty,
                empty.astype(np.float32),
            )
        users, user_ids = _encode(table["USER_ID"])
        items, item_ids = _encode(table["ITEM_ID"])
        timestamps = table["TIMESTAMP"].to_numpy().astype(np.int64)
        if "EVENT_TYPE" in table.column_names:
            event_types, names = _encode(table["EVENT_TYPE"].fill_null(""))
        else:
            event_types, names = np.zeros(len(users), dtype=np.int32), [""]
        values = np.full(len(users), np.nan, dtype=np.float32)
        if "EVENT_VALUE" in table.column_names:
            values = table["EVENT_VALUE"].to_numpy().astype(np.float32)
        order = np.lexsort((timestamps, users))
        users, items, timestamps = users[order], items[order], timestamps[order]
        event_types, values = event_types[order], values[order]
        offsets = np.zeros(len(user_ids) + 1, dtype=np.int64)
        np.cumsum(np.bincount(users, minlength=len(user_ids)), out=offsets[1:])
        return cls(
            user_ids, item_ids, names, offsets, items, timestamps, event_types, values, order.astype(np.int32)
        )

    def __len__(self) -> int:
        return len(self.items)

    @cached_property
    def user_index(self) -> dict[str, int]:
        """Position of each user id."""
        return {user_id: position for position, user_id in enumerate(self.user_ids)}

    @cached_property
    def users(self) -> Int32s:
        """The user of each interaction."""
        return np.repeat(np.arange(len(self.user_ids), dtype=np.int32), np.diff(self.offsets))

    def rows_of(self, user_id: str) -> slice:
        """Return the rows of a user, an empty slice for an unknown one."""
        user = self.user_index.get(user_id)
        return slice(0, 0) if user is None else slice(int(self.offsets[user]), int(self.offsets[user + 1]))

    def select(self, keep: npt.NDArray[np.bool_]) -> InteractionLog:
        """Return the log of the marked interactions; users and items keep their numbers."""
        offsets = np.zeros(len(self.user_ids) + 1, dtype=np.int64)
        np.cumsum(np.bincount(self.users[keep], minlength=len(self.user_ids)), out=offsets[1:])
        return InteractionLog(
            self.user_ids,
            self.item_ids,
            self.event_type_names,
            offsets,
            self.items[keep],
            self.timestamps[keep],
            self.event_types[keep],
            self.values[keep],
            None if self.table_rows is None else self.table_rows[keep],
        )


def _encode(column: Any) -> tuple[Int32s, list[str]]:
    """Return each value's position among the distinct values, and those."""
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32), encoded.dictionary.to_pylist()
