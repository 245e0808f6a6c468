"""Amazon Personalize behind bounded waits and a circuit breaker."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from deadline import Deadline
from filters import Chosen
from shared.clients import within
from shared.user_names import UserNames

ATTEMPTS = 3
PAUSE_SECONDS = 0.02
# Shares of the time budget: what is kept for the fallback, and the longest wait for a model's version.
KEPT = 0.4
VERSION_SHARE = 0.1
LEAST_SECONDS = 0.05
FAILURES_TO_OPEN = 5
OPEN_SECONDS = 10.0
VERSION_SECONDS = 60.0
# Answers about the request, not about the service's health.
REFUSALS = {"InvalidInputException", "ResourceNotFoundException"}


class UnavailableError(Exception):
    """Personalize does not answer now; the caller has something else to say."""


@dataclass(frozen=True)
class Ranking:
    """What Personalize answered: items best first, each with itemId, and score and metadata where given."""

    recommendation_id: str
    items: list[dict[str, Any]]


class Breaker:
    """Stops asking a campaign that failed several times running, and asks it again after a while."""

    def __init__(self) -> None:
        self._failures = 0
        self._open_until = 0.0

    def check(self) -> None:
        """Raise UnavailableError while the campaign is not to be asked."""
        if self._open_until > time.monotonic():
            raise UnavailableError("the campaign failed several times just now")

    def failed(self) -> None:
        """Count a failure."""
        self._failures += 1
        if self._failures >= FAILURES_TO_OPEN:
            self._open_until = time.monotonic() + OPEN_SECONDS

    def succeeded(self) -> None:
        """Forget the failures."""
        self._failures = 0


class Recommender:
    """The campaigns of the deployment, by recipe key."""

    def __init__(self, campaigns: dict[str, str], user_names: UserNames) -> None:
        self._campaigns = campaigns
        self._user_names = user_names
        self._breakers = {key: Breaker() for key in campaigns}
        self._versions: dict[str, tuple[float, str | None]] = {}

    def recommend(
        self,
        key: str,
        subject: dict[str, str],
        count: int,
        *,
        chosen: Chosen | None,
        metadata: list[str] | None,
        context: Mapping[str, str],
        deadline: Deadline,
    ) -> Ranking:
        """Return up to `count` items for `subject` ({"userId"} or {"itemId"}, or both).

        Raises UnavailableError when Personalize does not answer in time or refuses.
        """
        parameters: dict[str, Any] = {"campaignArn": self._campaigns[key], "numResults": count, **subject}
        if chosen is not None:
            parameters["filterArn"] = chosen.filter.arn
            if chosen.values:
                parameters["filterValues"] = chosen.for_personalize()
        if metadata:
            parameters["metadataColumns"] = {"ITEMS": metadata}
        if context:
            parameters["context"] = context
        answer = self._ask(key, "get_recommendations", parameters, deadline)
        return Ranking(answer.get("recommendationId", ""), answer["itemList"])

    def rank(
        self,
        key: str,
        user_id: str,
        item_ids: list[str],
        context: Mapping[str, str] | None,
        deadline: Deadline,
    ) -> Ranking:
        """Return the given items, best for the user first. Raises UnavailableError."""
        parameters: dict[str, Any] = {
            "campaignArn": self._campaigns[key], "userId": user_id, "inputList": item_ids,
        }  # fmt: skip
        if context:
            parameters["context"] = context
        answer = self._ask(key, "get_personalized_ranking", parameters, deadline)
        return Ranking(answer.get("recommendationId", ""), answer["personalizedRanking"])

    def version(self, key: str, deadline: Deadline) -> str | None:
        """Return the ARN of the solution version that the campaign serves; None when that can't be read."""
        until, arn = self._versions.get(key, (0.0, None))
        if until > time.monotonic():
            return arn
        seconds = deadline.left(1 - VERSION_SHARE - KEPT)
        if seconds < LEAST_SECONDS:
            return arn
        try:
            campaign = within("personalize", seconds).describe_campaign(campaignArn=self._campaigns[key])
            arn = campaign["campaign"]["solutionVersionArn"]
        except (ClientError, BotoCoreError):
            arn = None
        self._versions[key] = (time.monotonic() + VERSION_SECONDS, arn)
        return arn

    def _ask(
        self, key: str, operation: str, parameters: dict[str, Any], deadline: Deadline
    ) -> dict[str, Any]:
        """Ask once, and again after a failure that came fast enough to leave time for it."""
        breaker = self._breakers[key]
        breaker.check()
        reason: Exception | None = None
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(PAUSE_SECONDS * attempt)
            seconds = deadline.left(KEPT)
            if seconds < LEAST_SECONDS:
                break
            try:
                if not self._user_names.is_ready:
                    self._user_names.read(within("secretsmanager", seconds))
                    seconds = deadline.left(KEPT)
                answer: dict[str, Any] = getattr(within("personalize-runtime", seconds), operation)(
                    **self._named(parameters)
                )
            except ClientError as error:
                if error.response["Error"]["Code"] in REFUSALS:
                    raise UnavailableError(str(error)) from error
                reason = error
            except BotoCoreError as error:
                reason = error
            else:
                breaker.succeeded()
                return answer
        breaker.failed()
        raise UnavailableError(str(reason or "no time is left")) from reason

    def _named(self, parameters: dict[str, Any]) -> dict[str, Any]:
        if "userId" not in parameters:
            return parameters
        return {**parameters, "userId": self._user_names.of(parameters["userId"])}
