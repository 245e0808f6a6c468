"""The states that bring datasets into Personalize: groups, schemas, datasets, imports, trackers, filters."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from stacks.constructs.personalize import EXISTS, EnsureActive, PersonalizeCall

PENDING_IMPORTS = 5  # Personalize's quota a region


def at(path: str) -> str:
    """Return a reference to the state's input."""
    return sfn.JsonPath.string_at(path)


class DatasetStates(Construct):
    """`chain` expects the plan at `$.plan` and leaves the input as it was."""

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, role_arn: str, poll_seconds: int
    ) -> None:
        super().__init__(scope, construct_id)
        self._name = name
        self._role_arn = role_arn
        self._poll_seconds = poll_seconds
        groups = self._for_each("For each dataset group", "$.plan.datasetGroups", self._group())
        datasets = self._for_each("For each dataset", "$.plan.datasets", self._dataset(), PENDING_IMPORTS)
        trackers = self._for_each("For each event tracker", "$.plan.datasetGroups", self._tracker())
        filters = self._for_each("For each filter", "$.plan.filters", self._filter())
        self.chain = groups.next(datasets).next(trackers).next(filters)

    def _for_each(self, title: str, items: str, body: sfn.IChainable, at_once: int | None = None) -> sfn.Map:
        each = sfn.Map(
            self, title, items_path=items, result_path=sfn.JsonPath.DISCARD, max_concurrency=at_once
        )
        each.item_processor(body)
        return each

    def _arns(self, *kinds: str) -> list[str]:
        stack = cdk.Stack.of(self)
        return [
            stack.format_arn(service="personalize", resource=kind, resource_name=f"{self._name}*")
            for kind in kinds
        ]

    def _group(self) -> sfn.IChainable:
        return EnsureActive(
            self,
            "the dataset group",
            kind="datasetGroup",
            describe={"DatasetGroupArn": at("$.arn")},
            create={"Name": at("$.name")},
            resources=self._arns("dataset-group"),
            poll_seconds=self._poll_seconds,
        )

    def _dataset(self) -> sfn.IChainable:
        schema = PersonalizeCall(
            self,
            "Create the schema",
            action="createSchema",
            parameters={"Name": at("$.schemaName"), "Schema": at("$.schema")},
            resources=self._arns("schema"),
            retry_seconds=self._poll_seconds,
            result_path=sfn.JsonPath.DISCARD,
        )
        dataset = EnsureActive(
            self,
            "the dataset",
            kind="dataset",
            describe={"DatasetArn": at("$.arn")},
            create={
                "Name": at("$.name"),
                "SchemaArn": at("$.schemaArn"),
                "DatasetGroupArn": at("$.datasetGroupArn"),
                "DatasetType": at("$.type"),
            },
            resources=self._arns("dataset", "dataset-group", "schema"),
            poll_seconds=self._poll_seconds,
        )
        new_schema = PersonalizeCall(
            self,
            "Give the dataset its new schema",
            action="updateDataset",
            parameters={"DatasetArn": at("$.arn"), "SchemaArn": at("$.schemaArn")},
            resources=self._arns("dataset", "schema"),
            retry_seconds=self._poll_seconds,
            result_path=sfn.JsonPath.DISCARD,
        )
        new_schema.next(dataset)
        has_schema = sfn.Condition.string_equals_json_path("$.found.Dataset.SchemaArn", "$.schemaArn")
        schema.add_catch(dataset, errors=[EXISTS], result_path=sfn.JsonPath.DISCARD)
        choice = (
            sfn.Choice(self, "Has it this schema?").when(has_schema, self._import()).otherwise(new_schema)
        )
        schema.next(dataset.next(choice))
        return schema

    def _import(self) -> sfn.IChainable:
        return EnsureActive(
            self,
            "the import",
            kind="datasetImportJob",
            describe={"DatasetImportJobArn": at("$.importArn")},
            create={
                "JobName": at("$.importName"),
                "DatasetArn": at("$.arn"),
                "DataSource": {"DataLocation": at("$.location")},
                "RoleArn": self._role_arn,
                "ImportMode": "FULL",
            },
            resources=self._arns("dataset", "dataset-import-job"),
            poll_seconds=self._poll_seconds,
            pass_role=self._role_arn,
        )

    def _tracker(self) -> sfn.IChainable:
        trackers = cdk.Stack.of(self).format_arn(
            service="personalize", resource="event-tracker", resource_name="*"
        )
        resources = [*self._arns("dataset-group"), trackers]
        look = PersonalizeCall(
            self,
            "Look for the event tracker",
            action="listEventTrackers",
            parameters={"DatasetGroupArn": at("$.arn")},
            resources=resources,
            retry_seconds=self._poll_seconds,
            result_path="$.trackers",
        )
        create = PersonalizeCall(
            self,
            "Create the event tracker",
            action="createEventTracker",
            parameters={"Name": at("$.trackerName"), "DatasetGroupArn": at("$.arn")},
            resources=resources,
            retry_seconds=self._poll_seconds,
            result_path=sfn.JsonPath.DISCARD,
        )
        describe = PersonalizeCall(
            self,
            "Read its tracking id",
            action="describeEventTracker",
            parameters={"EventTrackerArn": at("$.trackers.EventTrackers[0].EventTrackerArn")},
            resources=resources,
            retry_seconds=self._poll_seconds,
            result_path="$.tracker",
        )
        parameters = cdk.Stack.of(self).format_arn(
            service="ssm", resource="parameter", resource_name=f"{self._name}/tracking-id/*"
        )
        store = tasks.CallAwsService(
            self,
            "Store the tracking id",
            service="ssm",
            action="putParameter",
            parameters={
                "Name": at("$.trackingParameter"),
                "Value": at("$.tracker.EventTracker.TrackingId"),
                "Type": "String",
                "Overwrite": True,
            },
            iam_resources=[parameters],
            result_path=sfn.JsonPath.DISCARD,
        )
        is_there = sfn.Condition.is_present("$.trackers.EventTrackers[0].EventTrackerArn")
        choice = sfn.Choice(self, "Is there a tracker?").when(is_there, describe.next(store))
        look.next(choice.otherwise(create.next(look)))
        return look

    def _filter(self) -> sfn.IChainable:
        return EnsureActive(
            self,
            "the filter",
            kind="filter",
            describe={"FilterArn": at("$.arn")},
            create={
                "Name": at("$.name"),
                "DatasetGroupArn": at("$.datasetGroupArn"),
                "FilterExpression": at("$.expression"),
            },
            resources=self._arns("filter", "dataset-group"),
            poll_seconds=self._poll_seconds,
        )
