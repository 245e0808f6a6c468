"""When a schedule is due: rate, cron and at expressions in a time zone.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import calendar
import math
import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

EXPRESSION = re.compile(r"(rate|cron|at)\((.+)\)")
RATE = re.compile(r"([1-9]\d*) (minute|hour|day)s?")
MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
# AWS counts from Sunday, which is 1.
WEEKDAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
CRON_FIELDS = 6
SATURDAY = 5
DAYS_SEARCHED = 366 * 8


def next_time(expression: str, zone: str, *, after: datetime, since: datetime) -> datetime | None:
    """Return the first due time later than `after`, in UTC, or None when there is none any more.

    A rate counts its intervals from `since`. Raises ValueError for an expression that AWS would not take.
    """
    found = EXPRESSION.fullmatch(expression.strip())
    if found is None:
        raise ValueError(f"{expression!r} is no rate(...), cron(...) or at(...)")
    kind, content = found.groups()
    if kind == "rate":
        return _next_of_rate(content, after, since)
    if kind == "at":
        due = _as_utc(datetime.fromisoformat(content), ZoneInfo(zone))
        return due if due is not None and due > after else None
    return _next_of_cron(content.split(), ZoneInfo(zone), after)


def _next_of_rate(content: str, after: datetime, since: datetime) -> datetime:
    found = RATE.fullmatch(content)
    if found is None:
        raise ValueError(f"rate({content}) is not a number of minutes, hours or days")
    interval = timedelta(**{f"{found[2]}s": int(found[1])})
    return since + interval * max(1, math.floor((after - since) / interval) + 1)


def _next_of_cron(fields: list[str], zone: ZoneInfo, after: datetime) -> datetime | None:
    if len(fields) != CRON_FIELDS:
        raise ValueError(f"cron({' '.join(fields)}) has {len(fields)} fields and needs {CRON_FIELDS}")
    minutes, hours = _numbers(fields[0], 0, 59), _numbers(fields[1], 0, 23)
    months, years = _numbers(fields[3], 1, 12, MONTHS), _numbers(fields[5], 1970, 2199)
    first = after.astimezone(zone).date()
    for offset in range(DAYS_SEARCHED):
        day = first + timedelta(days=offset)
        if day.year not in years or day.month not in months or not _fits_day(day, fields[2], fields[4]):
            continue
        times = (datetime(day.year, day.month, day.day, h, m) for h in sorted(hours) for m in sorted(minutes))  # noqa: DTZ001
        for local in times:
            due = _as_utc(local, zone)
            if due is not None and due > after:
                return due
    return None


def _as_utc(local: datetime, zone: ZoneInfo) -> datetime | None:
    """Return a local time in UTC; None for one that a change to summer time leaves out, which AWS skips."""
    due = local.replace(tzinfo=zone).astimezone(UTC)
    return due if due.astimezone(zone).replace(tzinfo=None) == local else None


def _fits_day(day: date, of_month: str, of_week: str) -> bool:
    if (of_month == "?") == (of_week == "?"):
        raise ValueError("one of a cron expression's day-of-month and day-of-week must be ?, and only one")
    return _fits_day_of_month(day, of_month) if of_week == "?" else _fits_day_of_week(day, of_week)


def _fits_day_of_month(day: date, field: str) -> bool:
    last = calendar.monthrange(day.year, day.month)[1]
    if field == "L":
        return day.day == last
    if field.endswith("W"):
        wanted = day.replace(day=last if field == "LW" else min(int(field[:-1]), last))
        return day == _nearest_weekday(wanted, last)
    return day.day in _numbers(field, 1, 31)


def _nearest_weekday(day: date, last: int) -> date:
    """Return the working day nearest to `day` in the same month."""
    if day.weekday() < SATURDAY:
        return day
    if day.weekday() == SATURDAY:
        return day - timedelta(days=1) if day.day > 1 else day + timedelta(days=2)
    return day + timedelta(days=1) if day.day < last else day - timedelta(days=2)


def _fits_day_of_week(day: date, field: str) -> bool:
    weekday = day.isoweekday() % 7 + 1
    if "#" in field:
        wanted, which = field.split("#")
        return weekday == _number(wanted, WEEKDAYS) and (day.day - 1) // 7 + 1 == int(which)
    if field.endswith("L") and field != "L":
        is_last = day.day + 7 > calendar.monthrange(day.year, day.month)[1]
        return is_last and weekday == _number(field[:-1], WEEKDAYS)
    return weekday in ({WEEKDAYS["SAT"]} if field == "L" else _numbers(field, 1, 7, WEEKDAYS))


def _numbers(field: str, lowest: int, highest: int, names: dict[str, int] | None = None) -> set[int]:
    """Return what a cron field stands for: `*`, lists, ranges and steps. Raises ValueError out of range."""
    result: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        low = lowest if span == "*" else _number(first, names)
        high = highest if span == "*" or (step and not last) else _number(last or first, names)
        if not lowest <= low <= high <= highest:
            raise ValueError(f"{field!r} is not within {lowest} to {highest}")
        result.update(range(low, high + 1, int(step or 1)))
    return result


def _number(text: str, names: dict[str, int] | None) -> int:
    return (names or {}).get(text.upper()) or int(text)
