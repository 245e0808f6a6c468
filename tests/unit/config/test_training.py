"""The training section: schedules are read, and what would be billed by mistake is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from config.schedules import times_a_month
from config.training import TrainingConfig

USER_PERSONALIZATION = {"key": "user-personalization", "recipe": "aws-user-personalization"}
SIMS = {"key": "sims", "recipe": "aws-sims"}
POPULARITY = {"key": "popularity", "recipe": "aws-popularity-count"}


@pytest.mark.parametrize(
    ("expression", "times"),
    [
        ("rate(1 hour)", 730.5),
        ("rate(7 days)", 4.35),
        ("cron(0 2 ? * SUN *)", 4.33),
        ("cron(0 2 ? * MON-SAT *)", 26.08),
        ("cron(0/30 8-9 * * ? *)", 121.67),
        ("cron(0 6 1 1/3 ? *)", 1 / 3),
        ("cron(0 6 L * ? *)", 1.0),
        ("cron(0 6 ? * 6L *)", 1.0),
        ("cron(0 6 ? * MON#1 *)", 1.0),
        ("cron(15 10 1,15 * ? *)", 2.0),
    ],
)
def test_a_schedule_says_how_often_it_fires(expression: str, times: float) -> None:
    assert times_a_month(expression) == pytest.approx(times, abs=0.01)


@pytest.mark.parametrize(
    "expression",
    [
        "weekly",
        "cron(0 2 * * SUN *)",
        "cron(0 2 ? * *)",
        "cron(0 25 * * ? *)",
        "rate(0 days)",
        "cron(0 2 ? * SON *)",
    ],
)
def test_what_is_no_schedule_is_refused(expression: str) -> None:
    with pytest.raises(ValidationError, match=r"schedule"):
        TrainingConfig.model_validate({"recipes": [SIMS], "schedule": expression})


def training(*recipes: dict[str, Any], **section: Any) -> TrainingConfig:
    return TrainingConfig.model_validate({"recipes": list(recipes), **section})


def test_recipes_with_one_schedule_are_trained_together_and_others_at_their_own_times() -> None:
    weekly, daily = "cron(0 2 ? * SUN *)", "cron(0 2 ? * MON-SAT *)"
    monthly = "cron(0 3 1 * ? *)"
    config = training(
        {**USER_PERSONALIZATION, "schedules": {"update": daily}},
        SIMS,
        {"key": "ranking", "recipe": "aws-personalized-ranking", "schedules": {"full": monthly}},
        POPULARITY,
        schedule=weekly,
    )
    assert config.scheduled == {
        (weekly, "full"): ["user-personalization", "sims"],
        (daily, "update"): ["user-personalization"],
        (monthly, "full"): ["ranking"],
    }
    # With popularity each time: 3 a week, 2 on each of six days, 2 a month.
    assert config.trainings_a_month == pytest.approx(3 * 4.33 + 2 * 26.08 + 2, abs=0.1)


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        ({**SIMS, "schedules": {"update": "rate(1 day)"}}, "'sims': aws-sims is always trained in full"),
        ({**SIMS, "schedules": {"tune": "rate(30 days)"}}, "no `tuning` section"),
        ({**SIMS, "compare_recency_mask": True}, "compare_recency_mask of 'sims'"),
        ({**POPULARITY, "schedules": {"full": "rate(1 day)"}}, "a baseline is trained with"),
    ],
)
def test_a_recipe_is_not_asked_for_what_it_cannot(recipe: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        training(recipe)


def test_a_campaign_above_the_ceiling_is_refused_unless_the_ceiling_is_raised() -> None:
    busy = {**SIMS, "minimum_provisioned_tps": 25}
    with pytest.raises(ValidationError) as refused:
        training(busy)
    assert "minimum_provisioned_tps of 'sims' = 25 is above ceilings.minimum_provisioned_tps = 10" in str(
        refused.value
    )
    assert training(busy, ceilings={"minimum_provisioned_tps": 25}).recipes[0].minimum_provisioned_tps == 25


def test_more_trainings_than_the_ceiling_are_refused() -> None:
    with pytest.raises(ValidationError, match="train 730 solution versions a month, more than ceilings"):
        training(SIMS, schedule="rate(1 hour)")


def test_more_solutions_than_a_dataset_group_may_have_are_refused() -> None:
    many = [{**SIMS, "key": f"sims-{number}"} for number in range(4)]
    with pytest.raises(ValidationError, match="come to 12 solutions when all change at once"):
        training(*many)
    assert training(*many, ceilings={"solutions_in_group": 20})


def test_baselines_alone_are_refused_with_the_recipes_that_can_be_served() -> None:
    alone = [POPULARITY, {**POPULARITY, "key": "coupon-popularity", "dataset_group": "coupons"}]
    says = (
        r"recipes = popularity, coupon-popularity: .* no campaign; add .* aws-user-personalization, aws-sims"
    )
    with pytest.raises(ValidationError, match=says):
        TrainingConfig.model_validate({"recipes": alone})
    assert len(TrainingConfig.model_validate({"recipes": [*alone, SIMS]}).served) == 1
