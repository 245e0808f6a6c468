"""Imports, exports, deletions, streams and what survives a restart."""

from __future__ import annotations

import json
import time

import pytest

from localcloud.personalize import attribution_reports
from tests.unit.personalize.in_process import (
    INTERACTIONS_SCHEMA,
    ITEMS_SCHEMA,
    ROLE,
    AwsError,
    InProcess,
    interactions_csv,
    sent_to_cloudwatch,
)


@pytest.fixture
def group(cloud):
    return cloud.group()


@pytest.fixture
def items(cloud, group):
    return cloud.dataset(group, "ITEMS", ITEMS_SCHEMA)


def rows_of(cloud, group, dataset_type="ITEMS"):
    table = cloud.region.data.of(group).table(dataset_type, "ALL")
    return table.to_pylist()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ITEM_ID,PRICE\na,1\n", "missing the following columns: [CATEGORY]"),
        (
            "ITEM_ID,CATEGORY,PRICE\na,x,1\nb,y,cheap\n",
            "bad.csv line 3: column PRICE: 'cheap' is not of the type float.",
        ),
        ("ITEM_ID,CATEGORY,PRICE\na,x,1\n,y,2\n", "bad.csv line 3: column ITEM_ID: a value is needed."),
        ("ITEM_ID,CATEGORY,PRICE\na,x\n", "bad.csv line 2: it has 2 values, the header has 3."),
        (
            f"ITEM_ID,CATEGORY,PRICE\n{'a' * 257},x,1\n",
            "line 2: column ITEM_ID: the value has 257 characters; 256",
        ),
        ("", "bad.csv is empty"),
        ("ITEM_ID,CATEGORY,PRICE\n", "There are 0 rows of data; at least 1 are needed."),
    ],
)
def test_a_bad_row_fails_the_import_with_its_line_and_column(cloud, items, text, reason):
    job = cloud.import_rows(items, text, "bad")
    assert job["status"] == "CREATE FAILED"
    assert reason in job["failureReason"]


def test_columns_may_come_in_any_order_and_nulls_where_the_schema_allows(cloud, group, items):
    cloud.import_rows(items, 'PRICE,OTHER,ITEM_ID,CATEGORY\n2,zz,a,"x, y"\n,zz,b,\n', "one")
    assert rows_of(cloud, group) == [
        {"ITEM_ID": "a", "CATEGORY": "x, y", "PRICE": 2.0},
        {"ITEM_ID": "b", "CATEGORY": None, "PRICE": None},
    ]


def test_full_replaces_and_incremental_adds_and_updates(cloud, group, items):
    head = "ITEM_ID,CATEGORY,PRICE\n"
    cloud.import_rows(items, head + "a,x,1\nb,x,2\n", "first")
    cloud.import_rows(items, head + "b,y,3\nc,y,4\n", "second", importMode="INCREMENTAL")
    assert {row["ITEM_ID"]: row["PRICE"] for row in rows_of(cloud, group)} == {"a": 1, "b": 3, "c": 4}
    cloud.call(
        "PutItems",
        datasetArn=items,
        items=[{"itemId": "p", "properties": json.dumps({"category": "z", "price": 9})}],
    )
    cloud.import_rows(items, head + "d,x,5\n", "third")
    cloud.region.data.of(group).fold_in({"ITEMS": ITEMS_SCHEMA})
    assert {row["ITEM_ID"] for row in rows_of(cloud, group)} == {"d", "p"}


def test_an_import_without_data_fails(cloud, items):
    arn = cloud.call(
        "CreateDatasetImportJob",
        jobName="none",
        datasetArn=items,
        dataSource={"dataLocation": "s3://raw/none"},
        roleArn=ROLE,
    )["datasetImportJobArn"]
    job = cloud.settled("DescribeDatasetImportJob", "datasetImportJob", datasetImportJobArn=arn)
    assert "There is no data at s3://raw/none." in job["failureReason"]


def test_an_export_has_what_was_imported_or_streamed(cloud, items):
    cloud.import_rows(items, "ITEM_ID,CATEGORY,PRICE\na,x,1\n", "first")
    cloud.call(
        "PutItems", datasetArn=items, items=[{"itemId": "p", "properties": '{"category": "z", "price": 9}'}]
    )
    for mode, ids in (("BULK", ["a"]), ("PUT", ["p"]), ("ALL", ["a", "p"])):
        arn = cloud.call(
            "CreateDatasetExportJob",
            jobName=mode.lower(),
            datasetArn=items,
            ingestionMode=mode,
            roleArn=ROLE,
            jobOutput={"s3DataDestination": {"path": "s3://out/export/"}},
        )["datasetExportJobArn"]
        job = cloud.settled("DescribeDatasetExportJob", "datasetExportJob", datasetExportJobArn=arn)
        assert job["status"] == "ACTIVE", job
        lines = cloud.bucket.read(f"s3://out/export/{mode.lower()}/part-00000.csv").splitlines()
        assert lines[0].replace('"', "") == "ITEM_ID,CATEGORY,PRICE"
        assert sorted(line.split(",")[0].strip('"') for line in lines[1:]) == ids


def test_deleted_users_are_gone_from_the_data(cloud, group):
    dataset = cloud.dataset(group, "INTERACTIONS", INTERACTIONS_SCHEMA)
    cloud.import_rows(dataset, interactions_csv(users=60), "all")
    cloud.bucket.write(b"USER_ID\nu1\nu2\nstranger\n", "s3://raw/doomed.csv")
    arn = cloud.call(
        "CreateDataDeletionJob",
        jobName="forget",
        datasetGroupArn=group,
        roleArn=ROLE,
        dataSource={"dataLocation": "s3://raw/doomed.csv"},
    )["dataDeletionJobArn"]
    job = cloud.settled("DescribeDataDeletionJob", "dataDeletionJob", dataDeletionJobArn=arn)
    assert job["status"] == "COMPLETED", job
    assert job["numDeleted"] == 2
    data = cloud.region.data.of(group)
    assert data.history("u1").item_ids == []
    assert len(data.history("u3").item_ids) == 20


def test_metric_attribution_reports_imported_events_to_s3(cloud, group):
    dataset = cloud.dataset(group, "INTERACTIONS", INTERACTIONS_SCHEMA)
    cloud.call(
        "CreateMetricAttribution",
        name="impact",
        datasetGroupArn=group,
        metrics=[
            {"eventType": "purchase", "metricName": "revenue", "expression": "SUM(Interactions.EVENT_VALUE)"},
            {"eventType": "view", "metricName": "views", "expression": "SAMPLECOUNT()"},
        ],
        metricsOutputConfig={"roleArn": ROLE, "s3DataDestination": {"path": "s3://out/impact/"}},
    )
    text = interactions_csv()
    job = cloud.import_rows(dataset, text, "all", publishAttributionMetricsToS3=True)
    assert job["status"] == "ACTIVE", job
    (report,) = (cloud.folder / "s3" / "out" / "impact").iterdir()
    rows = [line.split(",") for line in report.read_text().splitlines()[1:]]
    assert sum(float(row[2]) for row in rows if row[0] == "views") == text.count(",view,")
    assert sum(float(row[2]) for row in rows if row[0] == "revenue") == 2.5 * text.count(",purchase,")
    assert {row[4] for row in rows} == {"SOURCE_NAME_UNDEFINED"}


def test_metric_attribution_reports_streamed_events_to_cloudwatch(cloud, group, monkeypatch):
    cloud.dataset(group, "INTERACTIONS", INTERACTIONS_SCHEMA)
    cloud.call(
        "CreateMetricAttribution",
        name="impact",
        datasetGroupArn=group,
        metrics=[{"eventType": "view", "metricName": "countViews", "expression": "SAMPLECOUNT()"}],
        metricsOutputConfig={"roleArn": ROLE},
    )
    sent = sent_to_cloudwatch(monkeypatch, attribution_reports)
    monkeypatch.setattr(cloud.region, "in_background", lambda work: work())
    # Used as soon as it is known, without waiting for ACTIVE.
    tracking_id = cloud.call("CreateEventTracker", name="t", datasetGroupArn=group)["trackingId"]
    event = {"eventType": "view", "itemId": "i7", "sentAt": int(time.time())}
    event["metricAttribution"] = {"eventAttributionSource": "home_page"}
    cloud.call("PutEvents", trackingId=tracking_id, userId="u1", sessionId="s", eventList=[event] * 3)
    (datum,) = sent
    assert (datum["MetricName"], datum["Value"]) == ("COUNTVIEWS", 3)
    assert datum["Dimensions"] == [
        {"Name": "EventAttributionSource", "Value": "HOME_PAGE"},
        {"Name": "DatasetGroupArn", "Value": group},
    ]


def test_everything_survives_a_restart_with_a_data_folder(tmp_path):
    first = InProcess(tmp_path)
    group = first.group()
    dataset = first.dataset(group, "INTERACTIONS", INTERACTIONS_SCHEMA)
    first.import_rows(dataset, interactions_csv(), "all")
    tracking_id = first.call("CreateEventTracker", name="t", datasetGroupArn=group)["trackingId"]
    version = first.version(first.solution(group, "user-personalization"))
    campaign = first.campaign(
        "home", version["solutionVersionArn"], itemExplorationConfig={"explorationWeight": "0"}
    )
    event = {"eventType": "view", "itemId": "i7", "sentAt": 1_701_000_000}
    first.call("PutEvents", trackingId=tracking_id, userId="new", sessionId="s", eventList=[event])
    assert version["name"] == "/".join(version["solutionVersionArn"].split("/")[-2:])
    before = first.call("GetRecommendations", campaignArn=campaign, userId="new", numResults=5)["itemList"]
    first.service.stop()
    second = InProcess(tmp_path)
    after = second.call("GetRecommendations", campaignArn=campaign, userId="new", numResults=5)["itemList"]
    assert after == before
    assert (
        second.call("DescribeSolutionVersion", solutionVersionArn=version["solutionVersionArn"])[
            "solutionVersion"
        ]
        == first.call("DescribeSolutionVersion", solutionVersionArn=version["solutionVersionArn"])[
            "solutionVersion"
        ]
    )
    metrics = second.call("GetSolutionMetrics", solutionVersionArn=version["solutionVersionArn"])["metrics"]
    assert metrics["normalized_discounted_cumulative_gain_at_10"] > 0
    second.service.stop()


def test_a_line_that_a_kill_cut_off_is_dropped(tmp_path):
    cloud = InProcess(tmp_path)
    group = cloud.group()
    items = cloud.dataset(group, "ITEMS", ITEMS_SCHEMA)
    cloud.call("PutItems", datasetArn=items, items=[{"itemId": "p", "properties": '{"price": 9}'}])
    cloud.service.stop()
    stream = next((tmp_path / "data").rglob("items.jsonl"))
    with stream.open("a") as file:
        file.write('{"ITEM_ID": "q", "PRI')
    again = InProcess(tmp_path)
    assert list(again.region.data.of(group).items()) == ["p"]
    again.call("PutItems", datasetArn=items, items=[{"itemId": "r", "properties": '{"price": 1}'}])
    assert len(stream.read_text().splitlines()) == 2
    again.service.stop()


def test_a_campaign_update_cut_off_by_a_stop_has_failed_and_can_be_made_again(tmp_path):
    cloud = InProcess(tmp_path)
    group = cloud.group()
    dataset = cloud.dataset(group, "INTERACTIONS", INTERACTIONS_SCHEMA)
    cloud.import_rows(dataset, interactions_csv(), "all")
    version = cloud.version(cloud.solution(group, "popularity-count"))["solutionVersionArn"]
    campaign = cloud.campaign("popular", version)
    cloud.service.stop()
    state = next((tmp_path / "data").rglob("resources.json"))
    records = json.loads(state.read_text())
    saved = next(record for record in records if record["type"] == "Campaign")
    saved["latest_campaign_update"] = {"solutionVersionArn": version, "status": "CREATE IN_PROGRESS"}
    state.write_text(json.dumps(records))
    again = InProcess(tmp_path)
    described = again.call("DescribeCampaign", campaignArn=campaign)["campaign"]
    assert described["status"] == "ACTIVE"
    assert described["latestCampaignUpdate"]["status"] == "CREATE FAILED"
    again.call("UpdateCampaign", campaignArn=campaign, minProvisionedTPS=2)
    again.service.stop()


def test_a_dataset_cannot_go_while_it_is_trained_on_and_its_filters_say_that_it_is_gone(cloud, group, items):
    dataset = cloud.dataset(group, "INTERACTIONS", INTERACTIONS_SCHEMA)
    cloud.import_rows(dataset, interactions_csv(), "all")
    cloud.import_rows(items, "ITEM_ID,CATEGORY,PRICE\ni1,x,1\n", "items")
    solution = cloud.solution(group, "popularity-count")
    arn = cloud.call("CreateSolutionVersion", solutionArn=solution)["solutionVersionArn"]
    with pytest.raises(AwsError, match=f"is in use by {arn}"):
        cloud.call("DeleteDataset", datasetArn=items)
    cloud.settled("DescribeSolutionVersion", "solutionVersion", solutionVersionArn=arn)
    campaign = cloud.campaign("popular", arn)
    cheap = cloud.call(
        "CreateFilter",
        name="cheap",
        datasetGroupArn=group,
        filterExpression="INCLUDE ItemID WHERE Items.PRICE < 2",
    )["filterArn"]
    cloud.settled("DescribeFilter", "filter", filterArn=cheap)
    request = {"campaignArn": campaign, "userId": "u1", "filterArn": cheap}
    assert [one["itemId"] for one in cloud.call("GetRecommendations", **request)["itemList"]] == ["i1"]
    cloud.call("DeleteDataset", datasetArn=items)
    while any(one["datasetArn"] == items for one in cloud.call("ListDatasets")["datasets"]):
        pass
    with pytest.raises(AwsError, match="no Items dataset any more"):
        cloud.call("GetRecommendations", **request)


def test_a_model_of_another_version_of_localcloud_asks_for_a_new_training(tmp_path):
    cloud = InProcess(tmp_path)
    group = cloud.group()
    dataset = cloud.dataset(group, "INTERACTIONS", INTERACTIONS_SCHEMA)
    cloud.import_rows(dataset, interactions_csv(), "all")
    version = cloud.version(cloud.solution(group, "popularity-count"))["solutionVersionArn"]
    campaign = cloud.campaign("popular", version)
    cloud.service.stop()
    head = next((tmp_path / "data").rglob("model.json"))
    head.write_text(json.dumps({**json.loads(head.read_text()), "format": 0}))
    again = InProcess(tmp_path)
    with pytest.raises(AwsError, match="create a new solution version"):
        again.call("GetRecommendations", campaignArn=campaign, userId="u1")
    arn = again.call("CreateCampaign", name="other", solutionVersionArn=version)["campaignArn"]
    failed = again.settled("DescribeCampaign", "campaign", campaignArn=arn)
    assert failed["status"] == "CREATE FAILED"
    assert "create a new solution version" in failed["failureReason"]
    again.service.stop()
