"""One campaign's (or batch job's) model in service: histories, filters and scores come together here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from localcloud.personalize.avro import ITEMS, DatasetSchema
from localcloud.personalize.candidates import ItemCandidates, ItemColumns
from localcloud.personalize.errors import InvalidInputError
from localcloud.personalize.filters import FilterExpression, allowed
from localcloud.personalize.filters.columns import NumberColumn
from localcloud.personalize.group_data import GroupData
from localcloud.personalize.history import History
from localcloud.personalize.objective import Objective, with_objective
from localcloud.personalize.recipes import Exploration, Model, Query, Recipe, explore
from localcloud.personalize.recipes.top import top_items

Mask = npt.NDArray[np.bool_]
Float32s = npt.NDArray[np.float32]

_USERS_AT_ONCE = 256


@dataclass(frozen=True)
class Scored:
    """An item with its score, and the name of the promotion that put it there."""

    item_id: str
    score: float
    promotion: str | None = None


class Server:
    """Answers from one model on the data of its dataset group."""

    def __init__(
        self,
        model: Model,
        recipe: Recipe,
        data: GroupData,
        schemas: Mapping[str, DatasetSchema],
        objective: Objective | None = None,
    ) -> None:
        self.model = model
        self.recipe = recipe
        self.data = data
        self._schemas = schemas
        self._objective = objective
        self._columns = ItemColumns(model)

    def candidates(self, user_id: str | None, item_id: str | None) -> ItemCandidates:
        """Return the items as the filters of one request see them."""
        self._columns.refresh(self.data)
        history = self.data.history(user_id) if user_id else History([], [], [], [])
        user = self.data.user(user_id) if user_id else {}
        return ItemCandidates(self.model, self._columns, self._schemas, history, user, item_id)

    def mask(
        self, expression: FilterExpression | None, candidates: ItemCandidates, values: Mapping[str, str]
    ) -> Mask:
        """Return which items a filter lets through, all without one.

        Raises InvalidInputError for missing or wrong filter values.
        """
        if expression is None:
            return np.ones(candidates.size, dtype=np.bool_)
        try:
            return allowed(expression, candidates, values)
        except ValueError as error:
            raise InvalidInputError(str(error)) from error

    def logits(self, candidates: ItemCandidates, context: Mapping[str, object] | None = None) -> Float32s:
        """Return the model's logits for all items."""
        query = replace(self._query(candidates), context=context or {})
        return self._optimised(self.model.scores(query))

    def logits_of_many(self, several: Sequence[ItemCandidates]) -> Float32s:
        """Return the model's logits for some requests, shape (requests, items)."""
        return self._optimised(self.model.scores_of_many([self._query(candidates) for candidates in several]))

    def _optimised(self, logits: Float32s) -> Float32s:
        """Return logits with the emphasis of the solution's objective, if it has one."""
        if self._objective is None or ITEMS not in self._schemas:
            return logits
        schema = self._schemas[ITEMS]
        column = self._columns.column(schema.exact_name(self._objective.column), schema)
        assert isinstance(column, NumberColumn)  # noqa: S101 - CreateSolution takes no other
        return with_objective(logits, column.values, self._objective.emphasis)

    def _query(self, candidates: ItemCandidates) -> Query:
        index = self.model.item_index
        known = [index[item_id] for item_id in candidates.history.item_ids if item_id in index]
        item = index.get(candidates.item_id) if candidates.item_id is not None else None
        return Query(np.array(known, dtype=np.int32), item, candidates.user)

    def recommend(
        self,
        candidates: ItemCandidates,
        logits: Float32s,
        mask: Mask,
        count: int,
        exploration: Exploration | None = None,
    ) -> list[Scored]:
        """Return the best items that the mask allows, some explored; scores are shares of all items."""
        item_ids = self.model.item_ids
        highest = logits.max(initial=-np.inf)
        total = np.exp(logits - highest).sum()
        if candidates.item_id is not None and candidates.item_id in self.model.item_index:
            mask = mask.copy()
            mask[self.model.item_index[candidates.item_id]] = False
        positions = np.flatnonzero(mask)
        best = positions[top_items(logits[positions], count)]
        if exploration is not None and self.recipe.explores:
            best = explore(self.model, logits, best, mask, exploration, np.random.default_rng())
        shares = np.exp(logits[best] - highest) / total
        return [Scored(item_ids[place], share) for place, share in zip(best, shares.tolist(), strict=True)]

    def promote(
        self, items: list[Scored], promoted: list[Scored], promotion: str, count: int
    ) -> list[Scored]:
        """Return `count` items of which the promoted ones, in their order, take places chosen at random."""
        names = {item.item_id for item in promoted}
        others = [item for item in items if item.item_id not in names][: count - len(promoted)]
        total = len(promoted) + len(others)
        places = (
            set(np.random.default_rng().choice(total, len(promoted), replace=False).tolist())
            if promoted
            else set()
        )
        queues = iter(replace(item, promotion=promotion) for item in promoted), iter(others)
        return [next(queues[0] if place in places else queues[1]) for place in range(total)]

    def rank(self, logits: Float32s, mask: Mask, item_ids: Sequence[str]) -> list[Scored]:
        """Return the given items, best first; scores sum to 1; unknown items come last with 0."""
        index = self.model.item_index
        known = [item_id for item_id in dict.fromkeys(item_ids) if item_id in index and mask[index[item_id]]]
        unknown = [item_id for item_id in dict.fromkeys(item_ids) if item_id not in index]
        if not known:
            return [Scored(item_id, 0.0) for item_id in unknown]
        chosen = logits[[index[item_id] for item_id in known]]
        shares = np.exp(chosen - chosen.max())
        shares /= shares.sum()
        order = np.argsort(-shares, kind="stable")
        return [Scored(known[place], float(shares[place])) for place in order] + [
            Scored(item_id, 0.0) for item_id in unknown
        ]

    def user_ids(self) -> list[str]:
        """Return all users with interactions."""
        return self.data.user_ids()

    def all_shares(self, user_ids: Sequence[str], path: Path) -> npt.NDArray[np.float32]:
        """Return each user's probabilities of the next item, shape (users, items), in a file of that size."""
        shape = (len(user_ids), len(self.model.item_ids))
        shares = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
        for start in range(0, len(user_ids), _USERS_AT_ONCE):
            block = [self.candidates(user_id, None) for user_id in user_ids[start : start + _USERS_AT_ONCE]]
            shares[start : start + len(block)] = softmax(self.logits_of_many(block), axis=1)
        return shares

    def metadata(self, item_id: str, columns: Sequence[str]) -> dict[str, str]:
        """Return the named columns of an item as text, those that it has."""
        item: dict[str, Any] = self._columns.item(item_id)
        return {name: str(item[name]) for name in columns if item.get(name) is not None}
