"""What a run found: counts that reconcile, drift, quality, the attributes and what was decided of them."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from preprocessing import storage
from preprocessing.attribute_page import attribute_page
from preprocessing.quality import Facts, check, quality_report, quality_text, stop_unless_met
from preprocessing.raw_fields import HEADER
from preprocessing.resolve import DUPLICATE, KEPT
from preprocessing.selection import attribute_report
from preprocessing.settings import Settings
from preprocessing.statistics import describe, draw_sample
from preprocessing.storage import join

# Relative standard deviation of the number of users
USERS_DEVIATION = 0.01


class ReconciliationError(Exception):
    """Rows went missing between what was read and what became of them: a defect, never the data's fault."""


@dataclass(frozen=True)
class RunReports:
    """Writes the reports of one run below reports/<run id>/."""

    spark: SparkSession
    settings: Settings
    datasets_uri: str
    run_id: str
    as_of: int

    def write(
        self, parsed: DataFrame, interactions: DataFrame, drift: dict[str, dict[str, list[str]]]
    ) -> None:
        """Write counts.json, attributes.json, attributes.html, quality.json and quality.txt.

        Raises ReconciliationError when counts do not add up, QualityError when a gate is not met.
        """
        counts = self._counts(parsed, interactions)
        self._put(
            "counts.json",
            {"runId": self.run_id, "sources": counts, "references": self._references(), "drift": drift},
        )
        _reconcile(counts)
        kept = interactions.where(F.col("outcome") == KEPT)
        types = {name: kind for name, kind in self.settings.attribute_types.items() if kind != "timestamp"}
        described, found = describe(
            kept,
            types,
            [
                F.approx_count_distinct("user_id", USERS_DEVIATION).alias("users"),
                F.max("timestamp").alias("newest"),
            ],
        )
        sample = draw_sample(kept, types, self.settings.selection.outcome_events, found["rows"])
        report = attribute_report(described, sample, self.settings)
        self._put("attributes.json", report)
        page = attribute_page(report, f"{self.settings.name}: attributes of run {self.run_id}")
        storage.write_text(self._uri("attributes.html"), page)
        self._gates(counts, found, {name: facts["missingShare"] for name, facts in described.items()})

    def _gates(
        self, counts: dict[str, dict[str, Any]], found: dict[str, Any], null_shares: dict[str, float]
    ) -> None:
        last_passed = join(self.datasets_uri, "state", "passed.json")
        previous = storage.read_text(last_passed)
        facts = Facts(
            rows=sum(source["rows"] for source in counts.values()),
            quarantined=sum(source["quarantined"] for source in counts.values()),
            interactions=found["rows"],
            users=found["users"],
            newest=found["newest"] or 0,
            null_shares=null_shares,
            as_of=self.as_of,
            previous_interactions=json.loads(previous)["interactions"] if previous else None,
        )
        checks = check(facts, self.settings.quality)
        self._put("quality.json", quality_report(checks, self.run_id))
        storage.write_text(self._uri("quality.txt"), quality_text(checks, self.run_id))
        stop_unless_met(checks, self._uri("quality.txt"))
        storage.write_text(
            last_passed, json.dumps({"runId": self.run_id, "interactions": facts.interactions})
        )

    @staticmethod
    def _counts(parsed: DataFrame, interactions: DataFrame) -> dict[str, dict[str, Any]]:
        """Return per source: rows read, curated, duplicates, quarantined, and quarantined by reason."""
        counts: dict[str, dict[str, Any]] = defaultdict(
            lambda: {"rows": 0, "curated": 0, "duplicates": 0, "quarantined": 0, "reasons": {}}
        )
        data = parsed.where(F.coalesce("reason", F.lit("")) != HEADER)
        by_reason = data.groupBy("source", "reason").count().collect()
        for row in by_reason:
            counts[row["source"]]["rows"] += row["count"]
        rejected = [row for row in by_reason if row["reason"] is not None]
        resolved = interactions.groupBy("source", F.col("outcome").alias("reason")).count().collect()
        for row in [*rejected, *resolved]:
            source = counts[row["source"]]
            name = {KEPT: "curated", DUPLICATE: "duplicates"}.get(row["reason"], "quarantined")
            source[name] += row["count"]
            if name == "quarantined":
                source["reasons"][row["reason"]] = row["count"]
        return dict(sorted(counts.items()))

    def _references(self) -> dict[str, dict[str, int]]:
        found = {}
        for reference in self.settings.references:
            parsed = join(self.datasets_uri, "parsed", reference.name + "/")
            if not storage.list_files(parsed):
                continue
            rows = self.spark.read.parquet(parsed).where(F.coalesce("reason", F.lit("")) != HEADER)
            totals = rows.agg(F.count("*").alias("rows"), F.count("reason").alias("quarantined")).collect()[0]
            curated = self.spark.read.parquet(
                join(self.datasets_uri, "curated", reference.name + "/")
            ).count()
            found[reference.name] = {
                "rows": totals["rows"],
                "curated": curated,
                "duplicates": totals["rows"] - totals["quarantined"] - curated,
                "quarantined": totals["quarantined"],
            }
        return found

    def _put(self, name: str, document: dict[str, Any]) -> None:
        storage.write_text(self._uri(name), json.dumps(document, indent=2))

    def _uri(self, name: str) -> str:
        return join(self.datasets_uri, "reports", self.run_id, name)


def _reconcile(counts: dict[str, dict[str, Any]]) -> None:
    for name, source in counts.items():
        accounted = source["curated"] + source["duplicates"] + source["quarantined"]
        if accounted != source["rows"]:
            raise ReconciliationError(f"{name}: {source['rows']:,} rows read, {accounted:,} accounted for")
