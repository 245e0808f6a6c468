"""The job object of generated scripts; bookmarks are not kept."""

from __future__ import annotations

from typing import Any


class Job:
    """Accept the calls that start and end a generated script."""

    def __init__(self, glue_context: Any) -> None:
        self.glue_context = glue_context

    def init(self, job_name: str, args: dict[str, str] | None = None) -> None:
        """Note the job's name and arguments."""
        self.job_name = job_name
        self.args = args or {}

    def commit(self) -> None:
        """Mark the end of the job's work."""
