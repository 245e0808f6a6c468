"""The curate job's course: parse what is new, identify, resolve, quarantine, report, register."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from preprocessing import storage
from preprocessing.catalog import Catalog
from preprocessing.drift import source_drift
from preprocessing.ledger import Changes, Ledger
from preprocessing.mapping import ID_COLUMNS, REJECTED
from preprocessing.parsing import Parser
from preprocessing.raw_fields import HEADER
from preprocessing.raw_files import line_numbers
from preprocessing.references import column_types, latest_rows
from preprocessing.reports import RunReports
from preprocessing.resolve import (
    BOT,
    KEPT,
    LOCATION,
    OUTCOMES,
    UNIDENTIFIED,
    actor_counts,
    bots,
    identities,
    resolve,
)
from preprocessing.session import size_session
from preprocessing.settings import Settings
from preprocessing.storage import join

QUARANTINE_COLUMNS = ["source", "file", "block", "row_id", "reason", "raw"]


class NoDataError(Exception):
    """There is nothing to curate."""


@dataclass(frozen=True)
class Curation:
    """One run of the curate job. Everything it writes may be written again by the same or a later run."""

    spark: SparkSession
    settings: Settings
    raw_uri: str
    datasets_uri: str
    run_id: str
    glue_database: str | None
    as_of: int
    key: bytes | None = None

    def run(self) -> None:
        """Bring the curated tables up to date with the raw files.

        Raises NoDataError when there are no interactions at all, QualityError when a gate is not met.
        """
        ledger = Ledger(self._uri("state", "files.json"))
        files = {s.name: storage.list_files(join(self.raw_uri, s.prefix)) for s in self.settings.sources}
        changes = ledger.compare([file for group in files.values() for file in group])
        batch = ledger.fresh_batch(self.run_id)
        was_stopped = self._drop_unfinished(ledger)
        size_session(self.spark, sum(file.size for group in files.values() for file in group))
        new = {name: [file for file in group if file in changes.new] for name, group in files.items()}
        target = self._uri("parsed", "interactions", f"batch={batch}/")
        # meanwhile, because a big reference table in one file keeps one core busy and the others waiting
        with ThreadPoolExecutor(1) as meanwhile:
            references = meanwhile.submit(self._references)
            self._parser.interactions(new, target)
            references.result()
        parsed = self._parsed(changes, batch)
        affected = self._affected(parsed, changes, batch)
        if was_stopped:
            affected = None  # nobody knows which partitions the stopped run got to
        resolved = self._resolve(parsed.where(F.col("dt") != REJECTED), affected)
        self._quarantine(parsed, resolved)
        drift = {s.name: source_drift(s, new[s.name]) for s in self.settings.sources}
        reports = RunReports(self.spark, self.settings, self.datasets_uri, self.run_id, self.as_of)
        reports.write(parsed, resolved, drift)
        self._register()
        ledger.save(changes, batch)

    @cached_property
    def _parser(self) -> Parser:
        return Parser(self.spark, self.settings, self.datasets_uri, self.as_of, self.key)

    def _uri(self, *parts: str) -> str:
        return join(self.datasets_uri, *parts)

    @property
    def _interactions(self) -> str:
        return self._uri("curated", "interactions/")

    def _drop_unfinished(self, ledger: Ledger) -> bool:
        """Delete the parsed rows of runs that stopped too soon; tell whether there were any."""
        root = self._uri("parsed", "interactions/")
        batches = {_batch_of(file.uri.removeprefix(root)) for file in storage.list_files(root)}
        unfinished = batches - {entry.batch for entry in ledger.entries.values()}
        for batch in unfinished:
            storage.delete_prefix(join(root, f"batch={batch}/"))
        return bool(unfinished)

    def _parsed(self, changes: Changes, batch: str) -> DataFrame:
        """Return the parsed rows of the raw files of now; rows of replaced or deleted files are left out."""
        root = self._uri("parsed", "interactions/")
        if not storage.list_files(root):
            raise NoDataError(
                f"no raw files of interactions below {self.raw_uri}; see data.sources in the configuration"
            )
        parsed = self.spark.read.option("basePath", root).parquet(root)
        if not changes.withdrawn:
            return parsed
        valid = [(uri, entry.batch) for uri, entry in changes.kept.items()]
        valid += [(file.uri, batch) for file in changes.new]
        return parsed.join(F.broadcast(self._file_batches(valid)), ["file", "batch"], "left_semi")

    def _file_batches(self, pairs: list[tuple[str, str]]) -> DataFrame:
        rows = [(_spark_path(uri), batch) for uri, batch in pairs]
        return self.spark.createDataFrame(rows, "file string, batch string")

    def _affected(self, parsed: DataFrame, changes: Changes, batch: str) -> list[str] | None:
        """Return the partitions to redo with those beside them; None for all of them.

        Affected are partitions of new rows, of rows withdrawn, and of devices whose user is known differently
        than before.
        """
        sound = parsed.where(F.col("dt") != REJECTED)
        previous = self._uri("state", "identities/")
        counts_uri, next_uri = self._uri("state", "actors/"), self._uri("state", "next_identities/")
        actor_counts(sound).write.mode("overwrite").parquet(counts_uri)
        identities(self.spark.read.parquet(counts_uri)).write.mode("overwrite").parquet(next_uri)
        if not changes.kept or not storage.list_files(previous):
            return None
        before, after = (self.spark.read.parquet(uri) for uri in (previous, next_uri))
        redefined = (
            before.exceptAll(after).unionByName(after.exceptAll(before)).select("device_id").distinct()
        )
        touched = sound.where(F.col("batch") == batch).select("dt")
        touched = touched.unionByName(
            sound.join(F.broadcast(redefined), "device_id", "left_semi").select("dt")
        )
        if changes.withdrawn:
            root = self._uri("parsed", "interactions/")
            gone = self._file_batches([(uri, entry.batch) for uri, entry in changes.withdrawn.items()])
            rows = self.spark.read.option("basePath", root).parquet(root).where(F.col("dt") != REJECTED)
            touched = touched.unionByName(
                rows.join(F.broadcast(gone), ["file", "batch"], "left_semi").select("dt")
            )
        every = [row["dt"] for row in sound.select("dt").distinct().orderBy("dt").collect()]
        return with_neighbours([row["dt"] for row in touched.distinct().collect()], every)

    def _resolve(self, sound: DataFrame, affected: list[str] | None) -> DataFrame:
        """Redo the affected partitions; the ones beside them are read too, but not written.

        Returns the resolved rows of all partitions.
        """
        next_uri, identities_uri = self._uri("state", "next_identities/"), self._uri("state", "identities/")
        users = self.spark.read.parquet(next_uri)
        context = sound
        if affected is not None:
            every = [row["dt"] for row in sound.select("dt").distinct().orderBy("dt").collect()]
            context = sound.where(F.col("dt").isin(with_neighbours(affected, every)))
        counts = self.spark.read.parquet(self._uri("state", "actors/"))
        bot_days = bots(context, counts, self.settings.maximum_events_per_hour)
        resolved = resolve(context.drop("reason", "raw", "batch"), users, bot_days, self.settings)
        if affected is None:
            storage.delete_prefix(self._interactions)
        else:
            resolved = resolved.where(F.col("dt").isin(affected))
            for outcome in OUTCOMES:
                for dt in affected:
                    storage.delete_prefix(join(self._interactions, f"outcome={outcome}", f"dt={dt}/"))
        resolved.write.mode("overwrite").partitionBy("outcome", "dt").parquet(self._interactions)
        users.write.mode("overwrite").parquet(identities_uri)
        # with the schema given, no rows at all are an empty table and not an error
        return self.spark.read.schema(resolved.schema).parquet(self._interactions)

    def _references(self) -> None:
        for reference in self.settings.references:
            files = storage.list_files(join(self.raw_uri, reference.prefix))
            target = self._uri("parsed", reference.name + "/")
            if self._parser.reference(reference, files, target):
                rows = latest_rows(self.spark.read.parquet(target), reference)
            else:
                storage.delete_prefix(target)
                rows = self.spark.createDataFrame(
                    [], ", ".join(f"{n} {t}" for n, t in column_types(reference).items())
                )
            rows.write.mode("overwrite").parquet(self._uri("curated", reference.name + "/"))

    def _quarantine(self, parsed: DataFrame, resolved: DataFrame) -> None:
        """Write every rejected row with its file and line, bots' and unknown people's included."""
        unusable = resolved.where(F.col("outcome").isin(BOT, UNIDENTIFIED))
        content = F.to_json(F.struct(*ID_COLUMNS, "event_type", "timestamp"))
        unusable = unusable.withColumns({"reason": F.col("outcome"), "raw": content})
        rejected = parsed.where(F.col("dt") == REJECTED).select(*QUARANTINE_COLUMNS)
        frames = [(parsed, rejected.unionByName(unusable.select(*QUARANTINE_COLUMNS)))]
        for reference in self.settings.references:
            uri = self._uri("parsed", reference.name + "/")
            if storage.list_files(uri):
                rows = self.spark.read.parquet(uri)
                frames.append((rows, rows.where(F.col("reason").isNotNull())))
        target = self._uri("quarantine/")
        storage.delete_prefix(target)
        for whole, refused in frames:
            blocks = whole.groupBy("file", "block").agg(
                F.min("row_id").alias("first_row_id"), F.count("*").alias("rows")
            )
            shown = refused.where(F.col("reason") != HEADER).select(*QUARANTINE_COLUMNS)
            line_numbers(blocks, shown).coalesce(1).write.mode("append").parquet(target)

    def _register(self) -> None:
        """Put the curated tables into the Glue catalog, where a database is given."""
        if not self.glue_database:
            return
        catalog = Catalog(self.glue_database)
        location = join(self._interactions, f"outcome={KEPT}/")
        frame = self.spark.read.parquet(location)
        hidden = {"dt", *LOCATION}
        columns = {name: kind for name, kind in frame.dtypes if name not in hidden}
        catalog.register("curated_interactions", location, columns, "dt")
        partitions = [row["dt"] for row in frame.select("dt").distinct().collect()]
        catalog.set_partitions("curated_interactions", location, columns, "dt", partitions)
        for reference in self.settings.references:
            uri = self._uri("curated", reference.name + "/")
            catalog.register(f"curated_{reference.name}", uri, column_types(reference))
        quarantined = {
            "source": "string",
            "file": "string",
            "line": "bigint",
            "reason": "string",
            "raw": "string",
        }
        catalog.register("curated_quarantine", self._uri("quarantine/"), quarantined)


def with_neighbours(partitions: list[str], every: list[str]) -> list[str]:
    """Return `partitions` and those beside them in `every` (sorted)."""
    places = {every.index(partition) for partition in partitions if partition in every}
    near = {place + step for place in places for step in (-1, 0, 1)}
    gone = [partition for partition in partitions if partition not in every]
    return sorted([every[place] for place in near if 0 <= place < len(every)] + gone)


def _batch_of(path: str) -> str:
    """Return the batch that a parsed file's path, `batch=.../dt=.../...`, names."""
    return path.lstrip("/").split("/", 1)[0].removeprefix("batch=")


def _spark_path(uri: str) -> str:
    """Return a file's address as Spark writes it: one slash after `file:`."""
    return uri.replace("file:///", "file:/", 1)
