"""Which campaign gave which recommendation, for events that name a recommendationId."""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict

# As many as are remembered; AWS's stay valid for some days.
_REMEMBERED = 200_000


class RecommendationLog:
    """Recommendation ids with their campaign; the oldest are forgotten first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._given: OrderedDict[str, str] = OrderedDict()

    def record(self, campaign_arn: str) -> str:
        """Return the id of a new recommendation."""
        recommendation_id = f"RID-{uuid.uuid4()}"
        with self._lock:
            self._given[recommendation_id] = campaign_arn
            if len(self._given) > _REMEMBERED:
                self._given.popitem(last=False)
        return recommendation_id

    def campaign(self, recommendation_id: str | None) -> str | None:
        """Return the ARN of the campaign that gave a recommendation, None when it is not known."""
        return self._given.get(recommendation_id or "")
