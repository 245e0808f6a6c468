"""API keys, usage plans and throttles, counted as API Gateway counts them: by token bucket and by quota."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from moto.apigateway.models import APIGatewayBackend, ApiKey, UsagePlan

PERIOD_SECONDS = {"DAY": 86_400, "WEEK": 604_800, "MONTH": 2_592_000}


class RefusedError(Exception):
    """The gateway itself refuses the request; `kind` is the gateway response type."""

    def __init__(self, kind: str, status: int, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status


@dataclass
class _Bucket:
    tokens: float
    at: float


class Limiter:
    """Token buckets by name."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[str, _Bucket] = {}
        self._counts: dict[tuple[str, int], int] = defaultdict(int)

    def take(self, name: str, rate: float, burst: float) -> bool:
        """Take one token from a bucket that refills at `rate` a second up to `burst`."""
        with self._lock:
            now = time.monotonic()
            bucket = self._buckets.setdefault(name, _Bucket(burst, now))
            bucket.tokens = min(burst, bucket.tokens + (now - bucket.at) * rate)
            bucket.at = now
            if bucket.tokens < 1:
                return False
            bucket.tokens -= 1
            return True

    def count(self, name: str, limit: int, period: str) -> bool:
        """Count one request against a quota of `limit` a period."""
        with self._lock:
            window = (name, int(time.time()) // PERIOD_SECONDS[period])
            self._counts[window] += 1
            return self._counts[window] <= limit


def check_key(
    backend: APIGatewayBackend, limiter: Limiter, api_id: str, stage: str, value: str | None
) -> ApiKey:
    """Return the enabled key of that value in a usage plan of the stage. Raises RefusedError otherwise."""
    key: Any = next((key for key in backend.keys.values() if value and key.value == value), None)
    plan = _plan_of(backend, key, api_id, stage) if key is not None and key.enabled else None
    if plan is None:
        raise RefusedError("INVALID_API_KEY", 403, "Forbidden")
    throttle, quota = plan.throttle, plan.quota
    name = f"{plan.id}/{key.id}"
    if throttle and not limiter.take(name, float(throttle["rateLimit"]), float(throttle["burstLimit"])):
        raise RefusedError("THROTTLED", 429, "Too Many Requests")
    if quota and not limiter.count(name, int(quota["limit"]), quota["period"]):
        raise RefusedError("QUOTA_EXCEEDED", 429, "Limit Exceeded")
    return key  # type: ignore[no-any-return]


def check_stage(limiter: Limiter, name: str, settings: dict[str, Any]) -> None:
    """Take from the stage's own throttle where it has one. Raises RefusedError when it is empty."""
    rate, burst = settings.get("throttlingRateLimit"), settings.get("throttlingBurstLimit")
    if rate and burst and float(rate) > 0 and not limiter.take(name, float(rate), float(burst)):
        raise RefusedError("THROTTLED", 429, "Too Many Requests")


def _plan_of(backend: APIGatewayBackend, key: ApiKey, api_id: str, stage: str) -> UsagePlan | None:
    for plan_id, keys in backend.usage_plan_keys.items():
        plan = backend.usage_plans.get(plan_id)
        if plan and key.id in keys and {"apiId": api_id, "stage": stage} in [
            {"apiId": entry.get("apiId"), "stage": entry.get("stage")} for entry in plan.api_stages
        ]:  # fmt: skip
            return plan
    return None
