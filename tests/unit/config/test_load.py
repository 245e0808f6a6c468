"""A configuration is taken whole or refused with the field, the value and what would be right."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import config


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write a copy of the travel configuration with one value changed, and load it."""
    loading = sys.modules["config.load"]
    values = yaml.safe_load((loading.CONFIG_DIR / "travel.yaml").read_text())
    monkeypatch.setattr(loading, "CONFIG_DIR", tmp_path)

    def write_and_load(path: str, value: Any) -> config.ProjectConfig:
        *parents, last = path.split(".")
        section = values
        for parent in parents:
            section = section.setdefault(parent, {})
        section[last] = value
        (tmp_path / "travel.yaml").write_text(yaml.safe_dump(values))
        return config.load("travel")

    return write_and_load


@pytest.mark.parametrize("name", ["travel", "complete_journey"])
@pytest.mark.parametrize("overlay", [None, "localcloud"])
def test_every_deployment_is_valid_with_and_without_its_overlay(name: str, overlay: str | None) -> None:
    project = config.load(name, overlay)
    assert project.compute.functions.runtime == ("host" if overlay else "python3.13")


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("name", "Travel App", "name = 'Travel App'"),
        ("coupon_campaign.budget", -5, "coupon_campaign.budget = -5: Input should be greater than 0"),
        ("coupon_campaign.control_share", 1.5, "less than 1"),
        ("training.waiting.first_seconds", 0, "training.waiting.first_seconds = 0"),
        ("compute.functions.runtime", "python2.7", "compute.functions.runtime = 'python2.7'"),
        ("serving.authorization", "none", "serving.authorization = 'none'"),
        ("serving.context", [{"column": "colour", "values": ["red"]}], "'colour' is no column of data.int"),
        ("serving.events.window_seconds", 0, "batch_size = 100 needs window_seconds"),
        ("serving.maximum_result", 10, "serving.maximum_result = 10: Extra inputs are not permitted"),
        (
            "serving.experiment",
            {"name": "trial", "treatment": "popularity", "share": 0.1},
            "'popularity' is neither 'popular' nor a recipe with a campaign",
        ),
        ("training.recipes", [{"key": "Main Recipe", "recipe": "aws-sims"}], "key = 'Main Recipe'"),
        ("operations.log_retention_days", 31, "operations.log_retention_days = 31"),
    ],
)
def test_a_bad_value_names_its_field_its_value_and_what_would_be_right(
    written: Any, path: str, value: Any, says: str
) -> None:
    with pytest.raises(config.ConfigurationError) as refused:
        written(path, value)
    assert says in str(refused.value)


def without_sims(recipes: list[Any]) -> list[Any]:
    return [recipe for recipe in recipes if recipe["key"] != "sims"]


def sims_of_coupons(recipes: list[Any]) -> list[Any]:
    return [
        {**recipe, "dataset_group": "coupons"} if recipe["key"] == "sims" else recipe for recipe in recipes
    ]


def one_twice(recipes: list[Any]) -> list[Any]:
    return [*recipes, recipes[1]]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (without_sims, "key = 'sims', aws-sims of dataset_group 'main'; there is none"),
        (sims_of_coupons, "aws-sims of dataset_group 'main'; it is aws-sims of group 'coupons'"),
        (one_twice, "recipes.key = sims: there twice"),
    ],
)
def test_the_recipes_that_the_api_asks_for_have_to_be_trained(
    written: Any, changed: Callable[[list[Any]], list[Any]], says: str
) -> None:
    travel = Path(config.__file__).parent / "travel.yaml"
    recipes = yaml.safe_load(travel.read_text())["training"]["recipes"]
    with pytest.raises(config.ConfigurationError) as refused:
        written("training.recipes", changed(recipes))
    assert says in str(refused.value)


def test_an_unknown_configuration_lists_those_there_are() -> None:
    with pytest.raises(config.ConfigurationError, match="there are: complete_journey, travel"):
        config.load("nowhere")


def test_an_overlay_changes_what_it_names_and_nothing_else() -> None:
    plain, laid_over = config.load("travel"), config.load("travel", "localcloud")
    assert laid_over.training.waiting.first_seconds == 1
    assert laid_over.training.recipes == plain.training.recipes
    assert laid_over.data == plain.data
