"""Automatic training: solutions with performAutoTraining are trained again every so often.

As on AWS: first within an hour after the solution is ACTIVE unless it was trained by hand until then, after
that each time that `autoTrainingConfig.schedulingExpression` (7 days without one) has passed since the last.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Sequence

from localcloud.personalize.errors import PersonalizeError
from localcloud.personalize.region import Region
from localcloud.personalize.resources import ACTIVE, Solution, SolutionVersion
from localcloud.personalize.solution_versions import start_training

logger = logging.getLogger(__name__)

_FIRST_SECONDS = 3_600
_DAY = 86_400
_DEFAULT_DAYS = 7
_LOOK_SECONDS = 60.0


def is_due(solution: Solution, versions: Sequence[SolutionVersion], now: float) -> bool:
    """Say whether a solution is to be trained at the time `now` (epoch seconds)."""
    if not solution.perform_auto_training or solution.status != ACTIVE:
        return False
    if not versions:
        return now >= solution.creation_date_time + _FIRST_SECONDS
    config = solution.solution_config.get("autoTrainingConfig", {})
    rate = re.search(r"\d+", config.get("schedulingExpression", ""))
    days = int(rate.group()) if rate else _DEFAULT_DAYS
    return now >= max(version.creation_date_time for version in versions) + days * _DAY


def train_what_is_due(region: Region, now: float) -> list[SolutionVersion]:
    """Start the trainings that are due; return their versions."""
    started = []
    with region.lock:
        for solution in region.all(Solution):
            if is_due(solution, region.all(SolutionVersion, solution_arn=solution.arn), now):
                try:
                    version = start_training(
                        region, solution, training_mode="FULL", training_type="AUTOMATIC"
                    )
                except PersonalizeError as error:
                    logger.warning("%s is not trained automatically: %s", solution.arn, error.message)
                else:
                    started.append(version)
    return started


def keep_trained(region: Region, stopped: threading.Event) -> None:
    """Look every minute for trainings that are due, in a thread of its own, until `stopped`."""

    def look() -> None:
        while not stopped.wait(_LOOK_SECONDS):
            train_what_is_due(region, time.time())

    threading.Thread(target=look, name="personalize-automatic-training", daemon=True).start()
