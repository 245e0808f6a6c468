"""Bucket policies, their conditions read: moto takes every conditional statement as matching.

localcloud is HTTP on a loopback address in the place of AWS's HTTPS, so a request counts as sent over TLS. A
statement with a condition on anything else that localcloud does not know of a request is left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3 import models

REQUEST_FACTS = {"aws:securetransport": "true"}


def read_conditions() -> None:
    """Let moto judge object requests by the statements whose conditions hold."""

    def get_permission(bucket: Any, action: str, resource: str) -> PermissionResult:
        policy = _applicable(bucket.policy) if bucket.policy else None
        return policy.is_action_permitted(action, resource) if policy else PermissionResult.NEUTRAL

    bucket_class: Any = models.FakeBucket
    bucket_class.get_permission = get_permission
    # CloudFormation sets a bucket's logging before the target's policy, which AWS needs at delivery only.
    bucket_class._log_permissions_enabled_policy = lambda *_arguments, **_named: True


@lru_cache(maxsize=256)
def _applicable(document: bytes) -> IAMPolicy | None:
    """Return the policy reduced to the statements that apply to a request of localcloud's."""
    policy = json.loads(document)
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    kept = [
        {name: value for name, value in statement.items() if name != "Condition"}
        for statement in statements
        if _holds(statement.get("Condition", {}))
    ]
    return IAMPolicy(json.dumps({**policy, "Statement": kept})) if kept else None


def _holds(condition: Mapping[str, Mapping[str, Any]]) -> bool:
    return all(
        operator in {"Bool", "BoolIfExists"} and str(wanted).lower() == REQUEST_FACTS.get(key.lower())
        for operator, tests in condition.items()
        for key, wanted in tests.items()
    )
