"""The `training` section: recipes, tuning, schedules, waiting."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from config.base import Section

DatasetGroupName = Literal["main", "coupons"]


class ContinuousRange(Section):
    """A hyperparameter range searched by HPO."""

    minimum: float
    maximum: float


class Tuning(Section):
    """How a recipe is tuned on its first training; later trainings reuse what was found."""

    maximum_jobs: int = Field(default=8, ge=1, le=40)
    parallel_jobs: int = Field(default=2, ge=1, le=10)
    ranges: dict[str, ContinuousRange] = Field(default_factory=dict)


class Recipe(Section):
    """One recipe to train and serve. `key` names its solution, campaign and SSM parameters."""

    key: str
    recipe: Literal[
        "aws-user-personalization", "aws-sims", "aws-personalized-ranking", "aws-popularity-count"
    ]
    dataset_group: DatasetGroupName = "main"
    hyperparameters: dict[str, str] = Field(default_factory=dict)
    tuning: Tuning | None = None
    minimum_provisioned_tps: int = Field(default=1, ge=1)


class Gate(Section):
    """When a new version is promoted: its `metric` at least (1 - tolerance) of the serving version's."""

    metric: str = "normalized_discounted_cumulative_gain_at_10"
    tolerance: float = Field(default=0.02, ge=0, lt=1)


class Waiting(Section):
    """How a state machine waits for Personalize's work.

    `first_seconds` at first, then each time by as much longer, up to `longest_seconds`. Imports and trainings
    that were done before are first looked at when nine tenths of the time has passed that they took then.
    """

    first_seconds: int = Field(default=30, ge=1)
    longest_seconds: int = Field(default=300, ge=1)


class TrainingConfig(Section):
    """Which recipes are trained, how often, and how patiently their resources are waited for."""

    recipes: list[Recipe] = Field(min_length=1)
    waiting: Waiting = Waiting()
    timeout_minutes: int = Field(default=1440, ge=5)
    gate: Gate = Gate()
    schedule: str | None = None
