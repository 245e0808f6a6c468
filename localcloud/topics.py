"""SNS topics: subscribed functions get the message that was published, where moto sends a sample.

https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
"""

from __future__ import annotations

import json
import time
from typing import Any

from moto.awslambda.models import lambda_backends
from moto.sns import models

from localcloud.context import ACCOUNT_ID, CloudContext


def install(context: CloudContext) -> None:  # noqa: ARG001 - every service takes it
    """Invoke subscribed functions asynchronously, with SNS's own event."""
    subscription: Any = models.Subscription
    by_moto = subscription.publish

    def publish(self: Any, message: str, message_id: str, **settings: Any) -> None:
        if self.protocol != "lambda":
            by_moto(self, message, message_id, **settings)
            return
        attributes = settings.get("message_attributes") or {}
        matcher = self._filter_policy_matcher
        if matcher is not None and not matcher.matches(attributes, message):
            return
        if settings.get("message_structure") == "json":
            message = self._parse_message_structure(message, self.protocol)
        event = _event(self, message, message_id, settings.get("subject"), attributes)
        function = lambda_backends[ACCOUNT_ID][self.endpoint.split(":")[3]].get_function(self.endpoint)
        function.invoke(json.dumps(event), {"x-amz-invocation-type": "Event"}, {})

    subscription.publish = publish


def _event(
    subscription: Any, message: str, message_id: str, subject: str | None, attributes: dict[str, Any]
) -> dict[str, Any]:
    notification = {
        "Type": "Notification",
        "MessageId": message_id,
        "TopicArn": subscription.topic.arn,
        "Subject": subject,
        "Message": message,
        "Timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
        "MessageAttributes": {
            name: {"Type": value["Type"], "Value": value["Value"]} for name, value in attributes.items()
        },
    }
    record = {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription.arn,
        "Sns": notification,
    }
    return {"Records": [record]}
