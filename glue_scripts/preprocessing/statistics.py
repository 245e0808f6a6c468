"""What the attributes are like: shares, spreads, how they hang together, what they tell of the outcome.

Shares and spreads are of all rows, in one pass; the associations of pairs are of a sample, because they
need every pair's joint distribution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

SAMPLE_ROWS = 50_000
SAMPLE_BUCKETS = 1_000_000
HISTOGRAM_BINS = 20
SHOWN_CATEGORIES = 12
OUTCOME = "_outcome"


@dataclass(frozen=True)
class Sample:
    """Sampled columns: text as category numbers (-1 missing), numbers as floats (NaN missing)."""

    columns: dict[str, NDArray[Any]]
    categories: dict[str, list[str]]
    outcome: NDArray[np.bool_]

    def is_text(self, name: str) -> bool:
        """Tell whether the attribute is text."""
        return name in self.categories


def describe(
    rows: DataFrame, types: dict[str, str], others: Sequence[Column] = ()
) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Return each attribute's type, missing share, number of distinct values and, for numbers, its spread.

    `others` are named aggregates of the same pass; their values, and the number of `rows`, come second.
    """
    facts = [F.count("*").alias("rows"), *others]
    for name, kind in types.items():
        facts += [
            F.count(name).alias(f"{name}#count"),
            F.approx_count_distinct(name).alias(f"{name}#distinct"),
        ]
        if kind != "string":
            facts += [
                function(name).alias(f"{name}#{label}")
                for label, function in (
                    ("minimum", F.min),
                    ("maximum", F.max),
                    ("mean", F.mean),
                    ("deviation", F.stddev),
                )
            ]
    found = rows.agg(*facts).collect()[0].asDict()
    described = {}
    for name, kind in types.items():
        described[name] = {
            "type": "text" if kind == "string" else "number",
            "missingShare": 1 - found[f"{name}#count"] / max(1, found["rows"]),
            "distinct": found[f"{name}#distinct"],
        }
        if kind != "string":
            described[name] |= {
                label: found[f"{name}#{label}"] for label in ("minimum", "maximum", "mean", "deviation")
            }
    return described, {name: value for name, value in found.items() if "#" not in name}


def draw_sample(rows: DataFrame, types: dict[str, str], outcome_events: list[str], total: int) -> Sample:
    """Draw at most about SAMPLE_ROWS rows, the same ones each time: by a hash of the event's id."""
    share = min(1.0, SAMPLE_ROWS / max(1, total))
    chosen = rows.where(F.pmod(F.xxhash64("event_id"), F.lit(SAMPLE_BUCKETS)) < int(share * SAMPLE_BUCKETS))
    columns = [
        F.col(name).cast("string" if kind == "string" else "double").alias(name)
        for name, kind in types.items()
    ]
    drawn = chosen.select(*columns, F.col("event_type").isin(outcome_events).alias(OUTCOME)).collect()
    values: dict[str, NDArray[Any]] = {}
    categories: dict[str, list[str]] = {}
    for name, kind in types.items():
        raw = [row[name] for row in drawn]
        if kind == "string":
            categories[name] = sorted({value for value in raw if value is not None})
            number = {value: place for place, value in enumerate(categories[name])}
            values[name] = np.array([-1 if value is None else number[value] for value in raw], dtype=np.int64)
        else:
            values[name] = np.array([np.nan if value is None else value for value in raw], dtype=np.float64)
    return Sample(values, categories, np.array([bool(row[OUTCOME]) for row in drawn]))


def distribution(sample: Sample, name: str) -> dict[str, list[Any]]:
    """Return `labels` and `counts`: the commonest categories, or a number's histogram."""
    column = sample.columns[name]
    if sample.is_text(name):
        counts = np.bincount(column[column >= 0], minlength=len(sample.categories[name]))
        best = np.argsort(-counts, kind="stable")[:SHOWN_CATEGORIES]
        return {"labels": [sample.categories[name][place] for place in best], "counts": counts[best].tolist()}
    present = column[~np.isnan(column)]
    if not len(present):
        return {"labels": [], "counts": []}
    low, high = np.quantile(present, [0.0, 0.99])
    counts, edges = np.histogram(
        present, bins=HISTOGRAM_BINS, range=(float(low), float(max(high, low + 1e-9)))
    )
    return {"labels": [f"{edge:.6g}" for edge in edges[:-1]], "counts": counts.tolist()}


def association(sample: Sample, one: str, other: str) -> float:
    """Return how much two attributes say of each other, 0 to 1: by Pearson, Cramer or correlation ratio."""
    a, b = sample.columns[one], sample.columns[other]
    if sample.is_text(one) and sample.is_text(other):
        return cramers_v(a, b)
    if sample.is_text(one):
        return correlation_ratio(a, b)
    if sample.is_text(other):
        return correlation_ratio(b, a)
    return pearson(a, b)


def pearson(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return the absolute linear correlation of two numbers, 0 where one does not vary."""
    both = ~np.isnan(a) & ~np.isnan(b)
    x, y = a[both], b[both]
    if len(x) < 2 or x.std() == 0 or y.std() == 0:  # noqa: PLR2004 - a correlation needs two points
        return 0.0
    return float(abs(np.corrcoef(x, y)[0, 1]))


def cramers_v(a: NDArray[np.int64], b: NDArray[np.int64]) -> float:
    """Return the bias-corrected Cramer's V (Bergsma 2013) of two categories, missing left out."""
    table = _table(a, b)
    rows, columns = table.shape
    total = table.sum()
    if min(rows, columns) < 2 or total < 2:  # noqa: PLR2004 - nothing varies
        return 0.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / total
    phi = float(((table - expected) ** 2 / expected).sum() / total)
    corrected = max(0.0, phi - (rows - 1) * (columns - 1) / (total - 1))
    smaller = min(rows - (rows - 1) ** 2 / (total - 1), columns - (columns - 1) ** 2 / (total - 1))
    return float(np.sqrt(corrected / (smaller - 1))) if smaller > 1 else 0.0


def correlation_ratio(groups: NDArray[np.int64], values: NDArray[np.float64]) -> float:
    """Return eta: the square root of the share of a number's variance that lies between the categories."""
    both = (groups >= 0) & ~np.isnan(values)
    g, v = groups[both], values[both]
    if len(v) < 2 or v.std() == 0:  # noqa: PLR2004
        return 0.0
    counts = np.bincount(g)
    means = np.bincount(g, weights=v) / np.maximum(counts, 1)
    between = float((counts * (means - v.mean()) ** 2).sum())
    return float(np.sqrt(between / ((v - v.mean()) ** 2).sum()))


def mutual_information(sample: Sample, name: str) -> float:
    """Return what an attribute tells about the outcome, in bits, Miller-Madow corrected, never below 0.

    Numbers are cut at their deciles; missing is a category of its own.
    """
    column = sample.columns[name]
    if not sample.is_text(name):
        present = column[~np.isnan(column)]
        edges = np.unique(np.quantile(present, np.linspace(0.1, 0.9, 9))) if len(present) else np.array([])
        column = np.where(np.isnan(column), -1, np.digitize(column, edges))
    table = _table(column.astype(np.int64) + 1, sample.outcome.astype(np.int64))
    total = table.sum()
    if total == 0:
        return 0.0
    joint = table / total
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    filled = joint > 0
    bits = float((joint[filled] * np.log2(joint[filled] / independent[filled])).sum())
    bias = (table.shape[0] - 1) * (table.shape[1] - 1) / (2 * total * np.log(2))
    return max(0.0, bits - float(bias))


def _table(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the contingency table of two categories without empty rows and columns."""
    both = (a >= 0) & (b >= 0)
    _, x = np.unique(a[both], return_inverse=True)
    _, y = np.unique(b[both], return_inverse=True)
    shape = (int(x.max()) + 1, int(y.max()) + 1) if len(x) else (0, 0)
    return np.bincount(x * shape[1] + y, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)
