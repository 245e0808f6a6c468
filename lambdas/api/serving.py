"""Pages of recommendations: what Personalize says, less what can't be booked, never an error page."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from availability import Availability
from fallback import Catalogue, LastAnswers
from recommender import Ranking, Recommender, UnavailableError
from settings import Filter

MOST_ASKED = 500
ASKED_PER_RESULT = 4
FEWEST_ASKED = 25

Answer = dict[str, Any]


class Serving:
    """The reading half of the API."""

    def __init__(
        self, recommender: Recommender, availability: Availability, last: LastAnswers, catalogue: Catalogue
    ) -> None:
        self._recommender = recommender
        self._availability = availability
        self._last = last
        self._catalogue = catalogue

    def recommend(
        self, user_id: str, count: int, chosen: tuple[Filter, dict[str, str]] | None, *, metadata: bool
    ) -> Answer:
        """Return a page for a user."""
        try:
            answer = self._page("user-personalization", {"userId": user_id}, count, chosen, metadata=metadata)
        except UnavailableError:
            return self._without_personalize(self._last.recall(user_id), count, metadata=metadata)
        if chosen is None and answer["items"]:
            self._last.remember(user_id, [item["itemId"] for item in answer["items"]])
        return answer

    def similar(self, item_id: str, count: int, *, metadata: bool) -> Answer:
        """Return a page of items like one, the item itself left out."""
        try:
            return self._page(
                "sims", {"itemId": item_id}, count, None, metadata=metadata, left_out=frozenset((item_id,))
            )
        except UnavailableError:
            return self._without_personalize([], count, metadata=metadata, left_out=frozenset((item_id,)))

    def rank(self, user_id: str, item_ids: list[str]) -> Answer:
        """Return the given items that can be booked, best for the user first."""
        bookable = list(self._availability.available(item_ids))
        return self._ranked("personalized-ranking", user_id, bookable)

    def coupons(self, user_id: str, count: int) -> Answer:
        """Return the coupons that the user is likeliest to use."""
        answer = self._ranked("coupon-ranking", user_id, self._catalogue.coupons)
        answer["items"] = answer["items"][:count]
        return answer

    def _ranked(self, key: str, user_id: str, item_ids: list[str]) -> Answer:
        if not item_ids:
            return _answer("none", None, [])
        try:
            ranking = self._recommender.rank(key, user_id, item_ids)
        except UnavailableError:
            return _answer("given-order", None, [{"itemId": item_id} for item_id in item_ids])
        return _answer("personalize", self._recommender.version(key), ranking.items, ranking)

    def _page(
        self,
        key: str,
        subject: dict[str, str],
        count: int,
        chosen: tuple[Filter, dict[str, str]] | None,
        *,
        metadata: bool,
        left_out: frozenset[str] = frozenset(),
    ) -> Answer:
        """Fill a page from Personalize; ask again for all it gives when too little of it can be booked."""
        columns = self._metadata_columns() if metadata else None
        asked = min(max(count * ASKED_PER_RESULT, FEWEST_ASKED), MOST_ASKED)
        ranking = self._recommender.recommend(key, subject, asked, chosen, columns)
        items = self._bookable(ranking.items, count, left_out)
        if len(items) < count and asked < MOST_ASKED and len(ranking.items) >= asked:
            # What the first call gave is good, should the second fail.
            with suppress(UnavailableError):
                ranking = self._recommender.recommend(key, subject, MOST_ASKED, chosen, columns)
                items = self._bookable(ranking.items, count, left_out)
        answer = _answer("personalize", self._recommender.version(key), items, ranking)
        if len(items) < count and chosen is None:
            present = left_out | {item["itemId"] for item in items}
            added = self._popular(count - len(items), present, metadata=metadata)
            answer["items"] = items + added
            answer["toppedUpWithPopular"] = len(added)
        return answer

    def _without_personalize(
        self, stored: list[str], count: int, *, metadata: bool, left_out: frozenset[str] = frozenset()
    ) -> Answer:
        known = [{"itemId": item_id} for item_id in stored]
        items = self._bookable(known, count, left_out)
        source = "stored" if items else "popular"
        present = left_out | {item["itemId"] for item in items}
        items += self._popular(count - len(items), present, metadata=metadata)
        return _answer(source, None, items)

    def _bookable(
        self, items: list[dict[str, Any]], count: int, left_out: frozenset[str]
    ) -> list[dict[str, Any]]:
        by_id = {item["itemId"]: item for item in items if item["itemId"] not in left_out}
        page: list[dict[str, Any]] = []
        for item_id in self._availability.available(by_id):
            page.append(by_id[item_id])
            if len(page) == count:
                break
        return page

    def _popular(self, count: int, left_out: Iterable[str], *, metadata: bool) -> list[dict[str, Any]]:
        rows = self._catalogue.popular if count else []
        items = [
            {
                "itemId": row["itemId"],
                "score": row["score"],
                **({"metadata": _metadata(row)} if metadata else {}),
            }
            for row in rows
        ]
        return self._bookable(items, count, frozenset(left_out)) if items else []

    def _metadata_columns(self) -> list[str]:
        rows = self._catalogue.popular
        return [name.upper() for name in _metadata(rows[0])][:10] if rows else []


def _metadata(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in {"itemId", "score"}}


def _answer(
    source: str, version: str | None, items: list[dict[str, Any]], ranking: Ranking | None = None
) -> Answer:
    return {
        "recommendationId": (ranking and ranking.recommendation_id) or f"local-{uuid.uuid4().hex}",
        "modelVersion": version,
        "source": source,
        "items": items,
    }
