"""Pages of recommendations: what Personalize says, less what can't be booked, never an error page."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from availability import Availability
from deadline import Deadline
from experiment import TREATMENT, Experiment
from fallback import Catalogue, LastAnswers
from filters import Chosen
from recommender import KEPT, Ranking, Recommender, UnavailableError
from shared.attribution import attribution

MOST_ASKED = 500
# Personalize gives no more items than this with their metadata.
MOST_WITH_METADATA = 50
ASKED_PER_RESULT = 4
FEWEST_ASKED = 25
USUAL = "user-personalization"
POPULAR = "popular"

Answer = dict[str, Any]
Item = dict[str, Any]


@dataclass(frozen=True)
class Wish:
    """What a page shall be: how many items, of which filter, with metadata or not, by when."""

    count: int
    deadline: Deadline
    chosen: Chosen | None = None
    metadata: bool = False
    left_out: frozenset[str] = frozenset()
    context: Mapping[str, str] = field(default_factory=dict)


class Serving:
    """The reading half of the API."""

    def __init__(
        self,
        recommender: Recommender,
        availability: Availability,
        last: LastAnswers,
        catalogue: Catalogue,
        experiment: Experiment | None,
    ) -> None:
        self._recommender = recommender
        self._availability = availability
        self._last = last
        self._catalogue = catalogue
        self._experiment = experiment

    def recommend(self, user_id: str, wish: Wish) -> Answer:
        """Return a page for a user."""
        key, variant = USUAL, None
        if self._experiment is not None:
            variant = self._experiment.variant(user_id)
            key = self._experiment.treatment if variant == TREATMENT else USUAL
        answer = self._recommended(key, user_id, wish)
        return _told(answer, key, variant)

    def similar(self, item_id: str, user_id: str | None, wish: Wish) -> Answer:
        """Return a page of items like one; filters on a user's interactions need the user."""
        subject = {"itemId": item_id} | ({"userId": user_id} if user_id else {})
        try:
            answer = self._page("sims", subject, wish)
        except UnavailableError:
            answer = self._without_personalize([], wish)
        return _told(answer, "sims")

    def rank(
        self, user_id: str, item_ids: list[str], context: Mapping[str, str], deadline: Deadline
    ) -> Answer:
        """Return the given items that can be booked, best for the user first."""
        bookable = list(self._availability.available(item_ids, deadline))
        return self._ranked("personalized-ranking", user_id, bookable, deadline, context)

    def coupons(self, user_id: str, count: int, deadline: Deadline) -> Answer:
        """Return the coupons that the user is likeliest to use."""
        answer = self._ranked("coupon-ranking", user_id, self._catalogue.coupons(deadline), deadline)
        answer["items"] = answer["items"][:count]
        return answer

    def _recommended(self, key: str, user_id: str, wish: Wish) -> Answer:
        if key == POPULAR:
            return self._without_personalize([], wish)
        try:
            answer = self._page(key, {"userId": user_id}, wish)
        except UnavailableError:
            return self._without_personalize(self._last.recall(user_id, wish.deadline), wish)
        if wish.chosen is None and answer["items"]:
            self._last.remember(user_id, [item["itemId"] for item in answer["items"]], wish.deadline)
        return answer

    def _ranked(
        self,
        key: str,
        user_id: str,
        item_ids: list[str],
        deadline: Deadline,
        context: Mapping[str, str] | None = None,
    ) -> Answer:
        if not item_ids:
            return _told(_answer("none", None, []), key)
        try:
            ranking = self._recommender.rank(key, user_id, item_ids, context, deadline)
        except UnavailableError:
            return _told(_answer("given-order", None, [{"itemId": item_id} for item_id in item_ids]), key)
        version = self._recommender.version(key, deadline)
        return _told(_answer("personalize", version, ranking.items, ranking), key)

    def _page(self, key: str, subject: dict[str, str], wish: Wish) -> Answer:
        """Fill a page from Personalize; ask again for all it gives when too little of it can be booked."""
        columns = self._metadata_columns(wish) if wish.metadata else None
        asked = min(max(wish.count * ASKED_PER_RESULT, FEWEST_ASKED), MOST_ASKED)
        if columns:
            asked = min(asked, MOST_WITH_METADATA)
        ranking = self._ask(key, subject, asked, wish, columns)
        items = self._bookable(ranking.items, wish)
        if len(items) < wish.count and asked < MOST_ASKED and len(ranking.items) >= asked:
            ranking, items = self._widened(key, subject, wish, ranking, items)
        answer = _answer("personalize", self._recommender.version(key, wish.deadline), items, ranking)
        if wish.chosen is not None:
            answer["filtered"] = True
        if len(items) < wish.count and (wish.chosen is None or wish.chosen.filter.rules_are_all):
            added = self._popular(wish.count - len(items), items, wish)
            answer["items"] = items + added
            answer["toppedUpWithPopular"] = len(added)
        return answer

    def _widened(
        self, key: str, subject: dict[str, str], wish: Wish, first: Ranking, items: list[Item]
    ) -> tuple[Ranking, list[Item]]:
        """Ask for all; what the first call gave is good, should there be no time or the second fail."""
        if wish.deadline.left(KEPT) <= 0:
            return first, items
        with suppress(UnavailableError):
            ranking = self._ask(key, subject, MOST_ASKED, wish, None)
            if wish.metadata:
                ranking = Ranking(
                    ranking.recommendation_id, self._described(ranking.items, first.items, wish)
                )
            return ranking, self._bookable(ranking.items, wish)
        return first, items

    def _described(self, items: list[Item], described: list[Item], wish: Wish) -> list[Item]:
        """Give items the metadata that is known of them: of a call with metadata, or of the popular items."""
        known = {row["itemId"]: _metadata(row) for row in self._catalogue.popular(wish.deadline)}
        known |= {item["itemId"]: item["metadata"] for item in described if "metadata" in item}
        return [{**item, "metadata": known.get(item["itemId"], {})} for item in items]

    def _ask(
        self, key: str, subject: dict[str, str], count: int, wish: Wish, columns: list[str] | None
    ) -> Ranking:
        return self._recommender.recommend(
            key, subject, count,
            chosen=wish.chosen, metadata=columns, context=wish.context, deadline=wish.deadline,
        )  # fmt: skip

    def _without_personalize(self, stored: list[str], wish: Wish) -> Answer:
        """Return what is stored for the user and then what is popular, as far as the filter lets it."""
        known: list[Item] = [{"itemId": item_id} for item_id in stored]
        if wish.metadata or wish.chosen:
            rows = {row["itemId"]: _metadata(row) for row in self._catalogue.popular(wish.deadline)}
            if wish.chosen is not None:
                known = [item for item in known if wish.chosen.keeps(rows.get(item["itemId"]))]
            if wish.metadata:
                known = [{**item, "metadata": rows.get(item["itemId"], {})} for item in known]
        items = self._bookable(known, wish)
        source = "stored" if items else "popular"
        items += self._popular(wish.count - len(items), items, wish)
        answer = _answer(source, None, items)
        if wish.chosen is not None:
            answer["filtered"] = wish.chosen.filter.rules_are_all
        return answer

    def _bookable(self, items: list[Item], wish: Wish, count: int | None = None) -> list[Item]:
        wanted = wish.count if count is None else count
        by_id = {item["itemId"]: item for item in items if item["itemId"] not in wish.left_out}
        return [by_id[i] for i in islice(self._availability.available(by_id, wish.deadline), wanted)]

    def _popular(self, count: int, present: Iterable[Item], wish: Wish) -> list[Item]:
        """Return popular items of the filter that can be booked and are not on the page yet."""
        there = {item["itemId"] for item in present}
        rows = self._catalogue.popular(wish.deadline) if count else []
        items = [
            _item(row, metadata=wish.metadata)
            for row in rows
            if row["itemId"] not in there and (wish.chosen is None or wish.chosen.keeps(row))
        ]
        return self._bookable(items, wish, count) if items else []

    def _metadata_columns(self, wish: Wish) -> list[str]:
        rows = self._catalogue.popular(wish.deadline)
        return [name.upper() for name in _metadata(rows[0])][:10] if rows else []


def _item(row: Mapping[str, Any], *, metadata: bool) -> Item:
    item: Item = {"itemId": row["itemId"], "score": row["score"]}
    return {**item, "metadata": _metadata(row)} if metadata else item


def _metadata(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in {"itemId", "score"}}


def _answer(source: str, version: str | None, items: list[Item], ranking: Ranking | None = None) -> Answer:
    return {
        "recommendationId": (ranking and ranking.recommendation_id) or f"local-{uuid.uuid4().hex}",
        "modelVersion": version,
        "source": source,
        "items": items,
    }


def _told(answer: Answer, key: str, variant: str | None = None) -> Answer:
    """Say what events of these items are to be attributed to: the recipe asked for, and what answered."""
    answer["attribution"] = attribution(key, answer["source"], variant)
    if variant is not None:
        answer["variant"] = variant
    return answer
