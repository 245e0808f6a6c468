"""The whole typed configuration of one deployment."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from config.base import Section
from config.campaign import CouponCampaignConfig
from config.compute import ComputeConfig
from config.data import DataConfig
from config.serving import POPULAR, ServingConfig
from config.training import ASKED_FOR, TrainingConfig


class Operations(Section):
    """Who hears of failures, and how long things are kept."""

    notification_emails: list[str] = Field(default_factory=list)
    log_retention_days: Literal[7, 14, 30, 90, 365] = 30
    keep_data_on_destroy: bool = True


class ProjectConfig(Section):
    """One deployment. `name` prefixes every resource."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{1,30}$")
    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    tags: dict[str, str] = Field(default_factory=dict)
    data: DataConfig
    training: TrainingConfig
    serving: ServingConfig = ServingConfig()
    coupon_campaign: CouponCampaignConfig
    compute: ComputeConfig = ComputeConfig()
    operations: Operations = Operations()

    @model_validator(mode="after")
    def _context_is_of_the_interactions(self) -> Self:
        columns = self.data.interaction_metadata
        for one in self.serving.context:
            if one.column not in columns:
                raise ValueError(
                    f"serving.context.column = {one.column!r} is no column of data.interaction_metadata: "
                    f"{', '.join(columns) or 'there is none'}"
                )
        return self

    @model_validator(mode="after")
    def _trains_what_is_asked_for(self) -> Self:
        trained = {recipe.key: (recipe.recipe, recipe.dataset_group) for recipe in self.training.recipes}
        for key, (recipe, group) in ASKED_FOR.items():
            found = trained.get(key)
            if found != (recipe, group):
                there = f"it is {found[0]} of group {found[1]!r}" if found else "there is none"
                raise ValueError(
                    f"training.recipes: the API and the coupon campaign ask for a recipe with key = {key!r}, "
                    f"{recipe} of dataset_group {group!r}; {there}"
                )
        return self

    @model_validator(mode="after")
    def _an_experiment_treats_with_what_is_trained(self) -> Self:
        experiment = self.serving.experiment
        keys = [recipe.key for recipe in self.training.served if recipe.recipe == "aws-user-personalization"]
        if experiment is not None and experiment.treatment not in {POPULAR, *keys}:
            raise ValueError(
                f"serving.experiment.treatment = {experiment.treatment!r} is neither {POPULAR!r} nor a "
                f"recipe with a campaign that recommends to users: {', '.join(keys)}"
            )
        return self
