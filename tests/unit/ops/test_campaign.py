"""A campaign's report says what was planned, and afterwards what came of it against the control group."""

from __future__ import annotations

import csv
import io
import math
import re
from typing import Any

import pytest

from ops.campaign import asked_settings
from ops.campaign_outcome import Group, Outcome, cumulated
from ops.campaign_page import as_csv, page, summary
from ops.errors import OperatorError

REPORT: dict[str, Any] = {
    "campaignRun": "r<1>", "asOf": 100, "issued": 300, "users": 290, "audience": 1000,
    "cost": 900.0, "budget": 1000.0, "expectedRedemptions": 60.0,
    "costOfSendingAll": 9000.0, "expectedRedemptionsOfSendingAll": 150.0,
    "costSaved": 8100.0, "controlUsers": 100, "optimality": {"method": "lagrangian", "gap": 0.0004},
    "liftCurve": [
        {"coupons": 0, "cost": 0.0, "expectedRedemptions": 0.0},
        {"coupons": 3000, "cost": 9000.0, "expectedRedemptions": 150.0},
    ],
}  # fmt: skip


def group(treatment: str, coupon: str, segment: str, **values: float) -> Group:
    given = {"coupons": 100, "cost": 300.0, "expected": 20.0, "organic": 5.0, "redeemed": 30, "bought": 40}
    return Group(treatment, coupon, segment, **(given | values))  # type: ignore[arg-type]


def outcome(*, observed: bool) -> Outcome:
    groups = [
        group("sent", "C1", "frequent"),
        group("sent", "C1", "never", redeemed=0, bought=10),
        group("sent", "C2", "never", redeemed=15, bought=10),
        group("control", "C1", "never", coupons=50, redeemed=1, bought=6),
    ]
    return Outcome(REPORT, groups, [(100, 40.0, 35), (200, 20.0, 10)], observed=observed)


def test_the_effect_is_the_difference_to_the_control_with_its_uncertainty() -> None:
    effect = outcome(observed=True).effect("redeemed")
    assert (effect.sent_share, effect.control_share) == (45 / 300, 1 / 50)
    assert effect.additional == pytest.approx(300 * (0.15 - 0.02))
    assert effect.half_width == pytest.approx(1.96 * math.sqrt(0.15 * 0.85 / 300 + 0.02 * 0.98 / 50))


def test_without_a_control_group_there_is_a_share_and_no_crash() -> None:
    alone = Outcome(REPORT, outcome(observed=True).groups[:2], [], observed=True)
    assert alone.effect("bought").control_share == 0
    assert "real redemptions" in dict(summary(alone))


def test_before_the_events_are_in_nothing_is_said_of_them() -> None:
    early, late = (dict(summary(outcome(observed=observed))) for observed in (False, True))
    assert "real redemptions" not in early
    assert late["real redemptions"] == "45"
    assert "prepare the data again" in page("travel", outcome(observed=False))
    assert "of control redeemed" not in page("travel", outcome(observed=False))


def test_the_page_needs_nothing_else_and_escapes_what_it_shows() -> None:
    written = page("travel", outcome(observed=True))
    assert "r&lt;1&gt;" in written
    assert "r<1>" not in written
    assert not re.search(r"""(src|href)=|@import|url\(""", written)
    assert written.count("<svg") == 4
    assert not re.search(r"nan|inf[^o]", written)


def test_a_curve_grows_to_the_totals() -> None:
    expected, real = cumulated(outcome(observed=True).curve)
    assert expected[-1] == (300, 60.0)
    assert real == [(0.0, 0.0), (100, 35.0), (300, 45.0)]


def test_the_csv_has_a_line_a_group_coupon_and_segment() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(outcome(observed=True)))))
    assert [(row["treatment"], row["coupon_id"], row["segment"]) for row in rows] == [
        ("sent", "C1", "frequent"),
        ("sent", "C1", "never"),
        ("sent", "C2", "never"),
        ("control", "C1", "never"),
    ]
    assert sum(int(row["redeemed"]) for row in rows) == 46


def test_settings_are_read_as_json_or_text() -> None:
    asked = asked_settings(["budget=50.5", "coupons=C1,C2", 'audience={"home_city": ["DEL"]}'])
    assert asked == {"budget": 50.5, "coupons": "C1,C2", "audience": {"home_city": ["DEL"]}}
    with pytest.raises(OperatorError, match="'budget' is no setting; write name=value"):
        asked_settings(["budget"])
