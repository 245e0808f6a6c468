"""AWS::SQS and AWS::SNS."""

from __future__ import annotations

import json
from typing import Any

from localcloud.cloudformation.provider import Created, Properties, Provider, Scope, pick, tag_list

QUEUE_ATTRIBUTES = (
    "DelaySeconds", "MaximumMessageSize", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy",
    "RedriveAllowPolicy", "VisibilityTimeout", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "FifoQueue",
    "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit", "SqsManagedSseEnabled",
)  # fmt: skip


class Queue(Provider):
    """A queue."""

    type = "AWS::SQS::Queue"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the queue."""
        sqs, name = scope.client("sqs"), properties.get("QueueName") or scope.generated_name(80)
        url = sqs.create_queue(
            QueueName=name, Attributes=_queue_attributes(properties), tags=scope.tags(properties)
        )["QueueUrl"]
        return Created(url, {"Arn": scope.arn("sqs", name), "QueueName": name, "QueueUrl": url})

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:
        """Change the same queue's attributes; a new name is a new queue."""
        if properties.get("QueueName") != old.get("QueueName"):
            return super().update(created, properties, old, scope)
        attributes = _queue_attributes(properties)
        attributes.pop("FifoQueue", None)
        scope.client("sqs").set_queue_attributes(QueueUrl=created.physical_id, Attributes=attributes)
        return created

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the queue."""
        scope.client("sqs").delete_queue(QueueUrl=created.physical_id)


class QueuePolicy(Provider):
    """The policy of queues."""

    type = "AWS::SQS::QueuePolicy"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Put the policy on each queue."""
        policy = json.dumps(properties["PolicyDocument"])
        for url in properties["Queues"]:
            scope.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        return Created(scope.generated_name())

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:  # noqa: ARG002
        """Put the new policy over the old."""
        return self.create(properties, scope)

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:
        """The policy goes with its queues."""


class Topic(Provider):
    """A topic, with the subscriptions written in it."""

    type = "AWS::SNS::Topic"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the topic."""
        sns, name = scope.client("sns"), properties.get("TopicName") or scope.generated_name(256)
        attributes = {
            key: str(value)
            for key, value in pick(
                properties, "DisplayName", "KmsMasterKeyId", "FifoTopic", "ContentBasedDeduplication"
            ).items()
        }
        arn = sns.create_topic(Name=name, Attributes=attributes, Tags=tag_list(scope.tags(properties)))[
            "TopicArn"
        ]
        for subscription in properties.get("Subscription", []):
            sns.subscribe(TopicArn=arn, Protocol=subscription["Protocol"], Endpoint=subscription["Endpoint"])
        return Created(arn, {"TopicArn": arn, "TopicName": name})

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:
        """Change the same topic, whose subscriptions stay; a new name or kind is a new topic."""
        if any(properties.get(name) != old.get(name) for name in ("TopicName", "FifoTopic", "Subscription")):
            return super().update(created, properties, old, scope)
        for name in ("DisplayName", "KmsMasterKeyId"):
            if properties.get(name) != old.get(name):
                scope.client("sns").set_topic_attributes(
                    TopicArn=created.physical_id,
                    AttributeName=name,
                    AttributeValue=str(properties.get(name, "")),
                )
        return created

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the topic."""
        scope.client("sns").delete_topic(TopicArn=created.physical_id)


class TopicPolicy(Provider):
    """The policy of topics."""

    type = "AWS::SNS::TopicPolicy"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Put the policy on each topic."""
        policy = json.dumps(properties["PolicyDocument"])
        for arn in properties["Topics"]:
            scope.client("sns").set_topic_attributes(
                TopicArn=arn, AttributeName="Policy", AttributeValue=policy
            )
        return Created(scope.generated_name())

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:  # noqa: ARG002
        """Put the new policy over the old."""
        return self.create(properties, scope)

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:
        """The policy goes with its topics."""


class Subscription(Provider):
    """A subscription of a topic."""

    type = "AWS::SNS::Subscription"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Subscribe the end point."""
        attributes: dict[str, Any] = {
            key: json.dumps(value) if isinstance(value, dict) else str(value)
            for key, value in pick(properties, "FilterPolicy", "RawMessageDelivery", "RedrivePolicy").items()
        }
        arn = scope.client("sns").subscribe(
            **pick(properties, "TopicArn", "Protocol", "Endpoint"),
            Attributes=attributes,
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        return Created(arn, {"Arn": arn})

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the subscription."""
        scope.client("sns").unsubscribe(SubscriptionArn=created.physical_id)


def _queue_attributes(properties: Properties) -> dict[str, str]:
    return {
        name: json.dumps(value) if isinstance(value, dict) else _text(value)
        for name, value in pick(properties, *QUEUE_ATTRIBUTES).items()
    }


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


PROVIDERS: tuple[Provider, ...] = (Queue(), QueuePolicy(), Topic(), TopicPolicy(), Subscription())
