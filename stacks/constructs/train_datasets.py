"""The states that bring datasets into Personalize: groups, schemas, datasets, imports, trackers, filters."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from config.training import Waiting
from stacks.constructs.personalize import (
    EXISTS,
    NOT_FOUND,
    EnsureActive,
    PersonalizeCall,
    at,
    personalize_arns,
)
from stacks.constructs.retries import retry_small_call

PENDING_IMPORTS = 5  # Personalize's quota a region


class DatasetStates(Construct):
    """`chain` expects the plan at `$.plan` and leaves the input as it was."""

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, role_arn: str, waiting: Waiting
    ) -> None:
        super().__init__(scope, construct_id)
        self._name = name
        self._role_arn = role_arn
        self._waiting = waiting
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
        return personalize_arns(self, self._name, *kinds)

    def _call(
        self, title: str, action: str, parameters: dict[str, Any], *kinds: str, result_path: str | None = None
    ) -> PersonalizeCall:
        return PersonalizeCall(
            self,
            title,
            action=action,
            parameters=parameters,
            resources=self._arns(*kinds),
            waiting=self._waiting,
            until_free=action.startswith(("update", "delete")),
            result_path=result_path or sfn.JsonPath.DISCARD,
        )

    def _group(self) -> sfn.IChainable:
        return EnsureActive(
            self,
            "the dataset group",
            kind="datasetGroup",
            describe={"DatasetGroupArn": at("$.arn")},
            create={"Name": at("$.name")},
            resources=self._arns("dataset-group"),
            waiting=self._waiting,
        )

    def _dataset(self) -> sfn.IChainable:
        """Give the dataset the schema of the data, both made when they are missing, and import the data."""
        arn = {"DatasetArn": at("$.arn")}
        imported = self._import()
        look = self._call(
            "Look for the data's schema", "describeDataset", arn, "dataset", result_path="$.found"
        )
        schema = self._call(
            "Create the schema",
            "createSchema",
            {"Name": at("$.schemaName"), "Schema": at("$.schema")},
            "schema",
        )
        new_schema = self._call(
            "Give the dataset its new schema",
            "updateDataset",
            {**arn, "SchemaArn": at("$.schemaArn")},
            "dataset",
            "schema",
        )
        has_schema = sfn.Condition.string_equals_json_path("$.found.Dataset.SchemaArn", "$.schemaArn")
        takes_schema = sfn.Choice(self, "Does it take this schema?")
        dataset = EnsureActive(
            self,
            "the dataset",
            kind="dataset",
            describe=arn,
            create={
                "Name": at("$.name"),
                "SchemaArn": at("$.schemaArn"),
                "DatasetGroupArn": at("$.datasetGroupArn"),
                "DatasetType": at("$.type"),
            },
            resources=self._arns("dataset", "dataset-group", "schema"),
            waiting=self._waiting,
            then=takes_schema,
        )
        takes_schema.when(has_schema, imported).otherwise(new_schema.next(dataset))
        is_ready = sfn.Condition.string_equals("$.found.Dataset.Status", "ACTIVE")
        look.add_catch(schema, errors=[NOT_FOUND], result_path="$.missing")
        schema.add_catch(dataset, errors=[EXISTS], result_path="$.existed")
        schema.next(dataset)
        look.next(
            sfn.Choice(self, "Has it this schema?")
            .when(sfn.Condition.and_(is_ready, has_schema), imported)
            .otherwise(schema)
        )
        return look

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
                "ImportMode": at("$.importMode"),
            },
            resources=self._arns("dataset", "dataset-import-job"),
            waiting=self._waiting,
            pass_role=self._role_arn,
            pace="$$.Map.Item.Value.pace",
        )

    def _tracker(self) -> sfn.IChainable:
        trackers = cdk.Stack.of(self).format_arn(
            service="personalize", resource="event-tracker", resource_name="*"
        )

        def call(title: str, action: str, parameters: dict[str, Any], result_path: str) -> PersonalizeCall:
            return PersonalizeCall(
                self,
                title,
                action=action,
                parameters=parameters,
                resources=[*self._arns("dataset-group"), trackers],
                waiting=self._waiting,
                result_path=result_path,
            )

        group = {"DatasetGroupArn": at("$.arn")}
        look = call("Look for the event tracker", "listEventTrackers", group, "$.trackers")
        create = call(
            "Create the event tracker", "createEventTracker", {"Name": at("$.trackerName"), **group}, "$.made"
        )
        arn = "$.trackers.EventTrackers[0].EventTrackerArn"
        describe = call(
            "Read its tracking id", "describeEventTracker", {"EventTrackerArn": at(arn)}, "$.tracker"
        )
        choice = sfn.Choice(self, "Is there a tracker?").when(
            sfn.Condition.is_present(arn), describe.next(self._store_tracking_id())
        )
        look.next(choice.otherwise(create.next(look)))
        return look

    def _store_tracking_id(self) -> tasks.CallAwsService:
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
        retry_small_call(store)
        return store

    def _filter(self) -> sfn.IChainable:
        """Personalize cannot change a filter, whose name the API knows: another expression replaces it."""
        arn = {"FilterArn": at("$.arn")}
        ready = sfn.Pass(self, "the filter is ready")
        is_right = sfn.Choice(self, "Has it the configuration's expression?")
        filters = EnsureActive(
            self,
            "the filter",
            kind="filter",
            describe=arn,
            create={
                "Name": at("$.name"),
                "DatasetGroupArn": at("$.datasetGroupArn"),
                "FilterExpression": at("$.expression"),
            },
            resources=self._arns("filter", "dataset-group"),
            waiting=self._waiting,
            then=is_right,
        )
        delete = self._call(
            "Delete the filter of another expression", "deleteFilter", arn, "filter", result_path="$.replaced"
        )
        look = self._call("Is the old filter still there?", "describeFilter", arn, "filter")
        wait = sfn.Wait(
            self,
            "Wait until the old filter is gone",
            time=sfn.WaitTime.duration(cdk.Duration.seconds(self._waiting.first_seconds)),
        )
        for state in (delete, look):
            state.add_catch(filters.create, errors=[NOT_FOUND], result_path="$.replaced")
        delete.next(look)
        look.next(wait)
        wait.next(look)
        same = sfn.Condition.string_equals_json_path("$.found.Filter.FilterExpression", "$.expression")
        # Once: should Personalize write expressions in a way of its own, it is not replaced for ever.
        is_right.when(sfn.Condition.or_(same, sfn.Condition.is_present("$.replaced")), ready)
        is_right.otherwise(delete)
        return filters
