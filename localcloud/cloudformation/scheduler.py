"""AWS::Scheduler and AWS::Events."""

from __future__ import annotations

from typing import Any

from localcloud.cloudformation.provider import Created, Properties, Provider, Scope, pick

SCHEDULE_FIELDS = (
    "Description", "EndDate", "FlexibleTimeWindow", "GroupName", "KmsKeyArn", "ScheduleExpression",
    "ScheduleExpressionTimezone", "StartDate", "State", "Target",
)  # fmt: skip


class Schedule(Provider):
    """An EventBridge Scheduler schedule."""

    type = "AWS::Scheduler::Schedule"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the schedule."""
        name = properties.get("Name") or scope.generated_name()
        arn = scope.client("scheduler").create_schedule(Name=name, **_schedule(properties))["ScheduleArn"]
        return Created(name, {"Arn": arn})

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:
        """Change the same schedule; a new name or group is a new one."""
        if any(properties.get(name) != old.get(name) for name in ("Name", "GroupName")):
            return super().update(created, properties, old, scope)
        scope.client("scheduler").update_schedule(Name=created.physical_id, **_schedule(properties))
        return created

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:
        """Remove the schedule."""
        scope.client("scheduler").delete_schedule(Name=created.physical_id, **pick(properties, "GroupName"))


class ScheduleGroup(Provider):
    """A group of schedules."""

    type = "AWS::Scheduler::ScheduleGroup"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the group."""
        name = properties.get("Name") or scope.generated_name()
        arn = scope.client("scheduler").create_schedule_group(Name=name)["ScheduleGroupArn"]
        return Created(name, {"Arn": arn})

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the group."""
        scope.client("scheduler").delete_schedule_group(Name=created.physical_id)


def _schedule(properties: Properties) -> dict[str, Any]:
    return pick(properties, *SCHEDULE_FIELDS)


PROVIDERS: tuple[Provider, ...] = (Schedule(), ScheduleGroup())
