"""The `training` section: recipes, tuning, schedules, waiting."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from config.base import Section, repeated
from config.schedules import Expression, times_a_month

DatasetGroupName = Literal["main", "coupons"]
BASELINE_RECIPE = "aws-popularity-count"
# What the API's routes and the coupon campaign ask for by key, each with what it has to be.
ASKED_FOR: dict[str, tuple[str, DatasetGroupName]] = {
    "user-personalization": ("aws-user-personalization", "main"),
    "sims": ("aws-sims", "main"),
    "personalized-ranking": ("aws-personalized-ranking", "main"),
    "coupon-ranking": ("aws-personalized-ranking", "coupons"),
}


class ContinuousRange(Section):
    """A hyperparameter range searched by HPO."""

    minimum: float
    maximum: float


class Tuning(Section):
    """How a recipe is tuned on its first training; later trainings reuse what was found."""

    maximum_jobs: int = Field(default=8, ge=1, le=40)
    parallel_jobs: int = Field(default=2, ge=1, le=10)
    ranges: dict[str, ContinuousRange] = Field(default_factory=dict)


class Schedules(Section):
    """When a recipe is trained: in `full`, by an `update` between those, and tuned again (`tune`).

    Without `full`, `training.schedule` holds.
    """

    full: Expression | None = None
    update: Expression | None = None
    tune: Expression | None = None


class Recipe(Section):
    """One recipe to train and serve. `key` names its solution, campaign and SSM parameters.

    With `compare_recency_mask` the other setting of it is trained once, and what it changes is reported.
    """

    key: str = Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=30)
    recipe: Literal[
        "aws-user-personalization", "aws-sims", "aws-personalized-ranking", "aws-popularity-count"
    ]
    dataset_group: DatasetGroupName = "main"
    hyperparameters: dict[str, str] = Field(default_factory=dict)
    tuning: Tuning | None = None
    schedules: Schedules = Schedules()
    compare_recency_mask: bool = False
    minimum_provisioned_tps: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _asks_for_what_the_recipe_can(self) -> Self:
        is_user_personalization = self.recipe == "aws-user-personalization"
        if self.schedules.update and not is_user_personalization:
            raise ValueError(
                f"schedules.update of {self.key!r}: {self.recipe} is always trained in full; leave it out"
            )
        if self.schedules.tune and not self.tuning:
            raise ValueError(f"schedules.tune of {self.key!r}: there is no `tuning` section to search by")
        if self.compare_recency_mask and not is_user_personalization:
            raise ValueError(
                f"compare_recency_mask of {self.key!r}: it is for aws-user-personalization, not {self.recipe}"
            )
        if self.recipe == BASELINE_RECIPE and self.schedules != Schedules():
            raise ValueError(
                f"schedules of {self.key!r}: a baseline is trained with the recipes that it is compared to"
            )
        return self


class Gate(Section):
    """When a new version is promoted: its `metric` at least (1 - tolerance) of the serving version's.

    And above `over_popularity` times popularity's on the same data. After `patience` versions in a row that
    were held back (0: never), one as good as those is promoted: the data has changed since what serves.
    """

    metric: str = "normalized_discounted_cumulative_gain_at_10"
    tolerance: float = Field(default=0.02, ge=0, lt=1)
    over_popularity: float = Field(default=1.0, ge=0)
    patience: int = Field(default=5, ge=0)


class Waiting(Section):
    """How a state machine waits for Personalize's work.

    `first_seconds` at first, then each time by as much longer, up to `longest_seconds`. Imports and trainings
    that were done before are first looked at shortly before the time has passed that they took then. A call
    that Personalize is too busy for is tried again `attempts_when_busy` times, each after twice as long.
    """

    first_seconds: int = Field(default=30, ge=1)
    longest_seconds: int = Field(default=300, ge=1)
    attempts_when_busy: int = Field(default=8, ge=1, le=20)


class Ceilings(Section):
    """What a configuration may not ask for by mistake, as it is billed; raise it where it is meant.

    `solutions_in_group` is Personalize's quota: raise it when AWS has raised yours.
    """

    minimum_provisioned_tps: int = Field(default=10, ge=1)
    trainings_a_month: int = Field(default=120, ge=1)
    solutions_in_group: int = Field(default=10, ge=1)


class TrainingConfig(Section):
    """Which recipes are trained, how often, and how patiently their resources are waited for."""

    recipes: list[Recipe] = Field(min_length=1)
    waiting: Waiting = Waiting()
    timeout_minutes: int = Field(default=1440, ge=5)
    gate: Gate = Gate()
    schedule: Expression | None = None
    ceilings: Ceilings = Ceilings()

    @property
    def served(self) -> list[Recipe]:
        """The recipes that have a campaign."""
        return [recipe for recipe in self.recipes if recipe.recipe != BASELINE_RECIPE]

    @property
    def scheduled(self) -> dict[tuple[str, str], list[str]]:
        """The keys of the recipes trained together, by the schedule and `full`, `update` or `tune`."""
        found: dict[tuple[str, str], list[str]] = {}
        for recipe in self.served:
            times = recipe.schedules.model_dump()
            for kind, expression in {**times, "full": recipe.schedules.full or self.schedule}.items():
                if expression:
                    found.setdefault((expression, kind), []).append(recipe.key)
        return found

    @property
    def trainings_a_month(self) -> float:
        """Solution versions that the schedules train in an average month, each search by HPO one more."""
        count = 0.0
        for (expression, kind), keys in self.scheduled.items():
            groups = {recipe.dataset_group for recipe in self.recipes if recipe.key in keys}
            baselines = [
                one for one in self.recipes if one.recipe == BASELINE_RECIPE and one.dataset_group in groups
            ]
            searches = len(keys) if kind == "tune" else 0
            count += times_a_month(expression) * (len(keys) + searches + len(baselines))
        return count

    @model_validator(mode="after")
    def _has_every_key_once(self) -> Self:
        if twice := repeated(recipe.key for recipe in self.recipes):
            raise ValueError(f"recipes.key = {', '.join(twice)}: there twice; a key names one solution")
        return self

    @model_validator(mode="after")
    def _has_something_to_serve(self) -> Self:
        if not self.served:
            keys = ", ".join(recipe.key for recipe in self.recipes)
            raise ValueError(
                f"recipes = {keys}: {BASELINE_RECIPE} is a baseline, which gets no campaign; add a recipe to "
                "serve: aws-user-personalization, aws-sims or aws-personalized-ranking"
            )
        return self

    @model_validator(mode="after")
    def _stays_below_the_ceilings(self) -> Self:
        for recipe in self.served:
            if recipe.minimum_provisioned_tps > self.ceilings.minimum_provisioned_tps:
                raise ValueError(
                    f"minimum_provisioned_tps of {recipe.key!r} = {recipe.minimum_provisioned_tps} is above "
                    f"ceilings.minimum_provisioned_tps = {self.ceilings.minimum_provisioned_tps}: it is "
                    "billed every hour, used or not, and campaigns scale by themselves; 1 suits most"
                )
        if self.trainings_a_month > self.ceilings.trainings_a_month:
            raise ValueError(
                f"the schedules train {self.trainings_a_month:.0f} solution versions a month, more than "
                f"ceilings.trainings_a_month = {self.ceilings.trainings_a_month}; train less often"
            )
        return self

    @model_validator(mode="after")
    def _fits_the_quota_of_solutions(self) -> Self:
        for group in {recipe.dataset_group for recipe in self.recipes}:
            served = sum(recipe.dataset_group == group for recipe in self.served)
            baselines = sum(recipe.dataset_group == group for recipe in self.recipes) - served
            # What serves, what a rollback goes back to, and what is trained next.
            most = 3 * served + baselines
            if most > self.ceilings.solutions_in_group:
                raise ValueError(
                    f"recipes: the {served} served and {baselines} baseline recipes of group {group!r} "
                    f"come to {most} solutions when all change at once, more than "
                    f"ceilings.solutions_in_group = {self.ceilings.solutions_in_group}"
                )
        return self
