"""Observability: one dashboard and the alarms that somebody should hear of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from config import ProjectConfig
from config.training import ASKED_FOR
from stacks.constructs import check_out_ratio

LATE_SECONDS = 900


class ObservabilityStack(cdk.Stack):
    """What to look at, and what calls for attention by itself."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        project: ProjectConfig,
        api: apigateway.RestApi,
        functions: Sequence[lambda_.IFunction],
        queue: sqs.IQueue,
        dead_letter_queue: sqs.IQueue,
        state_machines: Sequence[sfn.StateMachine],
        topic: sns.ITopic,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._action = actions.SnsAction(topic)
        self._watch_api(api)
        self._watch_queues(queue, dead_letter_queue)
        for machine in state_machines:
            self._alarm(
                f"{machine.node.id}Failed",
                machine.metric_failed(period=cdk.Duration.minutes(5)),
                threshold=1,
                description=f"{machine.node.id} failed; the notification says which resource and why.",
            )
        dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=project.name)
        dashboard.add_widgets(
            _graph("Requests", [api.metric_count(), api.metric_client_error(), api.metric_server_error()]),
            _graph("Latency", [api.metric_latency(statistic="p50"), api.metric_latency(statistic="p99")]),
            _graph("Function errors", [function.metric_errors() for function in functions]),
        )
        dashboard.add_widgets(
            _graph("Events waiting", [queue.metric_approximate_number_of_messages_visible()]),
            _graph("Events given up", [dead_letter_queue.metric_approximate_number_of_messages_visible()]),
            _graph(
                "Runs",
                [m.metric_succeeded() for m in state_machines] + [m.metric_failed() for m in state_machines],
            ),
        )
        dashboard.add_widgets(*check_out_ratio.graphs(project.name, project.serving))
        dashboard.add_widgets(*(_campaign_graphs(self, project.name)))
        cdk.CfnOutput(self, "DashboardName", value=project.name)

    def _watch_api(self, api: apigateway.RestApi) -> None:
        self._alarm(
            "ApiErrors",
            api.metric_server_error(period=cdk.Duration.minutes(5), statistic="Sum"),
            threshold=5,
            description="The API answered with server errors.",
        )
        self._alarm(
            "ApiSlow",
            api.metric_latency(period=cdk.Duration.minutes(5), statistic="p99"),
            threshold=1000,
            description="One request in a hundred takes longer than a second.",
        )

    def _watch_queues(self, queue: sqs.IQueue, dead_letter_queue: sqs.IQueue) -> None:
        self._alarm(
            "EventsGivenUp",
            dead_letter_queue.metric_approximate_number_of_messages_visible(period=cdk.Duration.minutes(5)),
            threshold=1,
            description="Events could not be delivered; `ops redrive` sends them again.",
        )
        self._alarm(
            "EventsLate",
            queue.metric_approximate_age_of_oldest_message(period=cdk.Duration.minutes(5)),
            threshold=LATE_SECONDS,
            description="Events wait longer than a quarter of an hour.",
        )

    def _alarm(
        self, construct_id: str, metric: cloudwatch.Metric, *, threshold: float, description: str
    ) -> None:
        alarm = metric.create_alarm(
            self,
            construct_id,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=description,
        )
        alarm.add_alarm_action(self._action)


def _graph(title: str, metrics: Sequence[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=8)


def _campaign_graphs(stack: cdk.Stack, name: str) -> list[cloudwatch.GraphWidget]:
    """Graph what Personalize itself reports of each campaign: calls and latency."""

    def metric(metric_name: str, key: str, statistic: str) -> cloudwatch.Metric:
        arn = stack.format_arn(service="personalize", resource="campaign", resource_name=f"{name}-{key}")
        return cloudwatch.Metric(
            namespace="AWS/Personalize",
            metric_name=metric_name,
            dimensions_map={"CampaignArn": arn},
            statistic=statistic,
            label=key,
        )

    return [
        _graph("Recommendation calls", [metric("GetRecommendations", key, "Sum") for key in ASKED_FOR]),
        _graph(
            "Recommendation latency", [metric("GetRecommendationsLatency", key, "p99") for key in ASKED_FOR]
        ),
        _graph("Ranking calls", [metric("GetPersonalizedRanking", key, "Sum") for key in ASKED_FOR]),
    ]
