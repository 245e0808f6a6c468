"""Sums over the time before a moment, for many users and moments at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Ints = NDArray[np.integer]

DAY_SECONDS = 86_400.0
DAYS = (14, 30, 60, 120, 365)
# How fast what happened last is forgotten.
RECENCY_DAYS = (30, 120)


@dataclass(frozen=True)
class Before:
    """Each row that lies before a moment of its key: `row`, `moment` and `age_days` have an entry for each.

    A key is a user, or a user and campaign. `moments` is how many moments there are.
    """

    row: Ints
    moment: Ints
    age_days: Floats
    moments: int

    def some(self, wanted: NDArray[np.bool_]) -> Before:
        """Return some of the entries."""
        return Before(self.row[wanted], self.moment[wanted], self.age_days[wanted], self.moments)

    def total(self, measure: Floats | None = None) -> Floats:
        """Return (moments,) the sum of a measure of the rows, or how many rows there are."""
        weights = None if measure is None else measure[self.row]
        return np.bincount(self.moment, weights=weights, minlength=self.moments).astype(np.float64)

    def distinct(self, values: Ints) -> Floats:
        """Return (moments,) how many different values (codes from 0, one a row) the rows have."""
        span = int(values.max()) + 1 if len(values) else 1
        keys = np.unique(self.moment * span + values[self.row])
        return np.bincount(keys // span, minlength=self.moments).astype(np.float64)

    def columns(
        self, name: str, measures: Mapping[str, Floats], days: tuple[int, ...] = DAYS
    ) -> dict[str, Floats]:
        """Return the logarithms of 1 + the sums of each measure over each window, by `name_measure_days`."""
        found: dict[str, Floats] = {}
        part = self
        for window in sorted(days, reverse=True):
            part = part.some(part.age_days <= window)
            for measure, values in measures.items():
                found[f"{name}_{measure}_{window}"] = np.log1p(part.total(values))
        return found

    def recency(self, name: str, is_counted: NDArray[np.bool_] | None = None) -> dict[str, Floats]:
        """Return how lately a row (that counts) was, 1 for now to 0 for never, by `name_recency_days`."""
        part = self if is_counted is None else self.some(is_counted[self.row])
        age = np.full(self.moments, np.inf)
        np.minimum.at(age, part.moment, part.age_days)
        return {f"{name}_recency_{days}": np.exp(-age / days) for days in RECENCY_DAYS}


def before(row_key: Ints, row_time: Ints, moment_key: Ints, moment_time: Ints) -> Before:
    """Return which rows lie before which moments of the same key; nothing at or after a moment is seen."""
    order = np.argsort(row_key, kind="stable")
    ordered = row_key[order]
    first, last = (np.searchsorted(ordered, moment_key, side) for side in ("left", "right"))
    counts = last - first
    moment = np.repeat(np.arange(len(moment_key)), counts)
    within = np.arange(len(moment)) - np.repeat(np.cumsum(counts) - counts, counts)
    row = order[np.repeat(first, counts) + within]
    seconds = moment_time[moment] - row_time[row]
    everything = Before(row, moment, seconds / DAY_SECONDS, len(moment_key))
    return everything.some(seconds > 0)
