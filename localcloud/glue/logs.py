"""What a job printed, in CloudWatch Logs where Glue puts it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import moto.logs.models

from localcloud.context import ACCOUNT_ID

GROUP = "/aws-glue/jobs"
STREAMS = {"output": "stdout", "error": "stderr"}
EVENTS_PER_CALL = 1000
LONGEST_EVENT = 100_000


def publish(folder: Path, run_id: str, region: str) -> None:
    """Write `folder`/stdout and `folder`/stderr to the log groups .../output and .../error."""
    logs: Any = moto.logs.models.logs_backends[ACCOUNT_ID][region]
    for kind, name in STREAMS.items():
        group = f"{GROUP}/{kind}"
        logs.ensure_log_group(group)
        logs.create_log_stream(group, run_id)
        path = folder / name
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line[:LONGEST_EVENT]} for line in text.splitlines() if line]
        for start in range(0, len(events), EVENTS_PER_CALL):
            logs.put_log_events(group, run_id, events[start : start + EVENTS_PER_CALL])
