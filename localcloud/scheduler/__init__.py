"""EventBridge Scheduler: moto's API with schedules that really fire, by the clock or when asked to.

`POST /_localcloud/scheduler/<name>/fire[?group=<group>]` calls a schedule's target once, now, whatever its
time and state, and answers what the target answered; `GET /_localcloud/scheduler` says when each fires next.

A rate without a start date fires first when its interval has passed; on AWS it also fires when it is created.
A flexible time window is taken at its beginning. Roles are not checked.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

from moto.scheduler import models
from moto.scheduler.exceptions import ValidationException

from localcloud.context import CloudContext
from localcloud.scheduler.api import PATH, SchedulerApi
from localcloud.scheduler.expressions import next_time
from localcloud.scheduler.firing import Firing
from localcloud.scheduler.targets import TargetError, call, clients

__all__ = ["TargetError", "call", "clients", "install"]


def install(context: CloudContext) -> None:
    """Fire every enabled schedule when it is due, and any when asked; refuse expressions that AWS refuses."""
    _check_expressions(models.Schedule)
    firing = Firing(context.endpoint_url)
    context.serve_path(PATH, SchedulerApi(firing))
    threading.Thread(target=firing.watch, daemon=True, name="scheduler").start()
    context.on_stop(firing.stop)


def _check_expressions(schedule: Any) -> None:
    create, update = schedule.__init__, schedule.update

    def checked_create(self: Any, *arguments: Any, **settings: Any) -> None:
        _check(settings)
        create(self, *arguments, **settings)

    def checked_update(self: Any, *arguments: Any, **settings: Any) -> None:
        _check(settings)
        update(self, *arguments, **settings)

    schedule.__init__, schedule.update = checked_create, checked_update


def _check(settings: dict[str, Any]) -> None:
    now = datetime.now(UTC)
    expression = settings["schedule_expression"]
    try:
        next_time(expression, settings["schedule_expression_timezone"] or "UTC", after=now, since=now)
    except (ValueError, KeyError) as error:
        raise ValidationException(message=f"Invalid Schedule Expression {expression}: {error}") from error
