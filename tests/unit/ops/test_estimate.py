"""The month follows from the configuration and the price table, item by item."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

import config
from config.price_table import PRICES, read_prices
from config.training import TrainingConfig
from ops.month import Line, Volumes, first_run, monthly

VOLUMES = Volumes(
    interactions=10_000_000,
    new_interactions_a_day=30_000,
    users=500_000,
    requests_a_month=5_000_000,
    training_hours=5.0,
    update_hours=1.0,
    glue_hours_a_run=0.25,
)
TPS = "Personalize: campaigns' minimum TPS"
TRAININGS = "Personalize: trainings"


def project(**training: Any) -> config.ProjectConfig:
    whole = config.load("travel")
    changed = TrainingConfig.model_validate({**whole.training.model_dump(), **training})
    return whole.model_copy(update={"training": changed})


def lines(**training: Any) -> dict[str, Line]:
    return {line.item: line for line in monthly(project(**training), read_prices(), VOLUMES)}


def test_everything_that_is_billed_is_in_it() -> None:
    items = " ".join(lines())
    for service in (
        "minimum TPS",
        "trainings",
        "imports",
        "batch",
        "Glue",
        "Athena",
        "API Gateway",
        "Lambda",
    ):
        assert service in items
    assert all(line.cost >= 0 for line in lines().values())


def test_campaigns_cost_their_minimum_every_hour_and_traffic_only_above_it() -> None:
    assert lines()[TPS].amount == 4 * 730
    assert lines()["Personalize: traffic above it"].amount == 0
    assert lines()[TPS].cost == pytest.approx(4 * 730 * read_prices().personalize.campaign_tps_hour)


def test_trainings_are_those_of_the_schedules() -> None:
    sims = {"key": "sims", "recipe": "aws-sims"}
    monthly_alone = {"recipes": [sims], "schedule": "cron(0 2 1 * ? *)"}
    assert lines(**monthly_alone)[TRAININGS].amount == pytest.approx(5.0)
    assert lines(recipes=[sims], schedule=None)[TRAININGS].amount == 0
    updated = {
        "key": "user-personalization",
        "recipe": "aws-user-personalization",
        "schedules": {"update": "cron(0 2 2 * ? *)"},
    }
    assert lines(recipes=[updated], schedule="cron(0 2 1 * ? *)")[TRAININGS].amount == pytest.approx(6.0)


def test_a_search_by_hpo_costs_a_training_a_job_once_and_by_its_schedule() -> None:
    tuned = {
        "key": "user-personalization",
        "recipe": "aws-user-personalization",
        "tuning": {"maximum_jobs": 4},
        "schedules": {"tune": "cron(0 2 1 * ? *)"},
    }
    assert lines(recipes=[tuned], schedule=None)[TRAININGS].amount == pytest.approx((4 + 1) * 5.0)
    once = first_run(project(recipes=[tuned]), read_prices(), VOLUMES)
    assert [line.amount for line in once] == [20.0, 0.0]


def test_a_price_that_is_missing_is_named(tmp_path: Path) -> None:
    table = yaml.safe_load(PRICES.read_text())
    del table["glue"]
    path = tmp_path / "prices.yaml"
    path.write_text(yaml.safe_dump(table))
    with pytest.raises(ValidationError, match="glue"):
        read_prices(path)
