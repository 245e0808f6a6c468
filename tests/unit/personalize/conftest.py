"""A dataset group with data and trained campaigns, made once for the session."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.unit.personalize.in_process import (
    INTERACTIONS_SCHEMA,
    ITEMS_SCHEMA,
    USERS_SCHEMA,
    InProcess,
    interactions_csv,
    items_csv,
    users_csv,
)

RECIPES = ("user-personalization", "sims", "personalized-ranking", "popularity-count")


@dataclass
class Shop:
    cloud: InProcess
    group_arn: str
    dataset_arns: dict[str, str]
    tracking_id: str
    versions: dict[str, dict] = field(default_factory=dict)
    campaigns: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def cloud(tmp_path) -> Iterator[InProcess]:
    cloud = InProcess(tmp_path)
    yield cloud
    cloud.service.stop()


@pytest.fixture(scope="session")
def shop(tmp_path_factory) -> Iterator[Shop]:
    cloud = InProcess(tmp_path_factory.mktemp("shop"))
    group_arn = cloud.group("shop")
    arns = {}
    for dataset_type, schema, text in (
        ("INTERACTIONS", INTERACTIONS_SCHEMA, interactions_csv()),
        ("ITEMS", ITEMS_SCHEMA, items_csv()),
        ("USERS", USERS_SCHEMA, users_csv()),
    ):
        arns[dataset_type] = cloud.dataset(group_arn, dataset_type, schema)
        job = cloud.import_rows(arns[dataset_type], text, f"shop-{dataset_type.lower()}")
        assert job["status"] == "ACTIVE", job
    tracker = cloud.call("CreateEventTracker", name="shop", datasetGroupArn=group_arn)
    shop = Shop(cloud, group_arn, arns, tracker["trackingId"])
    cloud.settled("DescribeEventTracker", "eventTracker", eventTrackerArn=tracker["eventTrackerArn"])
    trained = cloud.versions([cloud.solution(group_arn, recipe) for recipe in RECIPES])
    for recipe, version in zip(RECIPES, trained, strict=True):
        assert version["status"] == "ACTIVE", version
        shop.versions[recipe] = version
        config = {"enableMetadataWithRecommendations": True}
        if recipe == "user-personalization":
            config["itemExplorationConfig"] = {"explorationWeight": "0"}
        shop.campaigns[recipe] = cloud.campaign(recipe, version["solutionVersionArn"], **config)
    yield shop
    cloud.service.stop()
