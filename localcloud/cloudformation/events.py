"""AWS::Events: rules and buses of EventBridge."""

from __future__ import annotations

import json
from typing import Any

from localcloud.cloudformation.provider import Created, Properties, Provider, Scope, pick, tag_list

DEFAULT_BUS = "default"


class Rule(Provider):
    """A rule with its targets."""

    type = "AWS::Events::Rule"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Write the rule and its targets."""
        events, name = scope.client("events"), properties.get("Name") or scope.generated_name()
        bus = properties.get("EventBusName", DEFAULT_BUS)
        settings = pick(properties, "ScheduleExpression", "State", "Description", "RoleArn")
        if "EventPattern" in properties:
            settings["EventPattern"] = json.dumps(properties["EventPattern"])
        arn = events.put_rule(Name=name, EventBusName=bus, Tags=tag_list(scope.tags(properties)), **settings)[
            "RuleArn"
        ]
        if targets := properties.get("Targets"):
            events.put_targets(Rule=name, EventBusName=bus, Targets=targets)
        return Created(name if bus == DEFAULT_BUS else f"{bus}|{name}", {"Arn": arn})

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:
        """Write the same rule again; a new name or bus is a new rule."""
        if any(properties.get(name) != old.get(name) for name in ("Name", "EventBusName")):
            return super().update(created, properties, old, scope)
        kept = {target["Id"] for target in properties.get("Targets", [])}
        gone = [target["Id"] for target in old.get("Targets", []) if target["Id"] not in kept]
        _remove_targets(scope.client("events"), created, old, gone)
        return self.create({**properties, "Name": created.physical_id.rsplit("|", 1)[-1]}, scope)

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:
        """Remove the targets and the rule."""
        events = scope.client("events")
        _remove_targets(events, created, properties, [t["Id"] for t in properties.get("Targets", [])])
        bus = properties.get("EventBusName", DEFAULT_BUS)
        events.delete_rule(Name=created.physical_id.rsplit("|", 1)[-1], EventBusName=bus)


class EventBus(Provider):
    """A bus of one's own."""

    type = "AWS::Events::EventBus"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the bus."""
        name = properties["Name"]
        arn = scope.client("events").create_event_bus(Name=name, Tags=tag_list(scope.tags(properties)))
        return Created(name, {"Arn": arn["EventBusArn"], "Name": name})

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the bus."""
        scope.client("events").delete_event_bus(Name=created.physical_id)


def _remove_targets(events: Any, created: Created, properties: Properties, target_ids: list[str]) -> None:
    if target_ids:
        name, bus = created.physical_id.rsplit("|", 1)[-1], properties.get("EventBusName", DEFAULT_BUS)
        events.remove_targets(Rule=name, EventBusName=bus, Ids=target_ids)


PROVIDERS: tuple[Provider, ...] = (Rule(), EventBus())
