"""The limits that Amazon Personalize sets datasets, checked before anything is imported and paid for.

Source: https://docs.aws.amazon.com/personalize/latest/dg/limits.html
"""

from __future__ import annotations

from typing import Any

from pyspark.sql import functions as F  # noqa: N812

from preprocessing.datasets import PLAIN_COLUMNS, Dataset

MOST_ITEMS = 750_000
MOST_INTERACTIONS = 500_000_000
MOST_EVENT_TYPES_AND_METADATA = 10
MOST_METADATA = {"users": 25, "items": 100, "interactions": 5}
LONGEST_ID = 256
LONGEST_CATEGORY = 1000
FEWEST_INTERACTIONS = 1000
FEWEST_USERS = 25


class LimitError(Exception):
    """The datasets cannot be imported; the message says what to change."""


def check_limits(datasets: list[Dataset], counts: dict[tuple[str, str], int]) -> None:
    """Raise LimitError unless Personalize will take the datasets; `counts` are rows by (group, kind)."""
    problems: list[str] = []
    for dataset in datasets:
        rows = counts[dataset.group, dataset.kind]
        facts = _facts(dataset)
        found = [*_column_problems(dataset), *_value_problems(dataset, facts, rows)]
        found += (
            _interaction_problems(dataset, facts, rows)
            if dataset.kind == "interactions"
            else _entity_problems(dataset, facts, rows)
        )
        problems += [f"{dataset.group}/{dataset.kind}: {problem}" for problem in found]
    if problems:
        raise LimitError("Personalize would refuse these datasets:\n" + "\n".join(f"- {p}" for p in problems))


def _facts(dataset: Dataset) -> dict[str, Any]:
    """Return, of one pass over the rows, what the limits are about."""
    types = dict(dataset.rows.dtypes)
    texts = [name for name, kind in types.items() if kind == "string"]
    facts = [F.max(F.length(name)).alias(f"longest {name}") for name in texts]
    facts += [F.count(name).alias(f"present {name}") for name in types if name in PLAIN_COLUMNS]
    if dataset.kind == "interactions":
        facts.append(F.collect_set("EVENT_TYPE").alias("event types"))
    else:
        facts.append(F.count_distinct(_id_column(dataset)).alias("distinct ids"))
    return dataset.rows.agg(*facts).collect()[0].asDict()


def _id_column(dataset: Dataset) -> str:
    return "USER_ID" if dataset.kind == "users" else "ITEM_ID"


def _column_problems(dataset: Dataset) -> list[str]:
    described = dataset.metadata
    most = MOST_METADATA[dataset.kind]
    if len(described) > most:
        return [f"{len(described)} metadata columns, at most {most}; drop some of {described}"]
    if dataset.kind != "interactions" and not described:
        return ["no metadata column, at least one is needed; name one in user_metadata or item.pinned"]
    return []


def _value_problems(dataset: Dataset, facts: dict[str, Any], rows: int) -> list[str]:
    problems = []
    for name in dataset.rows.columns:
        missing = rows - facts.get(f"present {name}", rows)
        if missing > 0:
            problems.append(f"{missing:,} rows without {name}, which every row needs; mend the statement")
        longest = facts.get(f"longest {name}") or 0
        if name in {"USER_ID", "ITEM_ID"} and longest > LONGEST_ID:
            problems.append(f"{name} of {longest:,} characters, at most {LONGEST_ID}; use a shorter id")
        elif longest > LONGEST_CATEGORY:
            problems.append(
                f"{name} of {longest:,} characters, at most {LONGEST_CATEGORY:,}; "
                "forbid it in item.forbidden or shorten it at its source"
            )
    return problems


def _entity_problems(dataset: Dataset, facts: dict[str, Any], rows: int) -> list[str]:
    problems = []
    if dataset.kind == "items" and rows > MOST_ITEMS:
        problems.append(
            f"{rows:,} items, at most {MOST_ITEMS:,} are considered; take attributes out of "
            "item.id_attributes or widen their buckets"
        )
    repeated = facts[f"present {_id_column(dataset)}"] - facts["distinct ids"]
    if repeated:
        problems.append(f"{repeated:,} rows repeat an id; deliver one row an id")
    return problems


def _interaction_problems(dataset: Dataset, facts: dict[str, Any], rows: int) -> list[str]:
    problems = []
    types = sorted(facts["event types"])
    types_and_metadata = len(types) + len(dataset.metadata)
    if types_and_metadata > MOST_EVENT_TYPES_AND_METADATA:
        problems.append(
            f"{types_and_metadata} event types and metadata columns together, at most "
            f"{MOST_EVENT_TYPES_AND_METADATA}; map some of {types} together"
        )
    if rows > MOST_INTERACTIONS:
        problems.append(
            f"{rows:,} interactions, at most {MOST_INTERACTIONS:,} are considered; raise data.earliest"
        )
    if rows < FEWEST_INTERACTIONS:
        problems.append(f"{rows:,} interactions, at least {FEWEST_INTERACTIONS:,} are needed; add history")
        return problems
    active = dataset.rows.groupBy("USER_ID").count().where("count >= 2").limit(FEWEST_USERS).count()
    if active < FEWEST_USERS:
        problems.append(
            f"{active} users with two interactions or more, at least {FEWEST_USERS} are needed; add history"
        )
    return problems
