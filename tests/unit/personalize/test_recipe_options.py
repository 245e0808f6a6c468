"""What solutions can ask for beyond hyperparameters: an objective, the interval of trends."""

from __future__ import annotations

import json

import numpy as np
import pytest

from localcloud.personalize.objective import ItemValues, with_objective
from tests.unit.personalize.in_process import INTERACTIONS_SCHEMA, ITEMS_SCHEMA, AwsError, interactions_csv

HOUR = 3600


def test_the_objective_weighs_as_much_as_relevance_at_medium_and_unknown_values_are_average():
    logits = np.array([2.0, 0.0, -2.0], dtype=np.float32)
    values = np.array([1.0, 2.0, 3.0])
    assert np.allclose(with_objective(logits, values, 1.0), 0, atol=1e-6)
    assert list(np.argsort(-with_objective(logits, values, 0.25))) == [0, 1, 2]
    assert list(np.argsort(-with_objective(logits, values, 2.0))) == [2, 1, 0]
    assert with_objective(logits, np.array([1.0, np.nan, 3.0]), 2.0)[1] == 0
    assert with_objective(logits, np.ones(3), 2.0) is logits


def test_the_reward_is_the_share_of_the_value_taken_that_was_recommended():
    objective = ItemValues(np.array([1.0, 3.0, np.nan, -2.0]), 1.0)
    assert objective.share_won(np.array([1, 2]), np.array([0, 1, 2, 3])) == 0.75
    assert objective.share_won(np.array([2]), np.array([2, 3])) == 0


@pytest.fixture
def group(cloud):
    group_arn = cloud.group()
    dataset = cloud.dataset(group_arn, "INTERACTIONS", INTERACTIONS_SCHEMA)
    cloud.import_rows(dataset, interactions_csv(), "all")
    schema = json.loads(ITEMS_SCHEMA)
    schema["fields"][2]["type"] = "float"
    items = cloud.dataset(group_arn, "ITEMS", json.dumps(schema))
    rows = "".join(f"i{item},x,{item % 7}\n" for item in range(60))
    cloud.import_rows(items, f"ITEM_ID,CATEGORY,PRICE\n{rows}", "items")
    return group_arn


def test_an_objective_raises_the_value_of_what_is_recommended(cloud, group):
    metrics = {}

    def mean_price(sensitivity: str) -> float:
        objective = {"itemAttribute": "PRICE", "objectiveSensitivity": sensitivity}
        name = f"objective-{sensitivity.lower()}"
        solution = cloud.solution(
            group, "user-personalization", name=name, solutionConfig={"optimizationObjective": objective}
        )
        version = cloud.version(solution)["solutionVersionArn"]
        exploration = {"explorationWeight": "0"}
        campaign = cloud.campaign(name, version, itemExplorationConfig=exploration)
        metrics[sensitivity] = cloud.call("GetSolutionMetrics", solutionVersionArn=version)["metrics"]
        found = cloud.call("GetRecommendations", campaignArn=campaign, userId="u1", numResults=10)["itemList"]
        return float(np.mean([int(item["itemId"][1:]) % 7 for item in found]))

    prices = [mean_price(sensitivity) for sensitivity in ("OFF", "HIGH")]
    assert prices[1] > prices[0] + 1
    # What is measured is what would be recommended: value is won at the cost of relevance.
    assert 0 < metrics["HIGH"].pop("average_rewards_at_k") <= 1
    assert metrics["HIGH"].keys() == metrics["OFF"].keys()
    gain = "normalized_discounted_cumulative_gain_at_10"
    assert metrics["HIGH"][gain] < metrics["OFF"][gain]


def test_an_objective_is_refused_for_other_recipes(cloud, group):
    objective = {"itemAttribute": "PRICE", "objectiveSensitivity": "LOW"}
    with pytest.raises(AwsError, match="takes no optimizationObjective"):
        cloud.solution(group, "sims", solutionConfig={"optimizationObjective": objective})


def test_trending_items_are_those_that_grow_in_the_chosen_interval(cloud):
    group_arn = cloud.group()
    dataset = cloud.dataset(group_arn, "INTERACTIONS", INTERACTIONS_SCHEMA)
    end = 1_700_000_000
    rows = [f"u{n % 40},evergreen,{end - n * 60},view," for n in range(900)]
    rows += [f"u{n % 40},hourly,{end - n * 60},view," for n in range(40)]
    # Much seen two hours ago and a little since: it grows by the day, and falls by the hour.
    rows += [f"u{n % 40},daily,{end - 2 * HOUR - n * 5},view," for n in range(100)]
    text = "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE\n" + "\n".join(rows) + "\n"
    assert cloud.import_rows(dataset, text, "all")["status"] == "ACTIVE"

    def first(frequency: str) -> str:
        name = frequency.replace(" ", "-")
        config = {"featureTransformationParameters": {"trend_discovery_frequency": frequency}}
        version = cloud.version(cloud.solution(group_arn, "trending-now", name=name, solutionConfig=config))
        assert version["status"] == "ACTIVE", version
        metrics = cloud.call("GetSolutionMetrics", solutionVersionArn=version["solutionVersionArn"])[
            "metrics"
        ]
        assert 0 <= metrics["trend_prediction_accuracy"] <= 1
        campaign = cloud.campaign(name, version["solutionVersionArn"])
        return cloud.call("GetRecommendations", campaignArn=campaign, numResults=1)["itemList"][0]["itemId"]

    assert first("1 hour") == "hourly"
    assert first("1 day") == "evergreen"
    config = {"featureTransformationParameters": {"trend_discovery_frequency": "1 week"}}
    with pytest.raises(AwsError, match="it must be one of 30 minutes, 1 hour, 3 hours, 1 day"):
        cloud.solution(group_arn, "trending-now", name="weekly", solutionConfig=config)
