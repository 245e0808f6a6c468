"""Event trackers."""

from __future__ import annotations

import uuid

from localcloud.personalize.errors import ResourceAlreadyExistsError
from localcloud.personalize.listing import describe, page
from localcloud.personalize.operations import Answer, Request, operation
from localcloud.personalize.region import Region, new_id, refuse_if_changing
from localcloud.personalize.resources import DatasetGroup, EventTracker
from localcloud.personalize.tags import initial_tags


@operation("CreateEventTracker")
def create_event_tracker(region: Region, request: Request) -> Answer:
    """Create the event tracker of a dataset group: there is one at most."""
    group = region.get_active(DatasetGroup, request["datasetGroupArn"])
    if present := region.all(EventTracker, dataset_group_arn=group.arn):
        raise ResourceAlreadyExistsError(f"Another resource with Arn {present[0].arn} already exists.")
    tracker = EventTracker(
        arn=region.arn(EventTracker, new_id()),
        name=request["name"],
        dataset_group_arn=group.arn,
        tracking_id=str(uuid.uuid4()),
        account_id=region.account_id,
        tags=initial_tags(request),
    )
    region.create(tracker)
    return {"eventTrackerArn": tracker.arn, "trackingId": tracker.tracking_id}


@operation("DescribeEventTracker")
def describe_event_tracker(region: Region, request: Request) -> Answer:
    """Return an event tracker."""
    tracker = region.get(EventTracker, request["eventTrackerArn"])
    return describe("DescribeEventTracker", "eventTracker", tracker)


@operation("ListEventTrackers")
def list_event_trackers(region: Region, request: Request) -> Answer:
    """Return the event tracker of a group, or all, page by page."""
    return page(
        "ListEventTrackers",
        "eventTrackers",
        request,
        region.listed(EventTracker, request, "dataset_group_arn"),
    )


@operation("DeleteEventTracker")
def delete_event_tracker(region: Region, request: Request) -> Answer:
    """Delete an event tracker; the recorded events stay."""
    tracker = region.get(EventTracker, request["eventTrackerArn"])
    refuse_if_changing(tracker)
    region.delete(tracker)
    return {}
