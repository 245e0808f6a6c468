"""New raw files to parsed rows: one Spark job for the interactions, one for each reference table.

Parsed rows are kept (`parsed/` in the datasets bucket), so that a later run reads new files alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from preprocessing.mapping import standard_rows
from preprocessing.pseudonyms import pseudonym
from preprocessing.raw_fields import read_fields
from preprocessing.references import standard_reference
from preprocessing.salvage import Salvage, salvage_broken, set_aside
from preprocessing.settings import Reference, Settings
from preprocessing.storage import StoredFile, join

Readable = Callable[[list[StoredFile]], list[StoredFile]]


@dataclass(frozen=True)
class Parser:
    """Parses raw files; `key` is that of the user pseudonyms, None where ids stay as they are."""

    spark: SparkSession
    settings: Settings
    datasets_uri: str
    as_of: int
    key: bytes | None

    def interactions(self, files: dict[str, list[StoredFile]], target: str) -> bool:
        """Parse each source's files to `target`, partitioned by dt; false when there are none."""

        def frames(readable: Readable) -> list[DataFrame]:
            return [
                standard_rows(fields, source, self.settings, self.as_of)
                for source in self.settings.sources
                for fields in read_fields(
                    self.spark, readable(files[source.name]), source.format, source.raw_fields
                )
            ]

        return self._write([file for group in files.values() for file in group], frames, target, ["dt"])

    def reference(self, reference: Reference, files: list[StoredFile], target: str) -> bool:
        """Parse a reference table's files to `target`; false when there are none."""
        clock = [reference.clock.column] if reference.clock else []
        names = sorted({*reference.columns.values(), *clock})

        def frames(readable: Readable) -> list[DataFrame]:
            return [
                standard_reference(fields, reference)
                for fields in read_fields(self.spark, readable(files), reference.format, names)
            ]

        return self._write(files, frames, target, [])

    def _write(
        self,
        files: list[StoredFile],
        frames: Callable[[Readable], list[DataFrame]],
        target: str,
        partition_by: list[str],
    ) -> bool:
        """Write the frames; when a file turns out to be broken, once more with what can be read of it."""
        folder = join(self.datasets_uri, "parsed", "_salvaged/")
        aside = set_aside(files, folder)
        try:
            return self._write_frames(frames(_instead(aside)), aside, target, partition_by)
        except (Py4JJavaError, PySparkException):
            broken = salvage_broken(files, folder)
            if not broken:
                raise
        salvaged = [*aside, *broken]
        return self._write_frames(frames(_instead(salvaged)), salvaged, target, partition_by)

    def _write_frames(
        self, frames: list[DataFrame], salvaged: list[Salvage], target: str, partition_by: list[str]
    ) -> bool:
        if not frames:
            return False
        rows = reduce(DataFrame.unionByName, frames)
        for salvage in salvaged:
            is_salvaged = F.col("file").endswith(salvage.file.uri.rsplit("/", 1)[-1])
            rows = rows.withColumn("file", F.when(is_salvaged, salvage.original).otherwise(F.col("file")))
        if self.key is not None:
            rows = self._pseudonymised(rows, self.key)
        rows.write.mode("overwrite").partitionBy(*partition_by).parquet(target)
        return True

    @staticmethod
    def _pseudonymised(rows: DataFrame, key: bytes) -> DataFrame:
        """Replace user ids, and leave out the raw text of rejected rows: file and line say where it is."""
        replaced = rows.withColumn("raw", F.lit(None).cast("string"))
        return (
            replaced.withColumn("user_id", pseudonym(F.col("user_id"), key))
            if "user_id" in rows.columns
            else replaced
        )


def _instead(salvaged: list[Salvage]) -> Readable:
    """Return what replaces files by their salvaged lines."""
    files = {salvage.original: salvage.file for salvage in salvaged}
    return lambda group: [files.get(file.uri, file) for file in group]
