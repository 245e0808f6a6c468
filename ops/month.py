"""What a configuration uses in an average month, and what that costs by a price table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from config import ProjectConfig
from config.price_table import Prices
from config.schedules import times_a_month
from config.statements import prepare_data_statements
from config.training import BASELINE_RECIPE

HOURS_A_MONTH = 730
DPUS = {"G.1X": 1, "G.2X": 2, "G.4X": 4}
API_MILLISECONDS = 60
API_MEMORY_GB = 1
BYTES_A_ROW = 100
TRANSITIONS_A_RETRAINING = 400
GB, TB, MILLION = 1e9, 1e12, 1e6


@dataclass(frozen=True)
class Volumes:
    """What is assumed of the data, the traffic, and the billed hours of one training or run."""

    interactions: int
    new_interactions_a_day: int
    users: int
    requests_a_month: int
    training_hours: float
    update_hours: float
    glue_hours_a_run: float


@dataclass(frozen=True)
class Line:
    """One item of the bill: how much of what at which price."""

    item: str
    amount: float
    unit: str
    price: float

    @property
    def cost(self) -> float:
        """US dollars."""
        return self.amount * self.price


@dataclass(frozen=True)
class Runs:
    """How often the schedules retrain in an average month, by kind, and what that trains."""

    full: float
    update: float
    tune: float
    trained_hours: float

    @property
    def all(self) -> float:
        """All retrainings: each prepares the data."""
        return self.full + self.update + self.tune


def monthly(project: ProjectConfig, prices: Prices, volumes: Volumes) -> list[Line]:
    """Return the items of an average month; what runs without a schedule is not in it."""
    runs = runs_of(project, volumes)
    return [
        *_personalize(project, prices, volumes, runs),
        *_preparation(project, prices, volumes, runs),
        *_serving(prices, volumes),
    ]


def first_run(project: ProjectConfig, prices: Prices, volumes: Volumes) -> list[Line]:
    """Return what the first run costs beside its trainings: the searches by HPO and the comparisons, once."""
    tunings = [recipe.tuning for recipe in project.training.recipes if recipe.tuning]
    searches = sum(tuning.maximum_jobs for tuning in tunings) * volumes.training_hours
    compared = sum(recipe.compare_recency_mask for recipe in project.training.recipes)
    price = prices.personalize.training_hour
    return [
        Line("Personalize: searches of hyperparameters", searches, "training hours", price),
        Line(
            "Personalize: the other recency_mask", compared * volumes.training_hours, "training hours", price
        ),
    ]


def runs_of(project: ProjectConfig, volumes: Volumes) -> Runs:
    """Return the retrainings of an average month. A search trains as often as it has jobs."""
    recipes = {recipe.key: recipe for recipe in project.training.recipes}
    times = {"full": 0.0, "update": 0.0, "tune": 0.0}
    hours = 0.0
    for (expression, kind), keys in project.training.scheduled.items():
        count = times_a_month(expression)
        times[kind] += count
        groups = {recipes[key].dataset_group for key in keys}
        baselines = [
            recipe
            for recipe in recipes.values()
            if recipe.recipe == BASELINE_RECIPE and recipe.dataset_group in groups
        ]
        each = volumes.update_hours if kind == "update" else volumes.training_hours
        searches = sum(
            tuning.maximum_jobs for key in keys if kind == "tune" and (tuning := recipes[key].tuning)
        )
        hours += count * (len(keys) * each + (len(baselines) + searches) * volumes.training_hours)
    return Runs(**times, trained_hours=hours)


def _personalize(project: ProjectConfig, prices: Prices, volumes: Volumes, runs: Runs) -> Iterator[Line]:
    of = prices.personalize
    least = sum(recipe.minimum_provisioned_tps for recipe in project.training.served) * HOURS_A_MONTH
    # A request a second for an hour is a TPS-hour; the larger of it and the minimum is billed.
    above = max(0.0, volumes.requests_a_month / 3600 - least)
    imported = (runs.full + runs.tune) * volumes.interactions
    imported += runs.update * volumes.new_interactions_a_day
    schedule = project.coupon_campaign.schedule
    batches = times_a_month(schedule) if schedule else 0
    per_user = of.batch_per_1000_recommendations / 1000
    yield Line("Personalize: campaigns' minimum TPS", least, "TPS-hours", of.campaign_tps_hour)
    yield Line("Personalize: traffic above it", above, "TPS-hours", of.campaign_tps_hour)
    yield Line("Personalize: trainings", runs.trained_hours, "training hours", of.training_hour)
    yield Line("Personalize: imports", imported * BYTES_A_ROW / GB, "GB", of.data_ingestion_per_gb)
    yield Line("Personalize: batch ranking of coupons", batches * volumes.users, "users", per_user)


def _preparation(project: ProjectConfig, prices: Prices, volumes: Volumes, runs: Runs) -> Iterator[Line]:
    glue = project.compute.glue
    dpu_hours = runs.all * volumes.glue_hours_a_run * glue.workers * DPUS[glue.worker_type]
    reads = sum(
        "curated_interactions" in statement.sql
        for statements in prepare_data_statements(project)
        for statement in statements
    )
    scanned = runs.all * reads * volumes.interactions * BYTES_A_ROW / TB
    transitions = runs.all * TRANSITIONS_A_RETRAINING / 1000
    yield Line("Glue", dpu_hours, "DPU-hours", prices.glue.dpu_hour)
    yield Line("Athena", scanned, "TB scanned", prices.athena.per_tb_scanned)
    yield Line("Step Functions", transitions, "1000 transitions", prices.step_functions.per_1000_transitions)


def _serving(prices: Prices, volumes: Volumes) -> Iterator[Line]:
    requests = volumes.requests_a_month / MILLION
    gb_seconds = volumes.requests_a_month * API_MILLISECONDS / 1000 * API_MEMORY_GB
    yield Line("API Gateway", requests, "million requests", prices.api_gateway.per_million_requests)
    yield Line("Lambda: requests", requests, "million requests", prices.functions.per_million_requests)
    yield Line("Lambda: time", gb_seconds, "GB-seconds", prices.functions.gb_second)
