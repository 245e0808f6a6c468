"""The sequential model: what it keeps of the training, and how it scores histories with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache

import numpy as np
import scipy.sparse as sp

from localcloud.personalize.recipes.base import Float32s, Model, Query
from localcloud.personalize.recipes.user_attributes import tokens_of

_TRANSITION_DECAY = 4.0
_EASE_DECAY = 10.0
_FACTOR_DECAY = 20.0
_METADATA_DECAY = 5.0
_OWN_DECAY = 5.0
_LEAST_TRANSITION = 1e-5
# Interactions this many decays ago weigh less than a hundredth: they are not read.
_NEGLIGIBLE = 4.6
# EASE and the factors, which know no order, gain from more of the history.
_LONGER = 2
_CELLS_AT_ONCE = 2_000_000


class SequenceModel(Model):
    """Views of histories and their weights.

    Arrays: `transitions`, `preceding` and `features` (CSR), `ease` with `ease_items`, `factors_in` and
    `factors_out`, `log_popularity`, `user_tokens` with `user_lifts`, `cold_items` with `stand_ins` (CSR),
    `blank_items`, of which nothing is known, and `weights`, one a view.
    """

    KIND = "sequence"

    def scores(self, query: Query) -> Float32s:
        """Return logits for all items."""
        result: Float32s = self.scores_of_many([query])[0]
        return result

    def scores_of_many(self, queries: Sequence[Query]) -> Float32s:
        """Return logits, shape (queries, items)."""
        logits = np.empty((len(queries), len(self.item_ids)), dtype=np.float32)
        at_once = max(_CELLS_AT_ONCE // max(len(self.item_ids), 1), 1)
        for start in range(0, len(queries), at_once):
            block = queries[start : start + at_once]
            logits[start : start + len(block)] = self._logits(block)
        return logits

    def views(self, queries: Sequence[Query]) -> Iterator[Float32s]:
        """Yield each view of the queries, shape (queries, items) or one that broadcasts to it."""
        forward = self._read("transitions", queries, 1, _TRANSITION_DECAY).toarray()
        yield forward
        yield np.log(forward + _LEAST_TRANSITION)
        yield self._read("preceding", queries, 1, _TRANSITION_DECAY).toarray()
        yield self._ease(queries)
        yield (self._histories(queries, _LONGER, _FACTOR_DECAY) @ self.arrays["factors_in"]) @ np.asarray(
            self.arrays["factors_out"]
        ).T
        profiles = self._histories(queries, 1, _METADATA_DECAY) @ self._matrix("features")
        yield np.asarray((self._matrix("features") @ profiles.T).todense()).T
        yield np.asarray(self.arrays["log_popularity"])[None, :]
        own = self._histories(queries, 1, _OWN_DECAY, total=None)
        yield own.toarray()
        yield (self._histories(queries, None, np.inf, total=None) > 0).toarray().astype(np.float32)
        yield self._lift(queries)

    @cached_property
    def _vocabulary(self) -> dict[str, int]:
        return {str(token): position for position, token in enumerate(self.arrays["user_tokens"])}

    def _logits(self, queries: Sequence[Query]) -> Float32s:
        weights = np.asarray(self.arrays["weights"])
        logits = np.zeros((len(queries), len(self.item_ids)), dtype=np.float32)
        for weight, view in zip(weights, self.views(queries), strict=True):
            logits += weight * view
        strangers = [place for place, query in enumerate(queries) if len(query.history) == 0]
        if strangers:
            # The weights are those of users with a history: without one, popularity among users alike is the
            # best.
            lift = self._lift([queries[place] for place in strangers])
            logits[strangers] = np.asarray(self.arrays["log_popularity"]) + lift
        cold = np.asarray(self.arrays["cold_items"])
        if len(cold):
            logits[:, cold] = (self._matrix("stand_ins") @ logits.T).T
        blank = np.asarray(self.arrays["blank_items"])
        if len(blank):
            logits[:, blank] = logits.min(axis=1, keepdims=True)
        return logits

    def _matrix(self, name: str) -> sp.csr_matrix:
        """Return a CSR matrix of the model, made once."""
        made: dict[str, sp.csr_matrix] = self.__dict__.setdefault("_made", {})
        if name not in made:
            parts = tuple(np.asarray(self.arrays[f"{name}_{part}"]) for part in ("data", "indices", "indptr"))
            width = int(self.settings["features_width"]) if name == "features" else len(self.item_ids)
            made[name] = sp.csr_matrix(parts, shape=(len(parts[2]) - 1, width))
        return made[name]

    def _histories(
        self, queries: Sequence[Query], times: int | None, decay: float, total: float | None = 1.0
    ) -> sp.csr_matrix:
        """Return queries x items: exp(-lag / decay) of the last `times` * bptt interactions, or of all.

        Each row is scaled to sum to `total`, if there is one.
        """
        rows = [query.history for query in queries]
        if times is not None:
            window = min(times * int(self.settings["bptt"]), int(decay * _NEGLIGIBLE) + 1)
            rows = [row[-window:] for row in rows]
        weights = [_fading(len(row), decay, total) for row in rows]
        indptr = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
        return sp.csr_matrix(
            (np.concatenate(weights), np.concatenate(rows), indptr), shape=(len(rows), len(self.item_ids))
        )

    def _read(self, name: str, queries: Sequence[Query], times: int, decay: float) -> sp.csr_matrix:
        return self._histories(queries, times, decay) @ self._matrix(name)

    def _ease(self, queries: Sequence[Query]) -> Float32s:
        result = np.zeros((len(queries), len(self.item_ids)), dtype=np.float32)
        covered = np.asarray(self.arrays["ease_items"])
        histories = self._histories(queries, _LONGER, _EASE_DECAY)
        result[:, covered] = histories[:, covered] @ np.asarray(self.arrays["ease"])
        return result

    def _lift(self, queries: Sequence[Query]) -> Float32s:
        """Return the mean lift of items over the tokens of each user's attributes."""
        result = np.zeros((len(queries), len(self.item_ids)), dtype=np.float32)
        if self._vocabulary:
            for place, query in enumerate(queries):
                if tokens := tokens_of(query.user, self._vocabulary):
                    result[place] = self.arrays["user_lifts"][tokens].mean(axis=0)
        return result


@lru_cache(maxsize=1_024)
def _fading(count: int, decay: float, total: float | None) -> Float32s:
    """Return weights exp(-lag / decay), the newest last."""
    weights = np.exp(-np.arange(count - 1, -1, -1, dtype=np.float32) / np.float32(decay))
    if total is not None and count:
        weights *= total / weights.sum()
    result: Float32s = weights.astype(np.float32)
    return result
