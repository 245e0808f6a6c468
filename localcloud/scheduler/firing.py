"""Due schedules call their targets, with retries; what fails for good goes to the dead-letter queue."""

from __future__ import annotations

import json
import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.scheduler.models import Schedule, scheduler_backends

from localcloud.context import ACCOUNT_ID
from localcloud.scheduler import targets
from localcloud.scheduler.expressions import next_time

TICK_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 60
SERVER_ERROR = 500
THROTTLED = {"ThrottlingException", "TooManyRequestsException", "ThrottledException", "Throttling"}


@dataclass(frozen=True)
class _Due:
    """When a schedule fires next, and the settings that this was worked out from."""

    settings: tuple[Any, ...]
    at: datetime | None


@dataclass
class Attempt:
    """One call of a schedule's target."""

    schedule: Schedule
    region: str
    scheduled_time: datetime
    execution_id: str
    number: int = 1

    def text(self) -> str:
        """Return the input with AWS's context attributes filled in."""
        filled = str(self.schedule.target.get("Input") or "")
        for name, value in (
            ("schedule-arn", self.schedule.arn),
            ("scheduled-time", self.scheduled_time.strftime("%Y-%m-%dT%H:%M:%SZ")),
            ("execution-id", self.execution_id),
            ("attempt-number", str(self.number)),
        ):
            filled = filled.replace(f"<aws.scheduler.{name}>", value)
        return filled


class Firing:
    """Watches every schedule of every region."""

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url
        self._stopped = threading.Event()
        self._due: dict[str, _Due] = {}

    def watch(self) -> None:
        """Fire what is due until stopped."""
        while not self._stopped.wait(TICK_SECONDS):
            for region, schedule in all_schedules():
                self._consider(region, schedule, datetime.now(UTC))

    def stop(self) -> None:
        """Fire nothing more, and give up waiting to retry."""
        self._stopped.set()

    def fire(self, region: str, schedule: Schedule) -> tuple[str, dict[str, Any]]:
        """Call the target once, now; return the execution's id and the target's answer.

        Raises TargetError, ClientError or BotoCoreError as the call does.
        """
        attempt = Attempt(schedule, region, datetime.now(UTC), str(uuid.uuid4()))
        return attempt.execution_id, self._call(attempt)

    def due(self, schedule: Schedule) -> datetime | None:
        """Return when a schedule fires next, if at all."""
        due = self._due.get(schedule.arn)
        return due.at if due else None

    def _consider(self, region: str, schedule: Schedule, now: datetime) -> None:
        settings = _settings(schedule)
        due = self._due.get(schedule.arn)
        if due is None or due.settings != settings:
            due = self._due[schedule.arn] = _Due(settings, _next(schedule, now))
        if due.at is None or due.at > now:
            return
        attempt = Attempt(schedule, region, due.at, str(uuid.uuid4()))
        threading.Thread(target=self._deliver, args=(attempt,), daemon=True).start()
        following = _next(schedule, now)
        self._due[schedule.arn] = _Due(settings, following)
        if following is None and schedule.action_after_completion == "DELETE":
            scheduler_backends[ACCOUNT_ID][region].delete_schedule(schedule.group_name, schedule.name)

    def _deliver(self, attempt: Attempt) -> None:
        """Call the target; after a passing failure again, as its retry policy allows."""
        policy = attempt.schedule.target["RetryPolicy"]
        while True:
            try:
                self._call(attempt)
            except (targets.TargetError, ClientError, BotoCoreError) as error:
                pause = min(2**attempt.number, LONGEST_PAUSE_SECONDS)
                age = (datetime.now(UTC) - attempt.scheduled_time).total_seconds() + pause
                is_last = attempt.number > int(policy.get("MaximumRetryAttempts", 185))
                too_old = age > int(policy.get("MaximumEventAgeInSeconds", 86_400))
                if not _passes(error) or is_last or too_old:
                    self._bury(attempt, error)
                    return
                attempt.number += 1
                if self._stopped.wait(pause):
                    return
            else:
                return

    def _call(self, attempt: Attempt) -> dict[str, Any]:
        client = targets.clients(self._endpoint_url, attempt.region)
        return targets.call(attempt.schedule.target, attempt.text(), client)

    def _bury(self, attempt: Attempt, error: Exception) -> None:
        target = attempt.schedule.target
        queue_arn = (target.get("DeadLetterConfig") or {}).get("Arn")
        if not queue_arn:
            return
        sqs = targets.clients(self._endpoint_url, attempt.region)("sqs")
        attributes = {
            "ERROR_CODE": _code(error),
            "ERROR_MESSAGE": str(error),
            "EXECUTION_ID": attempt.execution_id,
            "RETRY_ATTEMPTS": str(attempt.number - 1),
            "SCHEDULED_TIME": attempt.scheduled_time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "SCHEDULE_ARN": attempt.schedule.arn,
            "TARGET_ARN": target["Arn"],
        }
        sqs.send_message(
            QueueUrl=sqs.get_queue_url(QueueName=queue_arn.rsplit(":", 1)[1])["QueueUrl"],
            MessageBody=attempt.text() or json.dumps({}),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )


def all_schedules() -> list[tuple[str, Schedule]]:
    """Return every schedule with its region."""
    return [
        (region, schedule)
        for region, backend in list(scheduler_backends[ACCOUNT_ID].items())
        for group in list(backend.schedule_groups.values())
        for schedule in list(group.schedules.values())
    ]


def _settings(schedule: Schedule) -> tuple[Any, ...]:
    return (
        schedule.creation_date,
        schedule.last_modified_date,
        schedule.state,
        schedule.schedule_expression,
        schedule.schedule_expression_timezone,
    )


def _next(schedule: Schedule, after: datetime) -> datetime | None:
    """Return the next due time within the schedule's dates; None when disabled, over, or not understood."""
    if schedule.state != "ENABLED":
        return None
    start, end = _time(schedule.start_date), _time(schedule.end_date)
    since = start or datetime.fromtimestamp(schedule.last_modified_date, UTC)
    if start is not None and start > after:
        if schedule.schedule_expression.startswith("rate"):
            return start
        after = start
    try:
        due = next_time(
            schedule.schedule_expression, schedule.schedule_expression_timezone, after=after, since=since
        )
    except (ValueError, KeyError):
        # CreateSchedule refuses these; one that came in by another way has no time to fire at.
        return None
    return None if due is None or (end is not None and due > end) else due


def _time(value: Any) -> datetime | None:
    return None if value is None else datetime.fromtimestamp(float(value), UTC)


def _passes(error: Exception) -> bool:
    """Whether a failure may pass by itself: throttled, or the service's own."""
    if not isinstance(error, ClientError):
        return isinstance(error, BotoCoreError)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= SERVER_ERROR or _code(error) in THROTTLED


def _code(error: Exception) -> str:
    return error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
