"""An execution's input laid over the configured defaults; whatever is wrong with it is said at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], str | None]
OBJECTIVES = ("redemptions", "margin")
EVERY_COUPON = "all"


class CampaignRefused(Exception):  # noqa: N818 - the name is the error that the execution shows
    """The campaign cannot be made as it was asked for; the message says what would be right."""


def with_defaults(
    defaults: Mapping[str, Any], given: Mapping[str, Any], audience_columns: list[str]
) -> dict[str, Any]:
    """Return the campaign's settings: the defaults, `coupons` and `audience`, and over them what is given.

    `coupons` becomes a list of ids, or None for all; `audience` {column: values}, {} for everybody. Raises
    CampaignRefused with every problem there is.
    """
    checks = _checks(audience_columns)
    problems = [
        f"{name} is no setting of a campaign; there are: {', '.join(sorted(checks))}"
        for name in sorted(given.keys() - checks.keys())
    ]
    for name in sorted(given.keys() & checks.keys()):
        problem = checks[name](given[name])
        if problem:
            problems.append(f"{name} {problem}, not {given[name]!r}")
    if problems:
        raise CampaignRefused("; ".join(problems))
    settings = {**defaults, "coupons": None, "audience": {}, **given}
    settings["coupons"] = _coupon_ids(settings["coupons"])
    settings["audience"] = {
        column: [values] if isinstance(values, str) else values
        for column, values in (settings["audience"] or {}).items()
    }
    if settings["objective"] == "margin" and not settings["margin"]:
        raise CampaignRefused("objective 'margin' needs coupon_campaign.margin in the configuration")
    return settings


def check_facts(settings: Mapping[str, Any], facts: Mapping[str, list[str]]) -> None:
    """Hold the settings to the data: `facts` are the values by fact of `campaign_facts.sql`.

    Raises CampaignRefused when a coupon is unknown or no longer valid, or nobody or nothing is left.
    """
    asked, offered = settings["coupons"], set(facts.get("offered", []))
    known = set(facts.get("known", []))
    problems = []
    # Only coupons that were asked for are looked up, and all of them where none was.
    for name, ids in (("coupons", asked or []), ("stock", settings["stock"] if asked is None else [])):
        unknown = [coupon for coupon in ids if coupon not in known]
        if unknown:
            problems.append(f"{name} names coupons that do not exist: {', '.join(unknown)}")
    expired = [coupon for coupon in asked or [] if coupon in known and coupon not in offered]
    if expired:
        problems.append(f"coupons names some that are no longer valid: {', '.join(expired)}")
    if not problems and not offered:
        problems.append("no coupon is valid on the last day of the data; load coupons that are")
    if not int(facts["users"][0]):
        problems.append(f"the audience {settings['audience'] or 'of everybody'} is empty")
    if problems:
        raise CampaignRefused("; ".join(problems))


def _checks(audience_columns: list[str]) -> dict[str, Check]:
    return {
        "budget": _number("must be a number above 0", lambda value: value > 0),
        "cost_per_coupon": _number("must be a number above 0", lambda value: value > 0),
        "coupons_per_user": _whole("must be a whole number of at least 1"),
        "stock_per_coupon": lambda value: value and _whole("must be a whole number of at least 1")(value),
        "stock": _stock,
        "minimum_probability": _share,
        "leave_out_organic_above": lambda value: None if value is None else _share(value),
        "control_share": lambda value: (
            "must be a number of at least 0 and below 1" if value == 1 else _share(value)
        ),
        "seed": _whole("must be a whole number", least=None),
        "objective": lambda value: None if value in OBJECTIVES else f"must be one of {', '.join(OBJECTIVES)}",
        "coupons": _coupons,
        "audience": lambda value: _audience(value, audience_columns),
    }


def _number(says: str, is_right: Callable[[float], bool]) -> Check:
    def check(value: Any) -> str | None:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return None if is_number and is_right(value) else says

    return check


def _whole(says: str, least: int | None = 1) -> Check:
    def check(value: Any) -> str | None:
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        return None if is_whole and (least is None or value >= least) else says

    return check


_share = _number("must be a number between 0 and 1", lambda value: 0 <= value <= 1)


def _stock(value: Any) -> str | None:
    says = "must map coupon ids to whole numbers of at least 1"
    if not isinstance(value, dict):
        return says
    return says if any(_whole(says)(number) for number in value.values()) else None


def _coupons(value: Any) -> str | None:
    is_list = isinstance(value, list) and all(isinstance(one, str) for one in value)
    if value in (None, EVERY_COUPON) or ((is_list or isinstance(value, str)) and _coupon_ids(value)):
        return None
    return "must be a list of coupon ids, or a text of ids separated by commas"


def _coupon_ids(value: str | list[str] | None) -> list[str] | None:
    if value in (None, EVERY_COUPON):
        return None
    ids = value.split(",") if isinstance(value, str) else value
    return list(dict.fromkeys(one.strip() for one in ids if one.strip()))


def _audience(value: Any, columns: list[str]) -> str | None:
    says = f"must map some of {', '.join(columns)} to a value or a list of values"
    if not isinstance(value, dict) or not set(value) <= set(columns):
        return says
    for values in value.values():
        listed = [values] if isinstance(values, str) else values
        if not isinstance(listed, list) or not listed or not all(isinstance(one, str) for one in listed):
            return says
    return None
