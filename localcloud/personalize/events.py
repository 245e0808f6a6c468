"""personalize-events: records one by one."""

from __future__ import annotations

import json
from typing import Any

from localcloud.personalize.action_events import check_action_event
from localcloud.personalize.attribution_reports import report_streamed_events
from localcloud.personalize.avro import (
    ACTION_INTERACTIONS,
    ACTIONS,
    INTERACTIONS,
    ITEMS,
    USERS,
    DatasetSchema,
    parse_schema,
)
from localcloud.personalize.errors import InvalidInputError, ResourceInUseError, ResourceNotFoundError
from localcloud.personalize.operations import Answer, Request, operation
from localcloud.personalize.properties import columns_of, parse_properties
from localcloud.personalize.quotas import EVENT_BYTES
from localcloud.personalize.region import Region
from localcloud.personalize.resources import ACTIVE, IN_PROGRESS, PENDING, Dataset, EventTracker, Schema
from localcloud.personalize.wire import timestamp

# Interaction columns that have members of their own in an event.
_EVENT_COLUMNS = frozenset(
    {
        "USER_ID",
        "ITEM_ID",
        "ACTION_ID",
        "TIMESTAMP",
        "EVENT_TYPE",
        "EVENT_VALUE",
        "IMPRESSION",
        "RECOMMENDATION_ID",
        "EVENT_ATTRIBUTION_SOURCE",
    }
)


@operation("PutEvents", "impressions count for exploration from the next training on")
def put_events(region: Region, request: Request) -> Answer:
    """Record what a user, or a session whose user is not known yet, did; it counts in the next request."""
    trackers = region.all(EventTracker, tracking_id=request["trackingId"])
    # A client that has just been given the trackingId may use it: creating the tracker takes no work.
    if not trackers or trackers[0].status not in {PENDING, IN_PROGRESS, ACTIVE}:
        raise InvalidInputError(
            f"There is no ACTIVE event tracker with the trackingId {request['trackingId']}."
        )
    group_arn = trackers[0].dataset_group_arn
    schema = region.schemas_of(group_arn).get(INTERACTIONS)
    if schema is None:
        raise InvalidInputError(f"{group_arn} has no Interactions dataset to record events in.")
    records = [_event_record(event, request, schema) for event in request["eventList"]]
    rows = [record for record in records if record is not None]
    region.data.of(group_arn).put(INTERACTIONS, rows)
    report_streamed_events(region, group_arn, rows)
    return {}


def _event_record(event: dict[str, Any], request: Request, schema: DatasetSchema) -> dict[str, Any] | None:
    """Return an event as a row; None when it has no item, which AWS takes and does not use."""
    if len(json.dumps(event).encode()) > EVENT_BYTES:
        raise InvalidInputError(f"An event has more than {EVENT_BYTES} bytes.")
    properties = parse_properties(event.get("properties"), "an event")
    item_id = event.get("itemId") or properties.pop("itemId", None)
    value = event.get("eventValue")
    if value is None:
        value = properties.pop("eventValue", None)
    record = columns_of(properties, schema, "an event", _EVENT_COLUMNS)
    if item_id is None:
        return None
    return {
        **record,
        "USER_ID": request.get("userId"),
        "SESSION_ID": request["sessionId"],
        "EVENT_ID": event.get("eventId"),
        "ITEM_ID": str(item_id),
        "TIMESTAMP": int(timestamp(event["sentAt"])),
        "EVENT_TYPE": event["eventType"],
        "EVENT_VALUE": None if value is None else float(value),
        "IMPRESSION": "|".join(event["impression"]) if "impression" in event else None,
        "RECOMMENDATION_ID": event.get("recommendationId"),
        "EVENT_ATTRIBUTION_SOURCE": event.get("metricAttribution", {}).get("eventAttributionSource"),
    }


@operation("PutItems")
def put_items(region: Region, request: Request) -> Answer:
    """Add items or replace their metadata: filters see it at once, models with their next training."""
    _put(region, request, request["items"], dataset_type=ITEMS, member="itemId", column="ITEM_ID")
    return {}


@operation("PutUsers")
def put_users(region: Region, request: Request) -> Answer:
    """Add users or replace their metadata: filters see it at once, models with their next training."""
    _put(region, request, request["users"], dataset_type=USERS, member="userId", column="USER_ID")
    return {}


@operation("PutActions")
def put_actions(region: Region, request: Request) -> Answer:
    """Add actions or replace their metadata: filters and the choice of actions see it at once."""
    _put(region, request, request["actions"], dataset_type=ACTIONS, member="actionId", column="ACTION_ID")
    return {}


@operation("PutActionInteractions", "impressions are checked and have no influence")
def put_action_interactions(region: Region, request: Request) -> Answer:
    """Record what users did with actions; it counts in their next request."""
    datasets = region.all(Dataset, tracking_id=request["trackingId"])
    if not datasets:
        raise ResourceNotFoundError(
            f"No action interactions dataset has the trackingId {request['trackingId']}."
        )
    _refuse_if_not_active(datasets[0])
    schema = parse_schema(region.get(Schema, datasets[0].schema_arn).schema)
    rows = [_action_record(event, schema) for event in request["actionInteractions"]]
    region.data.of(datasets[0].dataset_group_arn).put(ACTION_INTERACTIONS, rows)
    return {}


def _action_record(event: dict[str, Any], schema: DatasetSchema) -> dict[str, Any]:
    check_action_event(event["eventType"])
    where = f"the interaction with the action {event['actionId']}"
    properties = parse_properties(event.get("properties"), where)
    return {
        **columns_of(properties, schema, where, _EVENT_COLUMNS),
        "USER_ID": event.get("userId"),
        "SESSION_ID": event["sessionId"],
        "EVENT_ID": event.get("eventId"),
        "ACTION_ID": event["actionId"],
        "TIMESTAMP": int(timestamp(event["timestamp"])),
        "EVENT_TYPE": event["eventType"],
        "RECOMMENDATION_ID": event.get("recommendationId"),
    }


def _refuse_if_not_active(dataset: Dataset) -> None:
    if dataset.status != ACTIVE:
        raise ResourceInUseError(f"The dataset {dataset.arn} must be ACTIVE; its status is {dataset.status}.")


def _put(
    region: Region,
    request: Request,
    given: list[dict[str, Any]],
    *,
    dataset_type: str,
    member: str,
    column: str,
) -> None:
    dataset = region.get(Dataset, request["datasetArn"])
    if dataset.dataset_type != dataset_type:
        raise InvalidInputError(f"{dataset.arn} is not a dataset of {dataset_type}.")
    _refuse_if_not_active(dataset)
    schema = parse_schema(region.get(Schema, dataset.schema_arn).schema)
    records = []
    for one in given:
        where = f"the {member} {one[member]}"
        properties = parse_properties(one.get("properties"), where)
        records.append({**columns_of(properties, schema, where, {column}), column: one[member]})
    region.data.of(dataset.dataset_group_arn).put(dataset_type, records)
