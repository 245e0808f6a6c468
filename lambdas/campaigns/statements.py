"""The campaign's Athena statements with its coupons, its audience and its parts filled in."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

# Of a line of batch input, beside the user's id and the coupons' ids.
LINE_BYTES = len('{"userId":"","itemList":[]}\n')
COUPON_BYTES = len('"",')
# UNLOAD writes to as many partitions.
MOST_PARTS = 100


def facts_statement(template: str, settings: Mapping[str, Any]) -> str:
    """Return the statement that finds out whether the campaign can be made."""
    return _filled(template, settings)


def audience_statement(template: str, settings: Mapping[str, Any], *, location: str, parts: int) -> str:
    """Return the statement that writes the batch input below `location`, a folder a part."""
    query = _filled(template, settings).replace("/*parts*/ 1", str(parts))
    options = "format = 'TEXTFILE', compression = 'NONE', partitioned_by = ARRAY['part']"
    return f"UNLOAD ({query}) TO {_text(location)} WITH ({options})"


def parts_needed(*, users: int, characters: int, coupons: Sequence[str], bytes_per_job: float) -> int:
    """Return how many batch jobs the input needs. Raises ValueError when that many cannot be written."""
    listed = sum(len(coupon.encode()) + COUPON_BYTES for coupon in coupons)
    parts = max(1, math.ceil((users * (LINE_BYTES + listed) + characters) / bytes_per_job))
    if parts > MOST_PARTS:
        raise ValueError(
            f"{users:,} users x {len(coupons)} coupons need {parts} batch jobs, at most {MOST_PARTS} can be "
            f"written: give coupon_campaign.batch more megabytes_per_job, or the campaign a smaller audience"
        )
    return parts


def _filled(template: str, settings: Mapping[str, Any]) -> str:
    coupons = settings["coupons"]
    chosen = "true" if coupons is None else _is_in("coupons.coupon_id", coupons)
    conditions = [_is_in(column, values) for column, values in sorted(settings["audience"].items())]
    audience = " AND ".join(conditions) or "true"
    return template.replace("/*coupons*/ true", chosen).replace("/*audience*/ true", audience)


def _is_in(column: str, values: Sequence[str]) -> str:
    return f"{column} IN ({', '.join(_text(value) for value in values)})"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
