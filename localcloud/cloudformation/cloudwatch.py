"""AWS::CloudWatch and AWS::Logs."""

from __future__ import annotations

import json
from typing import Any

from localcloud.cloudformation.provider import (
    Created,
    NamedProvider,
    Properties,
    Provider,
    Scope,
    camel,
    pick,
    tag_list,
)

ALARM_FIELDS = (
    "ActionsEnabled", "AlarmActions", "AlarmDescription", "ComparisonOperator", "DatapointsToAlarm",
    "Dimensions",
    "EvaluateLowSampleCountPercentile", "EvaluationPeriods", "ExtendedStatistic", "InsufficientDataActions",
    "MetricName", "Metrics", "Namespace", "OKActions", "Period", "Statistic", "Threshold",
    "ThresholdMetricId",
    "TreatMissingData", "Unit",
)  # fmt: skip


class Alarm(NamedProvider):
    """An alarm on a metric."""

    type = "AWS::CloudWatch::Alarm"
    name_property = "AlarmName"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Write the alarm."""
        name = properties.get("AlarmName") or scope.generated_name(255)
        scope.client("cloudwatch").put_metric_alarm(
            AlarmName=name, **pick(properties, *ALARM_FIELDS), Tags=tag_list(scope.tags(properties))
        )
        return Created(name, {"Arn": scope.arn("cloudwatch", f"alarm:{name}")})

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the alarm."""
        scope.client("cloudwatch").delete_alarms(AlarmNames=[created.physical_id])


class CompositeAlarm(NamedProvider):
    """An alarm on other alarms."""

    type = "AWS::CloudWatch::CompositeAlarm"
    name_property = "AlarmName"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Write the alarm."""
        name = properties.get("AlarmName") or scope.generated_name(255)
        scope.client("cloudwatch").put_composite_alarm(
            AlarmName=name,
            **pick(
                properties, "AlarmRule", "AlarmActions", "AlarmDescription", "OKActions", "ActionsEnabled"
            ),
        )
        return Created(name, {"Arn": scope.arn("cloudwatch", f"alarm:{name}")})

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the alarm."""
        scope.client("cloudwatch").delete_alarms(AlarmNames=[created.physical_id])


class Dashboard(NamedProvider):
    """A dashboard."""

    type = "AWS::CloudWatch::Dashboard"
    name_property = "DashboardName"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Write the dashboard."""
        name = properties.get("DashboardName") or scope.generated_name(255)
        scope.client("cloudwatch").put_dashboard(
            DashboardName=name, DashboardBody=properties["DashboardBody"]
        )
        return Created(name)

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the dashboard."""
        scope.client("cloudwatch").delete_dashboards(DashboardNames=[created.physical_id])


class LogGroup(Provider):
    """A log group."""

    type = "AWS::Logs::LogGroup"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the log group with its retention."""
        logs, name = scope.client("logs"), properties.get("LogGroupName") or scope.generated_name(512)
        logs.create_log_group(
            logGroupName=name, **camel(pick(properties, "KmsKeyId")), tags=scope.tags(properties)
        )
        _retain(logs, name, properties)
        return Created(name, {"Arn": f"{scope.arn('logs', f'log-group:{name}')}:*"})

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:
        """Change the retention of the same group; a new name is a new group."""
        if properties.get("LogGroupName") != old.get("LogGroupName"):
            return super().update(created, properties, old, scope)
        logs = scope.client("logs")
        if old.get("RetentionInDays") and not properties.get("RetentionInDays"):
            logs.delete_retention_policy(logGroupName=created.physical_id)
        _retain(logs, created.physical_id, properties)
        return created

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the log group."""
        scope.client("logs").delete_log_group(logGroupName=created.physical_id)


class MetricFilter(Provider):
    """A metric counted from log lines."""

    type = "AWS::Logs::MetricFilter"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Write the filter."""
        name = properties.get("FilterName") or scope.generated_name(512)
        scope.client("logs").put_metric_filter(
            logGroupName=properties["LogGroupName"],
            filterName=name,
            filterPattern=properties["FilterPattern"],
            metricTransformations=camel(properties["MetricTransformations"]),
        )
        return Created(name)

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:
        """Remove the filter."""
        scope.client("logs").delete_metric_filter(
            logGroupName=properties["LogGroupName"], filterName=created.physical_id
        )


class ResourcePolicy(Provider):
    """Who else may write to the log groups."""

    type = "AWS::Logs::ResourcePolicy"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Write the policy."""
        document = properties["PolicyDocument"]
        scope.client("logs").put_resource_policy(
            policyName=properties["PolicyName"],
            policyDocument=document if isinstance(document, str) else json.dumps(document),
        )
        return Created(properties["PolicyName"])

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the policy."""
        scope.client("logs").delete_resource_policy(policyName=created.physical_id)


def _retain(logs: Any, name: str, properties: Properties) -> None:
    if days := properties.get("RetentionInDays"):
        logs.put_retention_policy(logGroupName=name, retentionInDays=int(days))


PROVIDERS: tuple[Provider, ...] = (
    Alarm(), CompositeAlarm(), Dashboard(), LogGroup(), MetricFilter(), ResourcePolicy(),
)  # fmt: skip
