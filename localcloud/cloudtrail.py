"""CloudTrail: the event history, which the CDK CLI looks into after a failure; localcloud keeps none."""

from __future__ import annotations

from typing import Any

from moto.cloudtrail.responses import CloudTrailResponse

from localcloud.context import CloudContext


def install(context: CloudContext) -> None:  # noqa: ARG001 - every service takes it
    """Answer LookupEvents with no events; moto answers with an error that the CLI retries for a minute."""
    response: Any = CloudTrailResponse
    response.lookup_events = lambda _self: '{"Events": []}'
