"""The sequential model: what it keeps of the training, and how it scores histories with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from localcloud.personalize.recipes.base import BlockModel, Float32s, Query
from localcloud.personalize.recipes.fused import add_read, add_rows
from localcloud.personalize.recipes.held_out import SHORT
from localcloud.personalize.recipes.histories import OWN_VIEWS, Histories
from localcloud.personalize.recipes.next_factors import next_profiles
from localcloud.personalize.recipes.regression import DECAY as REGRESSION_DECAY
from localcloud.personalize.recipes.user_attributes import tokens_of

# The views in the order of their weights.
VIEWS = (
    "popularity",
    "attributes",
    "context",
    "following",
    "log following",
    "next",
    "log next",
    "preceding",
    "ease",
    "regression",
    "factors",
    "next factors",
    "metadata",
    "own lately",
    "own",
    "own often",
    "own slowly fading",
    "own of an item that is repeated",
    "own of a user who repeats",
)
# These can speak against an item: popular ones rank too high elsewhere, and many an item is had but once.
# What the others find speaks for it; a weight below 0 would be chance, a costly one where data is thin.
SIGNED = {"popularity", *(view for view in VIEWS if view.startswith("own"))}
# The arrays of weights: of long histories, and of those of at most SHORT interactions.
WEIGHTS = ("weights", "weights_of_short")
FACTORS = ("factors", "next factors")
_TRANSITION_DECAY = 4.0
_STEP_DECAY = 1.0
_EASE_DECAY = 10.0
_FACTOR_DECAY = 20.0
_METADATA_DECAY = 5.0
_LEAST_TRANSITION = 1e-5
# EASE and the factors, which know no order, gain from more of the history.
_LONGER = 2


class SequenceModel(BlockModel):
    """Views of histories and their weights.

    Arrays: `transitions`, `steps`, `preceding` and `features` (CSR), `ease` and `regression` of `ease_items`,
    `factors_in` and `next_in` (with `next_lags`) of histories, `factors_out` of items (one beside the other),
    `log_popularity`, `log_repeats`, `user_tokens` with `user_lifts`, `context_tokens` with `context_lifts`,
    `cold_items` with `stand_ins` (CSR), `blank_items`, of which nothing is known,
    and `weights` and `weights_of_short`, one a view each.
    """

    KIND = "sequence"

    def views(self, queries: Sequence[Query]) -> Iterator[Float32s]:
        """Yield each view of the queries, shape (queries, items) or one that broadcasts to it.

        What `scores` adds up at once, one by one: the weights are learned from them.
        """
        histories = self._histories(queries)
        shape = (len(queries), len(self.item_ids))
        yield self._array("log_popularity")[None, :]
        yield self._lift("user", [query.user for query in queries])
        yield self._lift("context", [query.context for query in queries])
        for name, decay in (("transitions", _TRANSITION_DECAY), ("steps", _STEP_DECAY)):
            found = (histories.fading(1, decay) @ self._matrix(name)).toarray()
            yield found
            yield np.log(found + _LEAST_TRANSITION)
        yield (histories.fading(1, _TRANSITION_DECAY) @ self._matrix("preceding")).toarray()
        covered = self._array("ease_items")
        for name, decay in (("ease", _EASE_DECAY), ("regression", REGRESSION_DECAY)):
            view = np.zeros(shape, dtype=np.float32)
            view[:, covered] = histories.fading(_LONGER, decay)[:, covered] @ self._array(name)
            yield view
        factors, following = self._factor_profiles(histories)
        rank = factors.shape[1]
        yield factors @ self._array("factors_out")[:, :rank].T
        yield following @ self._array("factors_out")[:, rank:].T
        yield (self._profiles(histories) @ self._matrix("tokens")).toarray()
        places, values = histories.own(self._array("log_repeats"))
        for value in values:
            view = np.zeros(shape, dtype=np.float32)
            view.reshape(-1)[places] = value
            yield view

    def _vocabulary(self, kind: str) -> dict[str, int]:
        """Return the positions of the tokens of users or contexts, made once."""
        made: dict[str, dict[str, int]] = self.__dict__.setdefault("_vocabularies", {})
        if kind not in made:
            made[kind] = {str(token): place for place, token in enumerate(self.arrays[f"{kind}_tokens"])}
        return made[kind]

    def _histories(self, queries: Sequence[Query]) -> Histories:
        return Histories(queries, len(self.item_ids), int(self.settings["bptt"]))

    def _write_block(self, queries: Sequence[Query], logits: Float32s) -> None:
        """Write the logits, those of short histories by their own weights."""
        short = np.array([len(query.history) <= SHORT for query in queries])
        if short.all() or not short.any():
            self._write_logits(queries, logits, self._array(WEIGHTS[int(short[0])]))
            return
        for name, chosen in zip(WEIGHTS, (~short, short), strict=True):
            places = np.flatnonzero(chosen)
            part = np.empty((len(places), logits.shape[1]), dtype=np.float32)
            self._write_logits([queries[place] for place in places.tolist()], part, self._array(name))
            logits[places] = part

    def _write_logits(self, queries: Sequence[Query], logits: Float32s, weight_of_views: Float32s) -> None:
        """Write the weighted sum of the views of the queries, and what is known of the others."""
        weights = dict(zip(VIEWS, weight_of_views.tolist(), strict=True))
        histories = self._histories(queries)
        # The factors first: their product is written where the others are added.
        parts = zip(FACTORS, self._factor_profiles(histories), strict=True)
        profiles = np.hstack([np.float32(weights[name]) * profile for name, profile in parts])
        np.matmul(profiles, self._array("factors_out").T, out=logits)
        logits += np.float32(weights["popularity"]) * self._array("log_popularity")
        if self._vocabulary("user") and weights["attributes"]:
            logits += np.float32(weights["attributes"]) * self._lift("user", [one.user for one in queries])
        lately = histories.fading(1, _TRANSITION_DECAY)
        following = weights["following"], weights["log following"], _LEAST_TRANSITION
        add_read(logits, lately, self._matrix("transitions"), *following)
        add_read(logits, lately, self._matrix("preceding"), weights["preceding"])
        step = weights["next"], weights["log next"], _LEAST_TRANSITION
        add_read(logits, histories.fading(1, _STEP_DECAY), self._matrix("steps"), *step)
        covered = self._array("ease_items")
        for name, decay in (("ease", _EASE_DECAY), ("regression", REGRESSION_DECAY)):
            add_rows(logits, histories.fading(_LONGER, decay), covered, self._array(name), weights[name])
        add_read(logits, self._profiles(histories), self._matrix("tokens"), weights["metadata"])
        places, values = histories.own(self._array("log_repeats"))
        logits.reshape(-1)[places] += weight_of_views[-OWN_VIEWS:] @ values
        self._write_strangers(queries, logits)
        if self._vocabulary("context") and weights["context"]:
            logits += np.float32(weights["context"]) * self._lift("context", [one.context for one in queries])
        self._write_unknown_items(logits)

    def _write_strangers(self, queries: Sequence[Query], logits: Float32s) -> None:
        """Write the logits of users without a history."""
        strangers = [place for place, query in enumerate(queries) if len(query.history) == 0]
        if strangers:
            # The weights are those of users with a history: without one, popularity among users alike is the
            # best.
            lift = self._lift("user", [queries[place].user for place in strangers])
            logits[strangers] = self._array("log_popularity") + lift

    def _write_unknown_items(self, logits: Float32s) -> None:
        """Write the logits of items without interactions."""
        cold = self._array("cold_items")
        if len(cold):
            logits[:, cold] = (self._matrix("stand_ins") @ logits.T).T
        blank = self._array("blank_items")
        if len(blank):
            logits[:, blank] = logits.min(axis=1, keepdims=True)

    def _array(self, name: str) -> npt.NDArray[Any]:
        return np.asarray(self.arrays[name])

    def _matrix(self, name: str) -> sp.csr_matrix:
        """Return a CSR matrix of the model, made once; `tokens` are the features by token."""
        made: dict[str, sp.csr_matrix] = self.__dict__.setdefault("_made", {})
        if name not in made:
            if name == "tokens":
                made[name] = self._matrix("features").T.tocsr()
            else:
                parts = tuple(self._array(f"{name}_{part}") for part in ("data", "indices", "indptr"))
                width = int(self.settings["features_width"]) if name == "features" else len(self.item_ids)
                made[name] = sp.csr_matrix(parts, shape=(len(parts[2]) - 1, width))
        return made[name]

    def _factor_profiles(self, histories: Histories) -> tuple[Float32s, Float32s]:
        """Return the histories' factors, of ALS and of the next item."""
        return (
            histories.fading(_LONGER, _FACTOR_DECAY) @ self._array("factors_in"),
            next_profiles(histories.rows, self._array("next_in"), self._array("next_lags")),
        )

    def _profiles(self, histories: Histories) -> sp.csr_matrix:
        """Return the metadata of the histories, queries x tokens."""
        return histories.fading(1, _METADATA_DECAY) @ self._matrix("features")

    def _lift(self, kind: str, several: Sequence[Mapping[str, object]]) -> Float32s:
        """Return the mean lift of items over the tokens that each user, or context, has."""
        result = np.zeros((len(several), len(self.item_ids)), dtype=np.float32)
        if vocabulary := self._vocabulary(kind):
            for place, attributes in enumerate(several):
                if attributes and (tokens := tokens_of(attributes, vocabulary)):
                    result[place] = self.arrays[f"{kind}_lifts"][tokens].mean(axis=0)
        return result
