"""Training: stopping, tuning, automatic training, following the latest version."""

from __future__ import annotations

import json

import pytest

from localcloud.personalize import recipes
from localcloud.personalize.automatic_training import is_due, train_what_is_due
from localcloud.personalize.resources import Solution, SolutionVersion
from tests.unit.personalize.in_process import (
    INTERACTIONS_SCHEMA,
    ITEMS_SCHEMA,
    AwsError,
    interactions_csv,
    items_csv,
)

HOUR, DAY = 3600, 86_400


@pytest.fixture
def group(cloud):
    group_arn = cloud.group()
    dataset = cloud.dataset(group_arn, "INTERACTIONS", INTERACTIONS_SCHEMA)
    cloud.import_rows(dataset, interactions_csv(), "all")
    return group_arn


def solution(**more):
    fields = {"arn": "s", "name": "s", "dataset_group_arn": "g", "recipe_arn": "r", "status": "ACTIVE"}
    return Solution(**{**fields, "creation_date_time": 0.0, **more})


def version(created):
    return SolutionVersion(
        arn="v", solution_arn="s", dataset_group_arn="g", recipe_arn="r", creation_date_time=created
    )


@pytest.mark.parametrize(
    ("one", "versions", "now", "due"),
    [
        (solution(), [], HOUR - 1, False),
        (solution(), [], HOUR, True),
        (solution(perform_auto_training=False), [], DAY, False),
        (solution(status="CREATE PENDING"), [], DAY, False),
        (solution(), [version(60.0)], 7 * DAY, False),
        (solution(), [version(60.0)], 7 * DAY + 60, True),
        (
            solution(solution_config={"autoTrainingConfig": {"schedulingExpression": "rate(2 days)"}}),
            [version(0.0), version(DAY)],
            3 * DAY,
            True,
        ),
    ],
)
def test_when_automatic_training_is_due(one, versions, now, due):
    assert is_due(one, versions, now) == due


def test_a_due_solution_is_trained_and_marked_as_automatic(cloud, group):
    arn = cloud.solution(group, "popularity-count", performAutoTraining=True)
    (started,) = train_what_is_due(cloud.region, cloud.region.get(Solution, arn).creation_date_time + HOUR)
    trained = cloud.settled("DescribeSolutionVersion", "solutionVersion", solutionVersionArn=started.arn)
    assert (trained["status"], trained["trainingType"]) == ("ACTIVE", "AUTOMATIC")


def test_a_training_can_be_stopped(cloud, group):
    arn = cloud.call("CreateSolutionVersion", solutionArn=cloud.solution(group, "user-personalization"))[
        "solutionVersionArn"
    ]
    cloud.call("StopSolutionVersionCreation", solutionVersionArn=arn)
    stopped = cloud.settled("DescribeSolutionVersion", "solutionVersion", solutionVersionArn=arn)
    assert stopped["status"] == "CREATE STOPPED"
    with pytest.raises(AwsError, match="nothing to stop"):
        cloud.call("StopSolutionVersionCreation", solutionVersionArn=arn)
    with pytest.raises(AwsError, match="must be ACTIVE"):
        cloud.call("CreateCampaign", name="c", solutionVersionArn=arn)


def test_hpo_chooses_within_the_given_ranges_and_tells(cloud, group):
    ranges = {
        "integerHyperParameterRanges": [{"name": "min_cointeraction_count", "minValue": 1, "maxValue": 2}]
    }
    config = {
        "hpoConfig": {
            "hpoResourceConfig": {"maxNumberOfTrainingJobs": "2", "maxParallelTrainingJobs": "1"},
            "algorithmHyperParameterRanges": ranges,
        }
    }
    trained = cloud.version(cloud.solution(group, "sims", performHPO=True, solutionConfig=config))
    chosen = trained["tunedHPOParams"]["algorithmHyperParameters"]
    assert set(chosen) == {"min_cointeraction_count"}
    assert 1 <= int(chosen["min_cointeraction_count"]) <= 2


def test_a_campaign_follows_the_latest_version_when_asked_to(cloud, group):
    solution_arn = cloud.solution(group, "popularity-count")
    first = cloud.version(solution_arn)["solutionVersionArn"]
    follows = cloud.campaign("follows", f"{solution_arn}/$LATEST", syncWithLatestSolutionVersion=True)
    stays = cloud.campaign("stays", first)
    second = cloud.version(solution_arn)["solutionVersionArn"]
    campaign = cloud.call("DescribeCampaign", campaignArn=follows)["campaign"]
    assert campaign["latestCampaignUpdate"]["solutionVersionArn"] == second
    for _ in range(500):
        if cloud.call("DescribeCampaign", campaignArn=follows)["campaign"]["solutionVersionArn"] == second:
            break
    assert cloud.call("DescribeCampaign", campaignArn=stays)["campaign"]["solutionVersionArn"] == first
    assert (
        cloud.call("DescribeSolution", solutionArn=solution_arn)["solution"]["latestSolutionVersion"][
            "solutionVersionArn"
        ]
        == second
    )


def test_update_training_needs_a_recipe_that_can_and_a_full_version(cloud, group):
    with pytest.raises(AwsError, match="not supported by the recipe aws-sims"):
        cloud.call("CreateSolutionVersion", solutionArn=cloud.solution(group, "sims"), trainingMode="UPDATE")
    arn = cloud.solution(group, "user-personalization")
    with pytest.raises(AwsError, match="needs an ACTIVE solution version"):
        cloud.call("CreateSolutionVersion", solutionArn=arn, trainingMode="UPDATE")


def test_an_update_training_takes_in_new_items_and_keeps_serving_the_old_ones(cloud, group):
    items = cloud.dataset(group, "ITEMS", ITEMS_SCHEMA)
    cloud.import_rows(items, items_csv(), "items")
    solution_arn = cloud.solution(group, "user-personalization")
    full = cloud.version(solution_arn)
    new = {"itemId": "brand-new", "properties": '{"category": "ring0", "price": 3}'}
    cloud.call("PutItems", datasetArn=items, items=[new])
    update = cloud.version(solution_arn, trainingMode="UPDATE")
    assert (update["status"], update["trainingMode"]) == ("ACTIVE", "UPDATE")
    before, after = (cloud.region.models.load(one["solutionVersionArn"]) for one in (full, update))
    assert "brand-new" not in before.item_index
    assert set(before.item_index) | {"brand-new"} == set(after.item_index)


def test_an_update_training_is_measured_on_the_users_that_no_version_has_seen(cloud, group):
    solution_arn = cloud.solution(group, "user-personalization")
    full = cloud.version(solution_arn)
    folder = cloud.region.models.folder_of(full["solutionVersionArn"])
    counts = {
        name: recipes.load(folder / name).arrays["interaction_counts"].sum() for name in ("model", "measured")
    }
    assert 0.8 < counts["measured"] / counts["model"] < 1
    update = cloud.version(solution_arn, trainingMode="UPDATE")
    metrics = [
        cloud.call("GetSolutionMetrics", solutionVersionArn=one["solutionVersionArn"])["metrics"]
        for one in (full, update)
    ]
    # Nothing is new: counting again gives the same model.
    assert metrics[1] == pytest.approx(metrics[0], abs=1e-3)


def test_a_column_added_after_the_solution_was_made_does_not_train_it(cloud, group):
    items = cloud.dataset(group, "ITEMS", ITEMS_SCHEMA)
    cloud.import_rows(items, items_csv(), "items")
    before = cloud.solution(group, "user-personalization", "before")
    schema = json.loads(ITEMS_SCHEMA)
    schema["fields"].append({"name": "STARS", "type": ["null", "int"]})
    wider = cloud.call("CreateSchema", name="wider", schema=json.dumps(schema))["schemaArn"]
    cloud.call("UpdateDataset", datasetArn=items, schemaArn=wider)
    header, *rows = items_csv().splitlines()
    text = "\n".join([f"{header},STARS", *(f"{row},{place % 5}" for place, row in enumerate(rows))])
    cloud.import_rows(items, text + "\n", "with-stars")
    after = cloud.solution(group, "user-personalization", "after")
    widths = [
        cloud.region.models.load(one["solutionVersionArn"]).settings["features_width"]
        for one in cloud.versions([before, after])
    ]
    assert widths[0] < widths[1]


def test_incremental_updates_are_refused_for_recipes_without_them(cloud, group):
    with pytest.raises(AwsError, match="performIncrementalUpdate is not supported"):
        cloud.solution(group, "user-personalization", performIncrementalUpdate=True)
    arn = cloud.solution(group, "user-personalization")
    with pytest.raises(AwsError, match="performIncrementalUpdate is not supported"):
        cloud.call("UpdateSolution", solutionArn=arn, performIncrementalUpdate=True)


def test_update_solution_changes_training_and_event_weights(cloud, group):
    arn = cloud.solution(group, "popularity-count", performAutoTraining=True)
    weights = {"eventsConfig": {"eventParametersList": [{"eventType": "view", "weight": 0.5}]}}
    cloud.call("UpdateSolution", solutionArn=arn, performAutoTraining=False, solutionUpdateConfig=weights)
    described = cloud.call("DescribeSolution", solutionArn=arn)["solution"]
    assert described["performAutoTraining"] is False
    assert described["solutionConfig"]["eventsConfig"] == weights["eventsConfig"]
    assert described["latestSolutionUpdate"]["status"] == "ACTIVE"


def test_features_are_transformed_as_the_solution_says(cloud, group):
    config = {"featureTransformationParameters": {"max_user_history_length_percentile": "0.5"}}
    solution = cloud.solution(group, "sims", name="short", solutionConfig=config)
    version = cloud.version(solution)
    order = json.loads(
        (cloud.region.models.folder_of(version["solutionVersionArn"]) / "order.json").read_text()
    )
    assert order["hyperparameters"] == {"max_user_history_length_percentile": 0.5}


def test_next_best_action_needs_actions(cloud, group):
    solution = cloud.solution(group, "next-best-action")
    with pytest.raises(AwsError, match="has no Actions dataset"):
        cloud.call("CreateSolutionVersion", solutionArn=solution)
