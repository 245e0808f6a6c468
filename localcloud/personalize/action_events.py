"""The types of an action interaction: taken, not taken, viewed, written as one likes."""

from __future__ import annotations

from localcloud.personalize.errors import InvalidInputError

TAKEN, NOT_TAKEN, VIEWED = "TAKEN", "NOT_TAKEN", "VIEWED"
ACTION_EVENTS = (TAKEN, NOT_TAKEN, VIEWED)


def action_event(event_type: str) -> str:
    """Return an event type in one form: `Not taken` is `NOT_TAKEN`."""
    return event_type.strip().upper().replace(" ", "_").replace("-", "_")


def check_action_event(event_type: str) -> None:
    """Raise InvalidInputError for an event type that actions do not have."""
    if action_event(event_type) not in ACTION_EVENTS:
        raise InvalidInputError(
            f"The eventType of an action interaction is '{event_type}'; "
            "it must be Taken, Not taken or Viewed."
        )
