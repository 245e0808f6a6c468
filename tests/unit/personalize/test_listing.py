"""What all List operations and all kinds of resources have in common: pages, tokens, tags."""

from __future__ import annotations

import pytest

from localcloud.personalize.errors import TooManyTagsError
from localcloud.personalize.tags import initial_tags
from localcloud.personalize.wire import service_model
from tests.unit.personalize.in_process import AwsError

MODEL = service_model("personalize")
LISTS = sorted(
    name
    for name in MODEL.operation_names
    if name.startswith("List")
    # Of one metric attribution, which this shop has not.
    and name not in {"ListMetricAttributionMetrics", "ListTagsForResource"}
)


def members_of(answer) -> list:
    return next(value for key, value in answer.items() if key != "nextToken")


@pytest.mark.parametrize("name", LISTS)
def test_pages_put_together_are_the_whole_list(shop, name):
    whole = members_of(shop.cloud.call(name, maxResults=100))
    paged, token = [], None
    while True:
        answer = shop.cloud.call(name, maxResults=2, **({"nextToken": token} if token else {}))
        assert len(members_of(answer)) <= 2
        paged += members_of(answer)
        token = answer.get("nextToken")
        if token is None:
            break
    assert paged == whole


@pytest.mark.parametrize("name", LISTS)
def test_a_token_that_the_operation_did_not_give_is_refused(shop, name):
    other = "ListSchemas" if name != "ListSchemas" else "ListRecipes"
    foreign = shop.cloud.call(other, maxResults=1)["nextToken"]
    for token in (foreign, "nonsense", foreign[:-4]):
        with pytest.raises(AwsError) as refused:
            shop.cloud.call(name, nextToken=token)
        assert refused.value.code == "InvalidNextTokenException"


@pytest.mark.parametrize(
    ("name", "member"),
    [
        ("ListDatasetGroups", "datasetGroupArn"),
        ("ListDatasets", "datasetArn"),
        ("ListDatasetImportJobs", "datasetImportJobArn"),
        ("ListEventTrackers", "eventTrackerArn"),
        ("ListSolutions", "solutionArn"),
        ("ListSolutionVersions", "solutionVersionArn"),
        ("ListCampaigns", "campaignArn"),
    ],
)
def test_every_kind_of_resource_takes_tags(shop, name, member):
    arn = members_of(shop.cloud.call(name))[0][member]
    shop.cloud.call("TagResource", resourceArn=arn, tags=[{"tagKey": "team", "tagValue": name}])
    tags = shop.cloud.call("ListTagsForResource", resourceArn=arn)["tags"]
    assert {"tagKey": "team", "tagValue": name} in tags
    shop.cloud.call("UntagResource", resourceArn=arn, tagKeys=["team"])
    tags = shop.cloud.call("ListTagsForResource", resourceArn=arn)["tags"]
    assert all(tag["tagKey"] != "team" for tag in tags)


def test_more_than_fifty_tags_are_refused_at_creation():
    tags = [{"tagKey": f"k{number}", "tagValue": "v"} for number in range(51)]
    assert len(initial_tags({"tags": tags[:50]})) == 50
    with pytest.raises(TooManyTagsError):
        initial_tags({"tags": tags})
