"""The report of the other setting says how old what is recommended is, and how much of it is the same."""

from __future__ import annotations

import pytest
from comparison import DEPTH, ages, answers_of, other_setting, overlap

DAY = 86_400
CREATED = {"new": 100 * DAY, "young": 90 * DAY, "old": 0}


def test_the_setting_is_turned_round_and_the_rest_stays() -> None:
    assert other_setting({"bptt": "9", "recency_mask": "false"}) == {"bptt": "9", "recency_mask": "true"}
    assert other_setting({"bptt": "9"}) == {"bptt": "9", "recency_mask": "false"}, "the default is true"


def test_ages_are_counted_back_from_the_newest_item() -> None:
    assert ages({"u1": ["new", "old"], "u2": ["young", "unknown"]}, CREATED) == {
        "medianDays": 10.0,
        "meanDays": pytest.approx(36.67),
        "shareUnder30Days": pytest.approx(0.6667),
    }


def test_items_without_a_time_make_no_age() -> None:
    with pytest.raises(ValueError, match="CREATION_TIMESTAMP"):
        ages({"u1": ["unknown"]}, CREATED)


def test_what_two_versions_have_in_common_is_counted_user_by_user() -> None:
    assert overlap({"u1": ["a", "b"], "u2": ["c", "d"]}, {"u1": ["b", "a"], "u2": ["x", "d"]}) == 0.75
    assert overlap({}, {"u1": ["a"]}) == 0


def test_answers_with_an_error_are_left_out_and_long_ones_cut() -> None:
    many = [f"i{number}" for number in range(40)]
    lines = [
        {"input": {"userId": "u1"}, "output": {"recommendedItems": many}, "error": None},
        {"input": {"userId": "u2"}, "output": None, "error": "no such user"},
    ]
    assert answers_of(lines) == {"u1": many[:DEPTH]}
