"""What one user did, oldest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from localcloud.personalize.interactions import InteractionLog
from localcloud.personalize.stream import StreamedEvent

# AWS: "up to 100 of the most recent interactions per user per event type".
MOST_RECENT = 100


@dataclass(frozen=True)
class History:
    """Interactions of one user in time order, as parallel lists; `event_values` may be NaN."""

    item_ids: list[str]
    timestamps: list[int]
    event_types: list[str]
    event_values: list[float]

    @classmethod
    def of(cls, log: InteractionLog, rows: slice, streamed: Sequence[StreamedEvent]) -> History:
        """Join a user's rows of the log with what was streamed since."""
        item_ids = [log.item_ids[item] for item in log.items[rows].tolist()]
        timestamps = log.timestamps[rows].tolist()
        event_types = [log.event_type_names[kind] for kind in log.event_types[rows].tolist()]
        event_values = log.values[rows].tolist()
        for event in streamed:
            item_ids.append(event.item_id)
            timestamps.append(event.timestamp)
            event_types.append(event.event_type)
            event_values.append(event.event_value)
        if (
            streamed
            and len(timestamps) > len(streamed)
            and timestamps[-len(streamed)] < timestamps[-len(streamed) - 1]
        ):
            order = sorted(range(len(timestamps)), key=timestamps.__getitem__)
            item_ids, timestamps, event_types, event_values = (
                [column[place] for place in order]
                for column in (item_ids, timestamps, event_types, event_values)
            )
        return cls(item_ids, timestamps, event_types, event_values)

    def items_of_types(self, event_types: frozenset[str] | None, most_recent: int) -> set[str]:
        """Return the items of the newest `most_recent` interactions of each of these (lower case) types.

        None stands for every type.
        """
        counts: dict[str, int] = {}
        found: set[str] = set()
        for item_id, event_type in zip(reversed(self.item_ids), reversed(self.event_types), strict=True):
            kind = event_type.lower()
            if event_types is None or kind in event_types:
                counts[kind] = counts.get(kind, 0) + 1
                if counts[kind] <= most_recent:
                    found.add(item_id)
        return found
