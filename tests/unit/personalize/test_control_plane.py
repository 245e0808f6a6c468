"""The control plane's rules: names, states, dependencies, quotas, pages, tags, configuration."""

from __future__ import annotations

import json
import time

import pytest

from localcloud.personalize import register_operations
from localcloud.personalize.operations import HANDLERS, NOT_BUILT
from localcloud.personalize.wire import SERVICES, service_model
from tests.unit.personalize.in_process import (
    INTERACTIONS_SCHEMA,
    ITEMS_SCHEMA,
    AwsError,
    interactions_csv,
)


def error_of(cloud, operation, **request):
    with pytest.raises(AwsError) as raised:
        cloud.call(operation, **request)
    return raised.value


def test_every_operation_of_the_three_services_is_answered_or_named_as_not_built():
    register_operations()
    names = {name for service in SERVICES for name in service_model(service).operation_names}
    assert names == HANDLERS.keys() | NOT_BUILT.keys()
    assert not HANDLERS.keys() & NOT_BUILT.keys()


def test_requests_are_checked_against_the_service_model(cloud):
    error = error_of(cloud, "CreateDatasetGroup", name="-no")
    assert error.code == "InvalidInputException"
    assert (
        "Value '-no' at 'name' failed to satisfy constraint: Member must satisfy regular expression"
        in error.message
    )
    assert "Value null at 'schema'" in error_of(cloud, "CreateSchema", name="x").message
    assert "less than or equal to 100" in error_of(cloud, "ListSchemas", maxResults=101).message
    assert (
        "enum value set: [ECOMMERCE, VIDEO_ON_DEMAND]"
        in error_of(cloud, "CreateDatasetGroup", name="x", domain="TRAVEL").message
    )
    assert "must be of type string" in error_of(cloud, "CreateDatasetGroup", name=3).message


def test_an_unknown_operation_and_a_body_that_is_no_json_are_errors(cloud):
    status, headers, _ = cloud.service.answer(cloud.region, "POST", "/", "AmazonPersonalize.MakeTea", b"{}")
    assert (status, headers["x-amzn-errortype"]) == (400, "UnknownOperationException")
    status, headers, _ = cloud.service.answer(cloud.region, "POST", "/events", "", b"[1")
    assert (status, headers["x-amzn-errortype"]) == (400, "SerializationException")


def test_errors_have_the_http_status_of_their_service(cloud):
    arn = "arn:aws:personalize:ap-south-1:123456789012:campaign/none"
    request = json.dumps({"campaignArn": arn, "userId": "u"}).encode()
    runtime = cloud.service.answer(cloud.region, "POST", "/recommendations", "", request)
    control = cloud.service.answer(
        cloud.region,
        "POST",
        "/",
        "AmazonPersonalize.DescribeCampaign",
        json.dumps({"campaignArn": arn}).encode(),
    )
    assert (runtime[0], control[0]) == (404, 400)
    assert runtime[1]["x-amzn-errortype"] == control[1]["x-amzn-errortype"] == "ResourceNotFoundException"


def test_a_name_can_be_taken_once(cloud):
    arn = cloud.group("shop")
    error = error_of(cloud, "CreateDatasetGroup", name="shop")
    assert error.code == "ResourceAlreadyExistsException"
    assert error.message == f"Another resource with Arn {arn} already exists."


def test_what_does_not_exist_is_not_found(cloud):
    arn = "arn:aws:personalize:ap-south-1:123456789012:campaign/none"
    assert error_of(cloud, "DescribeCampaign", campaignArn=arn).code == "ResourceNotFoundException"
    assert (
        error_of(cloud, "GetRecommendations", campaignArn=arn, userId="u").code == "ResourceNotFoundException"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "Shops"}, "must be Interactions, Items or Users"),
        ({"type": "map"}, "must be an Avro record"),
        (
            {"fields": [{"name": "USER_ID", "type": "string"}, {"name": "ITEM_ID", "type": "string"}]},
            "TIMESTAMP",
        ),
        ({"extra": {"name": "ITEMID", "type": "string"}}, "the same but for case and underscores"),
        (
            {"extra": {"name": "EVENT_TYPE", "type": "long"}},
            "reserved field EVENT_TYPE must be of type string",
        ),
        ({"extra": {"name": "TAGS", "type": {"type": "array", "items": "string"}}}, "has the type"),
        (
            {"extra": {"name": "PRICE", "type": "float", "categorical": True}},
            "only strings can be categorical",
        ),
        ({"extra": {"name": "TEXT", "type": "string", "textual": True}}, "only Items schemas"),
    ],
)
def test_a_schema_that_breaks_personalizes_rules_is_refused(cloud, change, message):
    schema = json.loads(INTERACTIONS_SCHEMA)
    schema["fields"] = schema["fields"][:3]
    if "extra" in change:
        schema["fields"].append(change["extra"])
    else:
        schema |= change
    error = error_of(cloud, "CreateSchema", name="x", schema=json.dumps(schema))
    assert error.code == "InvalidInputException"
    assert message in error.message


def test_lists_come_in_pages(cloud):
    for number in range(5):
        cloud.call("CreateSchema", name=f"s{number}", schema=ITEMS_SCHEMA)
    names, token = [], {}
    while True:
        page = cloud.call("ListSchemas", maxResults=2, **token)
        names += [schema["name"] for schema in page["schemas"]]
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert names == ["s0", "s1", "s2", "s3", "s4"]
    assert error_of(cloud, "ListSolutions", **token).code == "InvalidNextTokenException"
    assert error_of(cloud, "ListSchemas", nextToken="bogus").code == "InvalidNextTokenException"


def test_tags_are_added_changed_and_removed(cloud):
    arn = cloud.call("CreateDatasetGroup", name="g", tags=[{"tagKey": "team", "tagValue": "a"}])[
        "datasetGroupArn"
    ]
    cloud.call(
        "TagResource",
        resourceArn=arn,
        tags=[{"tagKey": "team", "tagValue": "b"}, {"tagKey": "x", "tagValue": ""}],
    )
    cloud.call("UntagResource", resourceArn=arn, tagKeys=["x"])
    assert cloud.call("ListTagsForResource", resourceArn=arn)["tags"] == [{"tagKey": "team", "tagValue": "b"}]
    many = [{"tagKey": f"k{number}", "tagValue": "v"} for number in range(50)]
    assert error_of(cloud, "TagResource", resourceArn=arn, tags=many).code == "TooManyTagsException"


def test_the_sixth_dataset_group_exceeds_the_quota(cloud):
    for number in range(5):
        cloud.group(f"g{number}")
    error = error_of(cloud, "CreateDatasetGroup", name="g5")
    assert error.code == "LimitExceededException"
    assert "More than 5 resources in ACTIVE state" in error.message


def test_what_is_in_use_cannot_be_deleted(cloud):
    group_arn = cloud.group()
    dataset_arn = cloud.dataset(group_arn, "INTERACTIONS", INTERACTIONS_SCHEMA)
    schema_arn = cloud.call("ListSchemas")["schemas"][0]["schemaArn"]
    assert error_of(cloud, "DeleteSchema", schemaArn=schema_arn).code == "ResourceInUseException"
    error = error_of(cloud, "DeleteDatasetGroup", datasetGroupArn=group_arn)
    assert error.code == "ResourceInUseException"
    assert dataset_arn in error.message
    cloud.call("DeleteDataset", datasetArn=dataset_arn)
    gone(cloud, "DescribeDataset", datasetArn=dataset_arn)
    cloud.call("DeleteSchema", schemaArn=schema_arn)
    cloud.call("DeleteDatasetGroup", datasetGroupArn=group_arn)
    gone(cloud, "DescribeDatasetGroup", datasetGroupArn=group_arn)


def gone(cloud, operation, **request):
    """Wait until a deleted resource is no longer described."""
    code = ""
    for _ in range(1000):
        try:
            cloud.call(operation, **request)
        except AwsError as error:
            code = error.code
            break
        time.sleep(0.01)
    assert code == "ResourceNotFoundException"


def test_a_dataset_group_has_one_dataset_of_a_type_and_one_event_tracker(cloud):
    group_arn = cloud.group()
    dataset_arn = cloud.dataset(group_arn, "ITEMS", ITEMS_SCHEMA)
    schema_arn = cloud.call("ListSchemas")["schemas"][0]["schemaArn"]
    again = {"name": "again", "schemaArn": schema_arn, "datasetGroupArn": group_arn}
    error = error_of(cloud, "CreateDataset", datasetType="ITEMS", **again)
    assert error.code == "ResourceAlreadyExistsException"
    assert dataset_arn in error.message
    assert "not a schema of USERS" in error_of(cloud, "CreateDataset", datasetType="USERS", **again).message
    cloud.call("CreateEventTracker", name="one", datasetGroupArn=group_arn)
    error = error_of(cloud, "CreateEventTracker", name="two", datasetGroupArn=group_arn)
    assert error.code == "ResourceAlreadyExistsException"


def test_a_new_schema_may_add_nullable_columns_only(cloud):
    group_arn = cloud.group()
    dataset_arn = cloud.dataset(group_arn, "ITEMS", ITEMS_SCHEMA)
    schema = json.loads(ITEMS_SCHEMA)
    schema["fields"].append({"name": "STARS", "type": "int"})
    strict = cloud.call("CreateSchema", name="strict", schema=json.dumps(schema))["schemaArn"]
    schema["fields"][-1]["type"] = ["null", "int"]
    loose = cloud.call("CreateSchema", name="loose", schema=json.dumps(schema))["schemaArn"]
    assert (
        "must allow null"
        in error_of(cloud, "UpdateDataset", datasetArn=dataset_arn, schemaArn=strict).message
    )
    cloud.call("UpdateDataset", datasetArn=dataset_arn, schemaArn=loose)
    dataset = cloud.call("DescribeDataset", datasetArn=dataset_arn)["dataset"]
    assert dataset["schemaArn"] == loose
    assert dataset["latestDatasetUpdate"]["status"] == "ACTIVE"


def test_the_schema_of_interactions_cannot_be_replaced(cloud):
    group_arn = cloud.group()
    dataset_arn = cloud.dataset(group_arn, "INTERACTIONS", INTERACTIONS_SCHEMA)
    schema = json.loads(INTERACTIONS_SCHEMA)
    schema["fields"].append({"name": "DEVICE", "type": ["null", "string"], "categorical": True})
    more = cloud.call("CreateSchema", name="more", schema=json.dumps(schema))["schemaArn"]
    error = error_of(cloud, "UpdateDataset", datasetArn=dataset_arn, schemaArn=more)
    assert error.code == "InvalidInputException"
    assert "only ITEMS and USERS can get a new schema" in error.message


def test_training_needs_a_thousand_interactions_and_25_users_with_two(cloud):
    group_arn = cloud.group()
    dataset_arn = cloud.dataset(group_arn, "INTERACTIONS", INTERACTIONS_SCHEMA)
    few = cloud.import_rows(dataset_arn, interactions_csv(users=20, per_user=10), "few")
    assert few["status"] == "CREATE FAILED"
    assert "There are 200 rows of data; at least 1000 are needed." in few["failureReason"]
    cloud.import_rows(dataset_arn, interactions_csv(users=20, per_user=60), "lonely")
    version = cloud.version(cloud.solution(group_arn, "sims"))
    assert version["status"] == "CREATE FAILED"
    assert "fewer than 25 users with at least 2 interactions each" in version["failureReason"]
    version = cloud.version(cloud.solution(group_arn, "popularity-count", eventType="purchase"))
    assert "fewer than 1000 interactions after filtering by event type: purchase" in version["failureReason"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"algorithmHyperParameters": {"bptt": "64"}}, "bptt is 64; it must lie in [2, 32]."),
        ({"algorithmHyperParameters": {"depth": "3"}}, "has no hyperparameter depth"),
        (
            {"featureTransformationParameters": {"max_user_history_length_percentile": "2"}},
            "max_user_history_length_percentile is 2; it must lie in [0.0, 1.0].",
        ),
        ({"algorithmHyperParameters": {"recency_mask": "maybe"}}, "it must be True or False"),
        (
            {"hpoConfig": {"hpoResourceConfig": {"maxNumberOfTrainingJobs": "many"}}},
            "maxNumberOfTrainingJobs is 'many'",
        ),
        (
            {
                "hpoConfig": {
                    "algorithmHyperParameterRanges": {"integerHyperParameterRanges": [{"name": "x"}]}
                }
            },
            "x cannot be tuned",
        ),
        (
            {
                "hpoConfig": {
                    "algorithmHyperParameterRanges": {
                        "integerHyperParameterRanges": [{"name": "bptt", "minValue": 1, "maxValue": 9}]
                    }
                }
            },
            "The range [1, 9] of bptt must lie in [2, 32]",
        ),
        (
            {"trainingDataConfig": {"excludedDatasetColumns": {"ITEMS": ["COLOR"]}}},
            "COLOR is not a metadata column",
        ),
        ({"eventValueThreshold": "high"}, "eventValueThreshold is 'high'"),
        ({"eventValueThreshold": "nan"}, "it must be a finite number"),
        (
            {"optimizationObjective": {"itemAttribute": "PRICE", "objectiveSensitivity": "LOW"}},
            "itemAttribute is PRICE; it must be a column of numbers of the Items dataset that does not allow",
        ),
        ({"optimizationObjective": {"objectiveSensitivity": "HIGH"}}, "needs an itemAttribute"),
    ],
)
def test_a_wrong_solution_configuration_is_refused_by_name_and_value(cloud, config, message):
    group_arn = cloud.group()
    cloud.dataset(group_arn, "ITEMS", ITEMS_SCHEMA)
    error = error_of(
        cloud,
        "CreateSolution",
        name="s",
        datasetGroupArn=group_arn,
        recipeArn="arn:aws:personalize:::recipe/aws-user-personalization",
        solutionConfig=config,
    )
    assert error.code == "InvalidInputException"
    assert message in error.message


def test_what_is_not_built_says_so(cloud):
    arn = "arn:aws:personalize:ap-south-1:123456789012:recommender/r"
    error = error_of(cloud, "DescribeRecommender", recommenderArn=arn)
    assert error.code == "InvalidInputException"
    assert "not built in localcloud" in error.message
    assert "not built" in error_of(cloud, "CreateDatasetGroup", name="d", domain="ECOMMERCE").message
