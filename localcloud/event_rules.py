"""EventBridge rules: events reach functions and state machines too, which moto's rules refuse.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
"""

from __future__ import annotations

import copy
import json
import logging
import threading
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.events import models
from moto.events.models import Rule
from moto.events.utils import EventTemplateParser

from localcloud.context import CloudContext
from localcloud.scheduler import TargetError, call, clients

CALLED_HERE = {"lambda", "states", "sns"}
LOG = logging.getLogger(__name__)


def install(context: CloudContext) -> None:
    """Deliver to the targets that moto lacks, in the background as AWS does; leave it the others."""
    rule: Any = models.Rule
    by_moto = rule.send_to_targets

    def send_to_targets(self: Rule, original_event: Any, transform_input: bool = True) -> None:
        if self.state == "DISABLED" or not self.event_pattern.matches_event(original_event):
            return
        ours = [target for target in self.targets if target["Arn"].split(":")[2] in CALLED_HERE]
        for target in ours:
            text = _text(target, original_event) if transform_input else json.dumps(_event(original_event))
            arguments = (context.endpoint_url, self.region_name, target, text)
            threading.Thread(target=_deliver, args=arguments, daemon=True).start()
        rest = copy.copy(self)
        rest.targets = [target for target in self.targets if target not in ours]
        by_moto(rest, original_event, transform_input)

    rule.send_to_targets = send_to_targets


def _deliver(endpoint_url: str, region: str, target: dict[str, Any], text: str) -> None:
    try:
        call(target, text, clients(endpoint_url, region))
    except (TargetError, ClientError, BotoCoreError) as error:
        LOG.warning("An event did not reach %s: %s", target["Arn"], error)


def _text(target: dict[str, Any], event: dict[str, Any]) -> str:
    """Return what a target gets: its own constant, a part of the event, a filled template, or the event."""
    if "Input" in target:
        return str(target["Input"])
    if "InputTransformer" in target:
        transformer = target["InputTransformer"]
        paths = transformer.get("InputPathsMap", {})
        shown: Any = {**_event(event), "ingestion-time": event["ingestion-time"]}
        return json.dumps(EventTemplateParser.parse(transformer["InputTemplate"], paths, shown))
    content: Any = _event(event)
    for part in str(target.get("InputPath", "$")).split(".")[1:]:
        content = content[part]
    return json.dumps(content)


def _event(event: dict[str, Any]) -> dict[str, Any]:
    """Return the event as AWS shows it: its time written out, nothing of moto's own."""
    shown = {"version": "0", **{name: value for name, value in event.items() if name != "ingestion-time"}}
    time = datetime.fromtimestamp(float(event["time"]), UTC)
    return {**shown, "time": time.strftime("%Y-%m-%dT%H:%M:%SZ")}
