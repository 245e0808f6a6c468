"""Work is looked at when it is about to be done: waited too long is little, and so are the looks."""

from __future__ import annotations

import pytest
from pace import pace

FIRST_SECONDS, LONGEST_SECONDS = 30, 300


def waited(last_seconds: float | None, seconds: float) -> tuple[int, float]:
    """Return the looks and the seconds waited too long, by the arithmetic of the states of `EnsureActive`."""
    steps = pace(last_seconds, FIRST_SECONDS)
    pause, following = steps["firstSeconds"], steps["nextSeconds"]
    passed, looks = 0.0, 0
    while passed < seconds:
        if pause > LONGEST_SECONDS and not steps["learnt"]:
            passed += LONGEST_SECONDS
        else:
            passed += pause
            pause, following = following, following + steps["longerSeconds"]
        looks += 1
    return looks, passed - seconds


@pytest.mark.parametrize("hours", [0.25, 1, 6])
@pytest.mark.parametrize("change", [0.95, 1.0, 1.05, 1.1])
def test_what_was_done_before_is_noticed_soon_after_its_end(hours: float, change: float) -> None:
    before = hours * 3600
    looks, late = waited(before, before * change)
    assert looks <= 6
    assert late <= 0.05 * before


def test_what_was_never_done_is_looked_at_more_seldom_as_it_lasts() -> None:
    looks, late = waited(None, 3600)
    assert looks < 25
    assert late <= 300


def test_short_work_is_looked_at_when_it_should_be_done_and_then_no_more_often_than_configured() -> None:
    assert pace(10, FIRST_SECONDS)["firstSeconds"] == 9
    assert pace(10, FIRST_SECONDS)["nextSeconds"] == 30
    assert pace(0.2, FIRST_SECONDS)["firstSeconds"] == 0


def test_an_absurd_duration_makes_no_absurd_wait() -> None:
    assert pace(90 * 86_400, FIRST_SECONDS)["firstSeconds"] <= 12 * 3600
