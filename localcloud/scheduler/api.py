"""GET /_localcloud/scheduler and POST /_localcloud/scheduler/<name>/fire."""

from __future__ import annotations

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIEnvironment

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.scheduler.firing import Firing, all_schedules
from localcloud.scheduler.targets import TargetError

PATH = "/_localcloud/scheduler"


class SchedulerApi:
    """Lists schedules with their next times, and fires one now."""

    def __init__(self, firing: Firing) -> None:
        self._firing = firing

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        status, answer = self._answer(environ)
        body = json.dumps(answer, default=str).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response(f"{status.value} {status.phrase}", headers)
        return [body]

    def _answer(self, environ: WSGIEnvironment) -> tuple[HTTPStatus, Any]:
        parts = [part for part in environ["PATH_INFO"].removeprefix(PATH).split("/") if part]
        match environ["REQUEST_METHOD"], parts:
            case "GET", []:
                return HTTPStatus.OK, {"schedules": self._listed()}
            case "POST", [name, "fire"]:
                groups = parse_qs(environ.get("QUERY_STRING", "")).get("group")
                return self._fire(name, groups[0] if groups else None)
            case _:
                return HTTPStatus.NOT_FOUND, {"message": "there is GET, and POST of /<name>/fire"}

    def _listed(self) -> list[dict[str, Any]]:
        return [
            {"arn": schedule.arn, "state": schedule.state, "next": self._firing.due(schedule)}
            for _, schedule in all_schedules()
        ]

    def _fire(self, name: str, group: str | None) -> tuple[HTTPStatus, Any]:
        for region, schedule in all_schedules():
            if schedule.name == name and group in (None, schedule.group_name):
                try:
                    execution_id, result = self._firing.fire(region, schedule)
                except (TargetError, ClientError, BotoCoreError) as error:
                    return HTTPStatus.BAD_GATEWAY, {"schedule": schedule.arn, "message": str(error)}
                return HTTPStatus.OK, {
                    "schedule": schedule.arn,
                    "executionId": execution_id,
                    "result": result,
                }
        return HTTPStatus.NOT_FOUND, {"message": f"there is no schedule {name}"}
