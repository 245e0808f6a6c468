"""Personalize's PutEvents, PutUsers and PutItems: tried again when they fail, one by one when refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from messages import Message
from shared.clients import client
from shared.error_code import error_code

ATTEMPTS = 2
PAUSE_SECONDS = 0.05
READ_SECONDS = 2.0
# A call is not begun when the function may be stopped before it ends.
NEEDED_SECONDS = ATTEMPTS * (READ_SECONDS + 1)
# Answers about what was sent: sending the same again can't help, sending less of it can.
REFUSALS = {"InvalidInputException", "ValidationException"}

Request = Callable[[list[Message]], dict[str, Any]]


class Delivery:
    """One invocation's calls; `failed` maps the ids of messages that are to come again to the reason."""

    def __init__(self, failed: dict[str, str], seconds_left: Callable[[], float]) -> None:
        self._failed = failed
        self._seconds_left = seconds_left
        self.refused = False

    def send(self, operation: str, group: list[Message], request: Request) -> None:
        """Send a group by a call; of a group that Personalize refuses only those at fault fail."""
        error = self._call(operation, request(group))
        if error is None:
            return
        if error in REFUSALS and len(group) > 1:
            for message in group:
                self.send(operation, [message], request)
            return
        self.refused = self.refused or error in REFUSALS
        self._failed.update({message.id: error for message in group})

    def _call(self, operation: str, parameters: dict[str, Any]) -> str | None:
        """Return None once it succeeded, else the code of the error."""
        error = "OutOfTime"
        for attempt in range(ATTEMPTS):
            if self._seconds_left() < NEEDED_SECONDS:
                break
            if attempt:
                time.sleep(PAUSE_SECONDS)
            try:
                getattr(client("personalize-events", READ_SECONDS, 1), operation)(**parameters)
            except (ClientError, BotoCoreError) as failure:
                error = error_code(failure)
                if error in REFUSALS:
                    break
            else:
                return None
        return error
