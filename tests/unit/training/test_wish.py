"""The execution input is taken whole or refused with what there is."""

from __future__ import annotations

from typing import Any

import pytest
from wish import TrainingRefused, read_wish

RECIPES = [
    {"key": "user-personalization", "recipe": "aws-user-personalization", "dataset_group": "main"},
    {"key": "sims", "recipe": "aws-sims", "dataset_group": "main"},
    {"key": "popularity", "recipe": "aws-popularity-count", "dataset_group": "main"},
    {"key": "coupon-ranking", "recipe": "aws-personalized-ranking", "dataset_group": "coupons"},
    {"key": "coupon-popularity", "recipe": "aws-popularity-count", "dataset_group": "coupons"},
]


def test_an_empty_input_trains_everything_in_full() -> None:
    wish = read_wish({}, RECIPES)
    assert wish.recipes == {recipe["key"] for recipe in RECIPES}
    assert (wish.mode, wish.tune, wish.compare) == ("FULL", False, False)


def test_named_recipes_are_trained_with_the_baseline_on_their_data() -> None:
    assert read_wish({"recipes": ["sims"]}, RECIPES).recipes == {"sims", "popularity"}
    assert read_wish({"mode": "UPDATE"}, RECIPES).recipes == {"user-personalization", "popularity"}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"recipes": ["simms"]}, "recipes names 'simms'; there are: user-personalization, sims"),
        ({"recipes": ["sims"], "mode": "UPDATE"}, "'sims', which is always trained in full"),
        ({"recipes": "sims"}, "recipes = 'sims'; it is a list of"),
        ({"recipes": []}, r"recipes = \[\]"),
        ({"mode": "PARTIAL"}, "mode = 'PARTIAL'; it is one of: FULL, UPDATE"),
        ({"tunes": True}, "no field 'tunes'; there are: compare, manifestUri, mode, recipes, tune"),
    ],
)
def test_what_there_is_not_is_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(TrainingRefused, match=says):
        read_wish(given, RECIPES)
