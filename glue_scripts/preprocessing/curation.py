"""The curate job's course: parse, identify, resolve, quarantine, count, register."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from preprocessing import storage
from preprocessing.catalog import Catalog
from preprocessing.mapping import REJECTED, standard_rows
from preprocessing.raw_fields import HEADER, read_fields
from preprocessing.raw_files import line_numbers
from preprocessing.references import column_types, latest_rows, standard_reference
from preprocessing.resolve import KEPT, OUTCOMES, actor_counts, bots, identities, resolve
from preprocessing.settings import Settings
from preprocessing.storage import join

BYTES_PER_TASK = 16 * 1024 * 1024


@dataclass(frozen=True)
class Curation:
    """One run of the curate job."""

    spark: SparkSession
    settings: Settings
    raw_uri: str
    datasets_uri: str
    run_id: str
    glue_database: str | None
    as_of: int

    def run(self) -> None:
        """Curate everything under the raw address."""
        self._parse()
        parsed = self.spark.read.parquet(self._parsed)
        self._resolve(parsed.where(F.col("dt") != REJECTED))
        self._references()
        self._quarantine(parsed)
        self._report(parsed)
        self._select()
        self._register()

    @property
    def _parsed(self) -> str:
        return join(self.datasets_uri, "parsed/")

    @property
    def _interactions(self) -> str:
        return join(self.datasets_uri, "curated", "interactions/")

    def _parse(self) -> None:
        frames: list[DataFrame] = []
        size = 0
        for source in self.settings.sources:
            files = storage.list_files(join(self.raw_uri, source.prefix))
            size += sum(file.size for file in files)
            for fields in read_fields(self.spark, files, source.format, source.raw_fields):
                frames.append(standard_rows(fields, source, self.settings, self.as_of))
        self.spark.conf.set("spark.sql.shuffle.partitions", max(2, min(2000, size // BYTES_PER_TASK)))
        _write(reduce(DataFrame.unionByName, frames), self._parsed, ["dt"])

    def _resolve(self, sound: DataFrame) -> None:
        counts_path = join(self.datasets_uri, "state", "actors/")
        identities_path = join(self.datasets_uri, "state", "identities/")
        _write(actor_counts(sound), counts_path)
        counts = self.spark.read.parquet(counts_path)
        _write(identities(counts), identities_path)
        users = self.spark.read.parquet(identities_path)
        bot_days = bots(sound, counts, self.settings.maximum_events_per_hour)
        _write(resolve(sound, users, bot_days, self.settings), self._interactions, ["outcome", "dt"])

    def _references(self) -> None:
        for reference in self.settings.references:
            files = storage.list_files(join(self.raw_uri, reference.prefix))
            names = sorted(
                {*reference.columns.values(), *([reference.clock.column] if reference.clock else [])}
            )
            frames = [
                standard_reference(fields, reference)
                for fields in read_fields(self.spark, files, reference.format, names)
            ]
            if frames:
                rows = latest_rows(reduce(DataFrame.unionByName, frames), reference)
                _write(rows, join(self.datasets_uri, "curated", reference.name + "/"))

    def _quarantine(self, parsed: DataFrame) -> None:
        blocks = parsed.groupBy("file", "block").agg(
            F.min("row_id").alias("first_row_id"), F.count("*").alias("rows")
        )
        rejected = parsed.where((F.col("dt") == REJECTED) & (F.col("reason") != HEADER))
        late = self.spark.read.parquet(self._interactions).where("outcome IN ('bot', 'unidentified')")
        content = F.to_json(F.struct("event_id", "user_id", "device_id", "event_type", "timestamp"))
        late = late.withColumn("reason", F.col("outcome")).withColumn("raw", content)
        columns = ["source", "file", "block", "row_id", "reason", "raw"]
        rows = line_numbers(blocks, rejected.select(*columns).unionByName(late.select(*columns)))
        _write(rows, join(self.datasets_uri, "quarantine/"))

    def _report(self, parsed: DataFrame) -> None:
        outcomes = self.spark.read.parquet(self._interactions).groupBy("source", "outcome").count().collect()
        reasons = (
            parsed.where((F.col("dt") == REJECTED) & (F.col("reason") != HEADER))
            .groupBy("source", "reason")
            .count()
            .collect()
        )
        read = parsed.where(F.coalesce("reason", F.lit("")) != HEADER).groupBy("source").count().collect()
        report = {
            "runId": self.run_id,
            "sources": {
                row["source"]: {
                    "rows": row["count"],
                    **{
                        o: sum(
                            r["count"] for r in outcomes if r["source"] == row["source"] and r["outcome"] == o
                        )
                        for o in OUTCOMES
                    },
                    "quarantined": {r["reason"]: r["count"] for r in reasons if r["source"] == row["source"]},
                }
                for row in read
            },
        }
        storage.write_text(
            join(self.datasets_uri, "reports", self.run_id, "counts.json"), json.dumps(report, indent=2)
        )

    def _select(self) -> None:
        item = self.settings.item
        names = [n for n, kind in self.settings.attribute_types.items() if kind != "timestamp"]
        report = {"selected": [n for n in names if n not in item.forbidden or n in item.pinned]}
        storage.write_text(
            join(self.datasets_uri, "reports", self.run_id, "attributes.json"), json.dumps(report)
        )

    def _register(self) -> None:
        if not self.glue_database:
            return
        catalog = Catalog(self.glue_database)
        location = join(self._interactions, f"outcome={KEPT}/")
        frame = self.spark.read.parquet(location)
        columns = {name: kind for name, kind in frame.dtypes if name not in {"dt", "reason", "raw"}}
        catalog.register("curated_interactions", location, columns, "dt")
        partitions = [row["dt"] for row in frame.select("dt").distinct().collect()]
        catalog.set_partitions("curated_interactions", location, columns, "dt", partitions)
        for reference in self.settings.references:
            catalog.register(
                f"curated_{reference.name}",
                join(self.datasets_uri, "curated", reference.name + "/"),
                column_types(reference),
            )


def _write(rows: DataFrame, path: str, partition_by: list[str] | None = None) -> None:
    writer = rows.write.mode("overwrite")
    (writer.partitionBy(*partition_by) if partition_by else writer).parquet(path)
