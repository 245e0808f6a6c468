"""EventBridge Scheduler's expressions: checked, and how often they fire."""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator

DAYS_A_MONTH = 365.25 / 12
UNIT_DAYS = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1.0}
MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
FIELDS = 6
COUNTED_YEAR = 2025
LIKE = "cron(0 2 ? * SUN *) or rate(7 days)"

Fires = Callable[[datetime.date], bool]


def times_a_month(expression: str) -> float:
    """Return how often an expression fires in an average month.

    Source: the EventBridge Scheduler user guide, "Schedule types". Raises ValueError for what is none.
    """
    if rate := re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression):
        if int(rate[1]) < 1:
            raise ValueError(f"the rate of {expression!r} must be at least 1")
        return DAYS_A_MONTH / (int(rate[1]) * UNIT_DAYS[rate[2]])
    cron = re.fullmatch(r"cron\((.+)\)", expression)
    fields = cron[1].split() if cron else []
    if len(fields) != FIELDS:
        raise ValueError(f"{expression!r} is no schedule; one is, for example, {LIKE}")
    minutes, hours, day, month, weekday, _year = (field.upper() for field in fields)
    if "?" not in (day, weekday):
        raise ValueError(f"one of day of month and day of week in {expression!r} must be '?'")
    months = _numbers(month, 1, 12, MONTHS)
    fires = _by_day(day) if weekday == "?" else _by_weekday(weekday)
    first = datetime.date(COUNTED_YEAR, 1, 1)
    days = [first + datetime.timedelta(days=count) for count in range(365)]
    matching = sum(one.month in months and fires(one) for one in days)
    return matching * len(_numbers(minutes, 0, 59)) * len(_numbers(hours, 0, 23)) / 12


def _checked(expression: str) -> str:
    times_a_month(expression)
    return expression


Expression = Annotated[str, AfterValidator(_checked)]


def _by_day(field: str) -> Fires:
    if field == "L":
        return lambda date: date.day == calendar.monthrange(date.year, date.month)[1]
    if near := re.fullmatch(r"(\d+)W", field):
        # The weekday nearest to it: once a month, on whichever day.
        return lambda date: date.day == int(near[1])
    days = _numbers(field, 1, 31)
    return lambda date: date.day in days


def _by_weekday(field: str) -> Fires:
    if last := re.fullmatch(r"(\w+)L", field):
        number = _number(last[1], WEEKDAYS)
        return lambda date: (
            _weekday(date) == number and date.day + 7 > calendar.monthrange(date.year, date.month)[1]
        )
    if nth := re.fullmatch(r"(\w+)#([1-5])", field):
        number = _number(nth[1], WEEKDAYS)
        return lambda date: _weekday(date) == number and (date.day - 1) // 7 + 1 == int(nth[2])
    weekdays = _numbers(field, 1, 7, WEEKDAYS)
    return lambda date: _weekday(date) in weekdays


def _weekday(date: datetime.date) -> int:
    """Return 1 for Sunday to 7 for Saturday."""
    return date.isoweekday() % 7 + 1


def _numbers(field: str, low: int, high: int, names: list[str] | None = None) -> set[int]:
    """Return the values that a field (`*`, `1,3`, `MON-FRI`, `0/15`) stands for."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        if span in {"*", "?"}:
            begin, end = low, high
        elif "-" in span:
            begin, end = (_number(text, names) for text in span.split("-", 1))
        else:
            begin = _number(span, names)
            end = high if step else begin
        if not low <= begin <= end <= high or (step and not step.isdigit()):
            raise ValueError(f"{part!r} is not within {low} to {high}")
        found |= set(range(begin, end + 1, int(step or 1)))
    return found


def _number(text: str, names: list[str] | None) -> int:
    if names and text in names:
        return names.index(text) + 1
    if not text.isdigit():
        raise ValueError(f"{text!r} is no number" + (f" and none of {', '.join(names)}" if names else ""))
    return int(text)
