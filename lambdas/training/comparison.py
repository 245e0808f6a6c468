"""What the other setting of a hyperparameter changes: the metrics, and how old what is recommended is."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

HYPERPARAMETER = "recency_mask"
DEFAULT = "true"
DEPTH = 25
YOUNG_DAYS = 30
DAY_SECONDS = 86_400

Answers = Mapping[str, Sequence[str]]


def other_setting(hyperparameters: Mapping[str, str]) -> dict[str, str]:
    """Return hyperparameters with the setting turned round; Personalize's default is true."""
    turned = "false" if hyperparameters.get(HYPERPARAMETER, DEFAULT) == "true" else "true"
    return {**hyperparameters, HYPERPARAMETER: turned}


def answers_of(lines: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the first items for each user of a batch inference's output; users with errors are left out."""
    return {
        line["input"]["userId"]: line["output"]["recommendedItems"][:DEPTH]
        for line in lines
        if not line.get("error")
    }


def ages(answers: Answers, created: Mapping[str, int]) -> dict[str, float]:
    """Return how old the recommended items are, in days before the newest item appeared.

    `created` holds the time of each item in seconds; items without one are left out. Raises ValueError when
    there is no recommended item with a time.
    """
    now = max(created.values(), default=0)
    found = [
        (now - created[item]) / DAY_SECONDS for items in answers.values() for item in items if item in created
    ]
    if not found:
        raise ValueError("no recommended item has a CREATION_TIMESTAMP: their age cannot be told")
    return {
        "medianDays": round(statistics.median(found), 2),
        "meanDays": round(statistics.fmean(found), 2),
        f"shareUnder{YOUNG_DAYS}Days": round(sum(age < YOUNG_DAYS for age in found) / len(found), 4),
    }


def overlap(one: Answers, other: Answers) -> float:
    """Return the share of recommended items that two versions have in common, user by user, on average."""
    shares = [
        len(set(one[user]) & set(other[user])) / max(len(one[user]), len(other[user]), 1)
        for user in one.keys() & other.keys()
    ]
    return round(statistics.fmean(shares), 4) if shares else 0.0
