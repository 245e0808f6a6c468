"""The whole product on localcloud: raw data in, recommendations, events and a coupon campaign out."""

from __future__ import annotations

import csv
import datetime
import io
import json
import time
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest

from ops import campaign_outcome, history
from ops.athena import query
from ops.campaign_page import page
from ops.demo_story import is_scored_otherwise, tell
from ops.errors import OperatorError
from ops.forget import forget
from ops.terminal import Terminal
from tests.local.deployed_app import DeployedApp

pytestmark = pytest.mark.flow
REDEEMED = "coupon_events/after-the-campaign.csv"
METRIC = "normalized_discounted_cumulative_gain_at_10"


def test_curation_accounts_for_every_raw_row(prepared_app: DeployedApp) -> None:
    report = prepared_app.read_json(
        prepared_app.output("DatasetsBucket"), f"reports/{prepared_app.data_version}/counts.json"
    )
    sources = report["sources"]
    assert set(sources) >= {"transactions", "ios", "android", "web"}
    for counts in sources.values():
        assert counts["rows"] == counts["curated"] + counts["duplicates"] + counts["quarantined"]
    assert sum(counts["duplicates"] for counts in sources.values()) > 0
    assert sum(counts["quarantined"] for counts in sources.values()) > 0


def test_the_manifest_describes_what_personalize_imported(trained_app: DeployedApp) -> None:
    personalize = trained_app.client("personalize")
    groups = {g["name"] for g in personalize.list_dataset_groups()["datasetGroups"]}
    assert {trained_app.name, f"{trained_app.name}-coupons"} <= groups
    for group in trained_app.manifest["datasetGroups"].values():
        assert group["interactions"]["rows"] >= 1000


def test_the_trained_recipes_beat_popularity(trained_app: DeployedApp) -> None:
    versions = trained_app.trained["versions"]
    personalize = trained_app.client("personalize")
    ndcg = {
        key: personalize.get_solution_metrics(solutionVersionArn=version["solutionVersionArn"])["metrics"][
            METRIC
        ]
        for key, version in versions.items()
    }
    assert ndcg["user-personalization"] > ndcg["popularity"]


def test_the_first_training_tunes_and_leaves_what_it_found(trained_app: DeployedApp) -> None:
    value = trained_app.client("ssm").get_parameter(Name=f"/{trained_app.name}/tuned/user-personalization")
    found = json.loads(value["Parameter"]["Value"])
    assert 32 <= int(found["hidden_dimension"]) <= 256
    assert 2 <= int(found["bptt"]) <= 32


def test_training_again_creates_no_second_copy_and_replaces_a_filter_of_another_expression(
    trained_app: DeployedApp,
) -> None:
    personalize = trained_app.client("personalize")
    before = trained_app.personalize_resources()
    arn = next(arn for arn in before["Filters"] if arn.endswith("/travel-origin"))
    configured = personalize.describe_filter(filterArn=arn)["filter"]
    personalize.delete_filter(filterArn=arn)
    while arn in trained_app.personalize_resources()["Filters"]:
        time.sleep(0.1)
    personalize.create_filter(
        name=configured["name"],
        datasetGroupArn=configured["datasetGroupArn"],
        filterExpression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("view")',
    )
    trained_app.execute("TrainStateMachine", {"manifestUri": trained_app.prepared["manifestUri"]})
    assert trained_app.personalize_resources() == before
    now = personalize.describe_filter(filterArn=arn)["filter"]
    assert now["filterExpression"] == configured["filterExpression"]


def test_the_settings_of_recency_mask_are_compared_once_with_the_age_of_what_is_recommended(
    trained_app: DeployedApp,
) -> None:
    compared = history.read_comparisons(trained_app.deployment)
    assert [one.recipe for one in compared] == ["user-personalization"]
    assert [side.setting for side in compared[0].sides] == ["true", "false"]
    assert all(side.age["medianDays"] > 0 and METRIC in side.metrics for side in compared[0].sides)
    assert 0 < compared[0].in_common < 1
    purposes = [version.purpose for version in history.read(trained_app.deployment)]
    assert purposes.count("compare") == 1


def test_what_nothing_needs_is_retired_and_what_a_rollback_needs_stays(trained_app: DeployedApp) -> None:
    """The solutions of the search and of the comparison are gone; one is left of each recipe."""
    solutions = trained_app.personalize_resources()["solutions"]
    recipes = [recipe.key for recipe in trained_app.deployment.config.training.recipes]
    assert len(solutions) == len(recipes)
    serving = history.serving_versions(trained_app.deployment)
    assert {arn.rsplit("/", 1)[0] for arn in serving.values()} <= set(solutions)


def test_a_campaign_goes_back_to_an_earlier_version_and_the_gate_leaves_it_there(
    trained_app: DeployedApp,
) -> None:
    """An earlier version is made by hand; the one that was trained is rolled back from, and then back to."""
    personalize = trained_app.client("personalize")
    trained = trained_app.trained["versions"]["sims"]["solutionVersionArn"]
    campaign = f"arn:aws:personalize:{trained.split(':')[3]}:{trained.split(':')[4]}:campaign/travel-sims"
    with pytest.raises(OperatorError, match=f"there are: .*{trained}"):
        trained_app.execute("RollbackStateMachine", {"recipe": "sims", "to": "travel-sims-none/v-1"})
    with pytest.raises(OperatorError, match="no earlier version"):
        trained_app.execute("RollbackStateMachine", {"recipe": "sims"})
    other = _another_version(trained_app, trained)
    done = trained_app.execute("RollbackStateMachine", {"recipe": "sims", "to": other})
    assert (done["solutionVersionArn"], done["replaced"]) == (other, trained)
    assert personalize.describe_campaign(campaignArn=campaign)["campaign"]["solutionVersionArn"] == other
    again = trained_app.execute("TrainStateMachine", {"manifestUri": trained_app.prepared["manifestUri"]})
    assert again["versions"]["sims"]["promoted"] is False
    assert personalize.describe_campaign(campaignArn=campaign)["campaign"]["solutionVersionArn"] == other
    back = trained_app.execute("RollbackStateMachine", {"recipe": "sims", "to": trained})
    assert back["solutionVersionArn"] == trained
    versions = {version.arn: version for version in history.read(trained_app.deployment)}
    assert (versions[trained].outcome, versions[other].outcome) == ("serves", "rolled back")


def _another_version(app: DeployedApp, like: str) -> str:
    """Train a second version of a solution, and record it as the training machine does."""
    personalize, dynamodb = app.client("personalize"), app.client("dynamodb")
    key = {"recipe_key": {"S": "sims"}, "solution_version_arn": {"S": like}}
    record = dynamodb.get_item(TableName=app.output("VersionsTable"), Key=key)["Item"]
    arn: str = personalize.create_solution_version(solutionArn=like.rsplit("/", 1)[0], name="earlier")[
        "solutionVersionArn"
    ]
    while (
        personalize.describe_solution_version(solutionVersionArn=arn)["solutionVersion"]["status"] != "ACTIVE"
    ):
        time.sleep(0.2)
    item = {**record, "solution_version_arn": {"S": arn}, "decision": {"S": "held back"}}
    dynamodb.put_item(TableName=app.output("VersionsTable"), Item=item)
    return arn


def test_a_sell_out_and_an_event_change_the_next_answer(trained_app: DeployedApp) -> None:
    story = tell(trained_app.deployment, trained_app.api, Terminal())["recommendations"]
    assert story["soldOut"] == story["before"]["items"][0]["itemId"]
    assert story["soldOut"] not in [item["itemId"] for item in story["afterSellOut"]["items"]]
    assert is_scored_otherwise(story["afterSellOut"]["items"], story["afterEvent"]["items"])


def test_similar_items_and_coupons_answer_for_a_known_user(trained_app: DeployedApp) -> None:
    item = query(trained_app.deployment, "SELECT item_id FROM interactions ORDER BY timestamp DESC LIMIT 1")[
        0
    ]
    user = query(trained_app.deployment, "SELECT user_id FROM interactions ORDER BY timestamp DESC LIMIT 1")[
        0
    ]
    similar = trained_app.api.call("GET", f"/items/{quote(item['item_id'], safe='')}/similar", numResults=3)
    assert item["item_id"] not in [answer["itemId"] for answer in similar["items"]]
    coupons = trained_app.api.call("GET", f"/users/{quote(user['user_id'], safe='')}/coupons", numResults=3)
    assert len(coupons["items"]) == 3


def test_a_campaign_keeps_to_what_was_asked_for_and_is_found_by_athena(trained_app: DeployedApp) -> None:
    homes = query(trained_app.deployment, "SELECT user_id FROM coupon_users WHERE home_city = 'DEL'")
    asked = {"budget": 900.0, "audience": {"home_city": "DEL"}, "control_share": 0.3}
    campaign: dict[str, Any] = trained_app.execute("CampaignStateMachine", asked)
    rows = list(csv.DictReader(io.StringIO(trained_app.read_text(campaign["campaignFile"]))))
    assert rows
    assert sum(float(row["cost"]) for row in rows) <= 900.0
    assert {row["user_id"] for row in rows} <= {row["user_id"] for row in homes}
    assert len({row["user_id"] for row in rows}) == len(rows)
    report = json.loads(trained_app.read_text(campaign["report"]))
    assert report["audience"] == len(homes)
    assert 0 < report["controlUsers"] < len(homes)
    run = campaign["campaignRun"]
    for table, expected in (("campaign_coupons", len(rows)), ("campaign_segments", len(homes))):
        counted = query(
            trained_app.deployment,
            f"SELECT count(*) AS rows FROM {table} WHERE campaign_run = '{run}'"  # noqa: S608
            + (" AND treatment = 'sent'" if table == "campaign_coupons" else ""),
        )
        assert int(counted[0]["rows"]) == expected
    assert not campaign_outcome.read(trained_app.deployment, run).observed
    _redeem(trained_app, rows[::2], report["asOf"] + 60)


def _redeem(app: DeployedApp, rows: list[dict[str, str]], moment: int) -> None:
    """Have coupons redeemed: the export of the coupon system that a later preparation of the data finds."""
    at = datetime.datetime.fromtimestamp(moment, ZoneInfo("Asia/Kolkata")).strftime("%Y-%m-%d %H:%M:%S")
    lines = [f"{row['user_id']},{row['coupon_id']},redeemed,{at}\n" for row in rows]
    body = "customer_id,coupon_code,what,happened_at\n" + "".join(lines)
    app.client("s3").put_object(Bucket=app.output("RawBucket"), Key=REDEEMED, Body=body.encode())


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"budget": -5}, "budget must be a number above 0, not -5"),
        ({"coupons": "C9999"}, "coupons names coupons that do not exist: C9999"),
        ({"audience": {"home_city": "nowhere"}}, "is empty"),
    ],
)
def test_a_campaign_that_cannot_be_made_says_why_and_writes_nothing(
    trained_app: DeployedApp, asked: dict[str, Any], says: str
) -> None:
    listing = {"Bucket": trained_app.output("ResultsBucket"), "Prefix": "campaigns/"}
    before = trained_app.client("s3").list_objects_v2(**listing).get("KeyCount")
    with pytest.raises(OperatorError, match=says):
        trained_app.execute("CampaignStateMachine", asked)
    assert trained_app.client("s3").list_objects_v2(**listing).get("KeyCount") == before


def test_a_forgotten_user_is_gone_from_raw_data_datasets_campaigns_and_personalize(
    trained_app: DeployedApp,
) -> None:
    """Comes after what needs the data as it was."""
    statement = """
        SELECT user_id FROM coupon_interactions WHERE user_id IN (SELECT user_id FROM campaign_segments)
        GROUP BY user_id ORDER BY count(*) DESC LIMIT 1
    """
    user_id = query(trained_app.deployment, statement)[0]["user_id"]
    forgotten = forget(trained_app.deployment, Terminal(), [user_id])
    assert all(found["records"] > 0 for found in forgotten["deleted"].values())
    datasets = {"Bucket": trained_app.output("DatasetsBucket"), "Prefix": "personalize/"}
    pages = trained_app.client("s3").get_paginator("list_objects_v2").paginate(**datasets)
    places = {found["Key"].split("/")[1] for page in pages for found in page["Contents"]}
    assert places == {"latest.json", forgotten["dataVersion"]}
    manifest_uri = f"s3://{datasets['Bucket']}/personalize/{forgotten['dataVersion']}/manifest.json"
    trained_app.prepared = {"dataVersion": forgotten["dataVersion"], "manifestUri": manifest_uri}
    for table in (
        "curated_interactions", "curated_customers", "curated_coupon_events", "users", "campaign_segments",
    ):  # fmt: skip
        named = query(trained_app.deployment, f"SELECT DISTINCT user_id FROM {table}")  # noqa: S608
        assert named
        assert {"user_id": user_id} not in named


def test_once_its_events_are_in_a_campaign_is_compared_with_its_control_group(
    trained_app: DeployedApp,
) -> None:
    """Comes after the user was forgotten: the data was prepared anew for that."""
    raw = trained_app.read_text(f"s3://{trained_app.output('RawBucket')}/{REDEEMED}").splitlines()
    outcome = campaign_outcome.read(trained_app.deployment, None)
    assert outcome.observed
    assert outcome.total(treatment="sent").redeemed == len(raw) - 1 > 0
    assert outcome.total(treatment="control").redeemed == 0
    assert outcome.effect("redeemed").additional == pytest.approx(len(raw) - 1)
    assert "of control redeemed" in page(trained_app.name, outcome)
