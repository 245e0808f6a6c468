"""Trained campaigns, events and filters together: what the three services do with one shop."""

from __future__ import annotations

import json
import time

import pytest

from localcloud.personalize import call_metrics
from tests.unit.personalize.in_process import ROLE, AwsError, sent_to_cloudwatch


def recommended(shop, recipe="user-personalization", **request):
    answer = shop.cloud.call("GetRecommendations", campaignArn=shop.campaigns[recipe], **request)
    return [item["itemId"] for item in answer["itemList"]]


def ring_of(item_id: str) -> int:
    return int(item_id[1:]) // 20


def make_filter(shop, name, expression):
    arn = shop.cloud.call(
        "CreateFilter", name=name, datasetGroupArn=shop.group_arn, filterExpression=expression
    )["filterArn"]
    shop.cloud.settled("DescribeFilter", "filter", filterArn=arn)
    return arn


@pytest.fixture(scope="module")
def by_category(shop):
    return make_filter(shop, "by-category", "INCLUDE ItemID WHERE Items.CATEGORY IN ($CATEGORY)")


def test_every_recipe_beats_or_is_popularity_on_held_out_interactions(shop):
    ndcg = {}
    for recipe, version in shop.versions.items():
        metrics = shop.cloud.call("GetSolutionMetrics", solutionVersionArn=version["solutionVersionArn"])[
            "metrics"
        ]
        assert set(metrics) == {
            "coverage",
            "mean_reciprocal_rank_at_25",
            *(
                f"{name}_at_{k}"
                for name in ("normalized_discounted_cumulative_gain", "precision")
                for k in (5, 10, 25)
            ),
        }
        ndcg[recipe] = metrics["normalized_discounted_cumulative_gain_at_10"]
    assert ndcg["user-personalization"] > 3 * ndcg["popularity-count"]
    assert ndcg["personalized-ranking"] > 3 * ndcg["popularity-count"]
    assert ndcg["sims"] > 2 * ndcg["popularity-count"]


def test_recommendations_have_scores_in_order_and_metadata_on_request(shop):
    answer = shop.cloud.call(
        "GetRecommendations",
        campaignArn=shop.campaigns["user-personalization"],
        userId="u1",
        numResults=10,
        metadataColumns={"ITEMS": ["CATEGORY", "PRICE"]},
    )
    scores = [item["score"] for item in answer["itemList"]]
    assert scores == sorted(scores, reverse=True)
    assert 0 < sum(scores) <= 1
    assert len({item["itemId"] for item in answer["itemList"]}) == 10
    first = answer["itemList"][0]
    assert first["metadata"]["CATEGORY"].startswith(f"ring{ring_of(first['itemId'])}")
    assert answer["recommendationId"].startswith("RID-")


def test_an_event_changes_the_very_next_recommendations_of_that_user_only(shop):
    before, other = (
        recommended(shop, userId="newcomer", numResults=5),
        recommended(shop, userId="u5", numResults=5),
    )
    shop.cloud.call(
        "PutEvents",
        trackingId=shop.tracking_id,
        userId="newcomer",
        sessionId="s1",
        eventList=[{"eventType": "view", "itemId": "i45", "sentAt": time.time()}],
    )
    after = recommended(shop, userId="newcomer", numResults=5)
    assert after != before
    assert after[0] == "i46"
    assert recommended(shop, userId="u5", numResults=5) == other


def test_a_session_without_a_user_becomes_the_users_once_the_user_is_known(shop):
    event = {"eventType": "view", "properties": json.dumps({"itemId": "i25"}), "sentAt": 1_700_900_000}
    shop.cloud.call("PutEvents", trackingId=shop.tracking_id, sessionId="anonymous", eventList=[event])
    before = recommended(shop, userId="late", numResults=3)
    later = {**event, "properties": json.dumps({"itemId": "i26"}), "sentAt": "2023-11-26T00:00:00Z"}
    shop.cloud.call(
        "PutEvents", trackingId=shop.tracking_id, userId="late", sessionId="anonymous", eventList=[later]
    )
    history = shop.cloud.region.data.of(shop.group_arn).history("late")
    assert history.item_ids == ["i25", "i26"]
    assert recommended(shop, userId="late", numResults=3) != before


def test_a_session_gets_recommendations_by_its_id_before_the_user_is_known(shop):
    def first() -> str:
        return recommended(shop, userId="anonymous-session", numResults=1)[0]

    def look(item_id: str) -> None:
        event = {"eventType": "view", "itemId": item_id, "sentAt": 1_800_000_000 + int(item_id[1:])}
        shop.cloud.call(
            "PutEvents", trackingId=shop.tracking_id, sessionId="anonymous-session", eventList=[event]
        )

    for item_id in ("i44", "i45", "i46"):
        look(item_id)
    assert first() == "i47"


def test_an_event_id_counts_once(shop):
    def put(item_id: str) -> None:
        event = {"eventId": "e-1", "eventType": "view", "itemId": item_id, "sentAt": 1_800_000_000}
        shop.cloud.call(
            "PutEvents", trackingId=shop.tracking_id, userId="repeated", sessionId="r", eventList=[event]
        )

    put("i1")
    put("i2")
    assert shop.cloud.region.data.of(shop.group_arn).history("repeated").item_ids == ["i1"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trackingId": "nope"}, "no ACTIVE event tracker"),
        ({"properties": "{"}, "not valid JSON"),
        ({"properties": '{"colour": "red"}'}, "The property colour of an event is not in the schema"),
        ({"eventList": [{"eventType": "v", "sentAt": 1, "itemId": "i"}] * 11}, "less than or equal to 10"),
        ({"impression": ["x" * 256] * 25, "properties": json.dumps({"a": "y" * 900}), "big": True}, "bytes"),
    ],
)
def test_a_bad_event_is_refused(shop, change, message):
    event = {"eventType": "view", "itemId": "i1", "sentAt": 1_700_000_000}
    big = change.pop("big", False)
    event |= {name: value for name, value in change.items() if name in {"properties", "impression"}}
    if big:
        event["eventType"] = "e" * 256
        event["impression"] = ["é" * 256] * 25
    request = {"trackingId": shop.tracking_id, "userId": "u1", "sessionId": "s", "eventList": [event]}
    request |= {name: value for name, value in change.items() if name in request}
    with pytest.raises(AwsError) as raised:
        shop.cloud.call("PutEvents", **request)
    assert raised.value.code == "InvalidInputException"
    assert message in raised.value.message


def test_filters_decide_what_is_recommended(shop, by_category):
    items = recommended(
        shop, userId="u1", numResults=25, filterArn=by_category, filterValues={"CATEGORY": '"ring2"'}
    )
    assert len(items) == 20
    assert {ring_of(item) for item in items} == {2}
    with pytest.raises(AwsError, match="needs a value for"):
        recommended(shop, userId="u1", filterArn=by_category)
    with pytest.raises(AwsError, match="no parameter COLOUR"):
        recommended(
            shop, userId="u1", filterArn=by_category, filterValues={"CATEGORY": '"x"', "COLOUR": '"x"'}
        )


def test_a_filter_may_write_fields_in_another_case(shop):
    arn = make_filter(
        shop, "case", 'INCLUDE ItemID WHERE items.category IN ("ring1") IF currentuser.tier IN ("gold")'
    )
    assert {ring_of(item_id) for item_id in recommended(shop, userId="u0", filterArn=arn)} == {1}


def test_a_bought_item_is_gone_at_once_with_a_filter_on_purchases(shop):
    arn = make_filter(shop, "bought", 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("Purchase")')
    best = recommended(shop, userId="u9", numResults=1, filterArn=arn)[0]
    event = {"eventType": "purchase", "itemId": best, "sentAt": 1_701_000_000, "eventValue": 3.5}
    shop.cloud.call("PutEvents", trackingId=shop.tracking_id, userId="u9", sessionId="s", eventList=[event])
    assert best not in recommended(shop, userId="u9", numResults=60, filterArn=arn)


def test_new_item_metadata_counts_in_filters_at_once(shop, by_category):
    request = {
        "userId": "u1",
        "numResults": 25,
        "filterArn": by_category,
        "filterValues": {"CATEGORY": '"clearance"'},
    }
    assert recommended(shop, **request) == []
    shop.cloud.call(
        "PutItems",
        datasetArn=shop.dataset_arns["ITEMS"],
        items=[{"itemId": "i3", "properties": json.dumps({"category": "ring0|clearance", "price": 3})}],
    )
    assert recommended(shop, **request) == ["i3"]


def test_user_metadata_counts_in_if_conditions_at_once(shop):
    arn = make_filter(shop, "adults", "EXCLUDE ItemID WHERE Items.PRICE >= 30 IF CurrentUser.AGE < 18")
    assert len(recommended(shop, userId="u1", numResults=60, filterArn=arn)) == 60
    shop.cloud.call(
        "PutUsers",
        datasetArn=shop.dataset_arns["USERS"],
        users=[{"userId": "u1", "properties": '{"age": 12, "tier": "basic"}'}],
    )
    assert len(recommended(shop, userId="u1", numResults=60, filterArn=arn)) == 30


def test_similar_items_are_of_the_same_ring_and_not_the_item_itself(shop):
    items = recommended(shop, "sims", itemId="i5", numResults=5)
    assert {ring_of(item) for item in items} == {0}
    assert "i5" not in items
    assert recommended(shop, "sims", itemId="unheard-of", numResults=5) == recommended(
        shop, "popularity-count", userId="u1", numResults=5
    )


def test_ranking_puts_the_likely_items_first_and_unknown_ones_last(shop):
    answer = shop.cloud.call(
        "GetPersonalizedRanking",
        campaignArn=shop.campaigns["personalized-ranking"],
        userId="u3",
        inputList=["unheard-of", *(f"i{number}" for number in range(0, 60, 7))],
    )["personalizedRanking"]
    assert answer[-1] == {"itemId": "unheard-of", "score": 0.0}
    assert sum(item["score"] for item in answer) == pytest.approx(1, abs=1e-5)
    history = shop.cloud.region.data.of(shop.group_arn).history("u3").item_ids
    assert ring_of(answer[0]["itemId"]) == ring_of(history[-1])


def test_a_promotion_takes_its_share_of_the_places(shop, by_category):
    answer = shop.cloud.call(
        "GetRecommendations",
        campaignArn=shop.campaigns["user-personalization"],
        userId="u4",
        numResults=10,
        promotions=[
            {
                "name": "ring-one",
                "percentPromotedItems": 30,
                "filterArn": by_category,
                "filterValues": {"CATEGORY": '"ring1"'},
            }
        ],
    )["itemList"]
    promoted = [item["itemId"] for item in answer if item.get("promotionName") == "ring-one"]
    assert len(answer) == len({item["itemId"] for item in answer}) == 10
    assert len(promoted) == 3
    assert {ring_of(item) for item in promoted} == {1}


@pytest.mark.parametrize(
    ("recipe", "operation", "request_", "message"),
    [
        ("user-personalization", "GetRecommendations", {}, "needs userId"),
        ("sims", "GetRecommendations", {"userId": "u1"}, "needs itemId"),
        (
            "user-personalization",
            "GetRecommendations",
            {"userId": "u1", "numResults": 501},
            "must lie in [1, 500]",
        ),
        ("personalized-ranking", "GetRecommendations", {"userId": "u1"}, "use GetPersonalizedRanking"),
        ("sims", "GetPersonalizedRanking", {"userId": "u1", "inputList": ["i1"]}, "use GetRecommendations"),
        ("personalized-ranking", "GetPersonalizedRanking", {"userId": "u1", "inputList": []}, "1 to 500"),
        (
            "user-personalization",
            "GetRecommendations",
            {"userId": "u1", "filterValues": {"A": "1"}},
            "without a filterArn",
        ),
    ],
)
def test_a_request_that_does_not_fit_the_recipe_is_refused(shop, recipe, operation, request_, message):
    with pytest.raises(AwsError) as raised:
        shop.cloud.call(operation, campaignArn=shop.campaigns[recipe], **request_)
    assert raised.value.code == "InvalidInputException"
    assert message in raised.value.message


def run_batch(shop, name, recipe, lines, **more):
    shop.cloud.bucket.write("\n".join(lines).encode(), f"s3://batch/in/{name}.json")
    arn = shop.cloud.call(
        "CreateBatchInferenceJob",
        jobName=name,
        solutionVersionArn=shop.versions[recipe]["solutionVersionArn"],
        jobInput={"s3DataSource": {"path": f"s3://batch/in/{name}.json"}},
        jobOutput={"s3DataDestination": {"path": "s3://batch/out/"}},
        roleArn=ROLE,
        **more,
    )["batchInferenceJobArn"]
    return shop.cloud.settled("DescribeBatchInferenceJob", "batchInferenceJob", batchInferenceJobArn=arn)


def test_a_batch_job_answers_every_line_and_reports_the_bad_ones(shop, by_category):
    good = {"userId": "u1", "filterValues": {"CATEGORY": '"ring1"'}}
    job = run_batch(
        shop,
        "users",
        "user-personalization",
        [json.dumps(good), "{", '{"userId": "u2"}'],
        numResults=4,
        filterArn=by_category,
    )
    assert job["status"] == "ACTIVE"
    (line,) = shop.cloud.bucket.read("s3://batch/out/users.json.out").splitlines()
    answer = json.loads(line)
    assert answer["input"] == good
    assert {ring_of(item) for item in answer["output"]["recommendedItems"]} == {1}
    assert len(answer["output"]["scores"]) == 4
    assert answer["error"] is None
    errors = [
        json.loads(line)
        for line in shop.cloud.bucket.read("s3://batch/out/users.json.out.errors").splitlines()
    ]
    assert [error["input"] for error in errors] == ["{", '{"userId": "u2"}']
    assert "needs a value for $CATEGORY" in errors[1]["error"]
    assert shop.cloud.bucket.read("s3://batch/out/_CHECK") == ""


def test_batch_ranking_and_batch_similar_items(shop):
    run_batch(shop, "rank", "personalized-ranking", ['{"userId": "u1", "itemList": ["i1", "i2", "zz"]}'])
    output = json.loads(shop.cloud.bucket.read("s3://batch/out/rank.json.out"))["output"]
    assert sorted(output["recommendedItems"]) == ["i1", "i2", "zz"]
    assert sum(output["scores"]) == pytest.approx(1, abs=1e-5)
    run_batch(shop, "similar", "sims", ['{"itemId": "i1"}'], numResults=3)
    output = json.loads(shop.cloud.bucket.read("s3://batch/out/similar.json.out"))["output"]
    assert len(output["recommendedItems"]) == 3


def test_a_batch_job_without_one_good_line_fails(shop):
    job = run_batch(shop, "bad", "sims", ['{"userId": "u1"}'])
    assert job["status"] == "CREATE FAILED"
    assert "None of the 1 input lines" in job["failureReason"]


def test_user_segments_for_items_and_attributes(shop):
    recipes = ("item-affinity", "item-attribute-affinity")
    versions = shop.cloud.versions([shop.cloud.solution(shop.group_arn, recipe) for recipe in recipes])
    lines = {"by-item": {"itemId": "i5"}, "by-attribute": {"itemAttributes": 'ITEMS.CATEGORY = "ring0"'}}
    for version, (name, line) in zip(versions, lines.items(), strict=True):
        shop.cloud.bucket.write(json.dumps(line).encode(), f"s3://batch/in/{name}.json")
        arn = shop.cloud.call(
            "CreateBatchSegmentJob",
            jobName=name,
            solutionVersionArn=version["solutionVersionArn"],
            numResults=10,
            jobInput={"s3DataSource": {"path": f"s3://batch/in/{name}.json"}},
            jobOutput={"s3DataDestination": {"path": "s3://batch/segments/"}},
            roleArn=ROLE,
        )["batchSegmentJobArn"]
        job = shop.cloud.settled("DescribeBatchSegmentJob", "batchSegmentJob", batchSegmentJobArn=arn)
        assert job["status"] == "ACTIVE", job
        output = json.loads(shop.cloud.bucket.read(f"s3://batch/segments/{name}.json.out"))["output"]
        # As the developer guide calls them, and as AWS's notebooks read them.
        users = output["recommendedUsers"]
        assert users == output["usersList"]
        data = shop.cloud.region.data.of(shop.group_arn)
        assert len(users) == 10
        assert {ring_of(data.history(user).item_ids[-1]) for user in users} == {0}


def test_a_solution_in_service_cannot_be_deleted(shop):
    version = shop.versions["sims"]
    with pytest.raises(AwsError) as raised:
        shop.cloud.call("DeleteSolution", solutionArn=version["solutionArn"])
    assert raised.value.code == "ResourceInUseException"
    assert shop.campaigns["sims"] in raised.value.message


def test_recipes_for_batches_of_users_are_refused_elsewhere(shop):
    version = shop.cloud.version(shop.cloud.solution(shop.group_arn, "item-affinity", name="batches"))
    with pytest.raises(AwsError, match="it has no campaigns"):
        shop.cloud.call("CreateCampaign", name="no", solutionVersionArn=version["solutionVersionArn"])
    with pytest.raises(AwsError, match="makes no batch recommendations"):
        shop.cloud.call(
            "CreateBatchInferenceJob",
            jobName="no",
            solutionVersionArn=version["solutionVersionArn"],
            roleArn=ROLE,
            jobInput={"s3DataSource": {"path": "s3://in/in.json"}},
            jobOutput={"s3DataDestination": {"path": "s3://out/"}},
        )


def test_a_filter_about_users_is_refused_for_items(shop):
    arn = make_filter(shop, "grown-ups", "INCLUDE UserID WHERE Users.AGE > 18")
    with pytest.raises(AwsError, match="not about ItemID"):
        recommended(shop, userId="u1", filterArn=arn)


def test_calls_errors_and_latencies_are_reported_to_cloudwatch(shop, monkeypatch):
    sent = sent_to_cloudwatch(monkeypatch, call_metrics)
    metrics = shop.cloud.service._metrics["ap-south-1"]
    metrics.report()
    sent.clear()
    for _ in range(3):
        recommended(shop, userId="u1")
    with pytest.raises(AwsError):
        recommended(shop, userId="u1", numResults=501)
    metrics.report()
    by_name = {datum["MetricName"]: datum for datum in sent}
    assert by_name["GetRecommendations"]["Value"] == 3
    assert by_name["GetRecommendations4xxErrors"]["Value"] == 1
    assert len(by_name["GetRecommendationsLatency"]["Values"]) == 3
    assert by_name["GetRecommendations"]["Dimensions"] == [
        {"Name": "CampaignArn", "Value": shop.campaigns["user-personalization"]}
    ]
    sent.clear()
    metrics.report()
    assert not sent


def test_a_user_segment_file_has_at_most_ten_attribute_queries(shop):
    version = shop.cloud.version(shop.cloud.solution(shop.group_arn, "item-attribute-affinity", name="many"))
    line = json.dumps({"itemAttributes": "Items.PRICE < 3"})
    shop.cloud.bucket.write(f"{line}\n".encode() * 11, "s3://in/eleven.json")
    arn = shop.cloud.call(
        "CreateBatchSegmentJob",
        jobName="eleven",
        solutionVersionArn=version["solutionVersionArn"],
        roleArn=ROLE,
        jobInput={"s3DataSource": {"path": "s3://in/eleven.json"}},
        jobOutput={"s3DataDestination": {"path": "s3://out/eleven/"}},
    )["batchSegmentJobArn"]
    job = shop.cloud.settled("DescribeBatchSegmentJob", "batchSegmentJob", batchSegmentJobArn=arn)
    assert job["status"] == "CREATE FAILED"
    assert "eleven.json has 11 lines; the recipe answers at most 10 a file." in job["failureReason"]
