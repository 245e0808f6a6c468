"""Raw files as Spark reads them: one row a line, with its file and place; CSV files by their header."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from preprocessing import storage
from preprocessing.salvage import BROKEN_MARK, decompressed
from preprocessing.storage import StoredFile

HEADER_BYTES = 64 * 1024
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# What Hadoop takes for a pattern in a path (FileSystem.globStatus)
PATTERN_CHARACTERS = re.compile(r"([\[\]{}*?^\\])")


@dataclass(frozen=True)
class CsvGroup:
    """CSV files with the same header line; `fields` are the header's names, none when it cannot be read."""

    header: bytes
    fields: list[str]
    files: list[StoredFile]


def read_lines(spark: SparkSession, files: list[StoredFile]) -> DataFrame:
    """Return the files' lines: `raw_line`, `file` (address), `block` (first byte of the split) and `row_id`.

    `row_id` rises with the line within a block, so that line numbers can be worked out later for the few rows
    that need one (`line_numbers`).
    """
    encoded = F.col("_metadata.file_path")
    plain = F.expr("url_decode(replace(_metadata.file_path, '+', '%2B'))")
    return spark.read.text([PATTERN_CHARACTERS.sub(r"\\\1", file.uri) for file in files]).select(
        F.col("value").alias("raw_line"),
        F.when(encoded.contains("%"), plain).otherwise(encoded).alias("file"),
        F.col("_metadata.file_block_start").alias("block"),
        F.monotonically_increasing_id().alias("row_id"),
    )


def group_by_header(files: list[StoredFile]) -> list[CsvGroup]:
    """Group CSV files by their header line, in order of first appearance."""
    groups: dict[bytes, list[StoredFile]] = defaultdict(list)
    for file in files:
        groups[_header(file)].append(file)
    return [CsvGroup(header, _fields(header), members) for header, members in groups.items()]


def line_numbers(blocks: DataFrame, rows: DataFrame) -> DataFrame:
    """Replace `block` and `row_id` of `rows` by `line`, counted from 1 in the file.

    `blocks` has one row a file and block: `file`, `block`, `first_row_id`, `rows`.
    """
    before = F.coalesce(
        F.expr(
            "sum(rows) OVER (PARTITION BY file ORDER BY block "
            "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
        ),
        F.lit(0),
    )
    starts = blocks.select("file", "block", (before - F.col("first_row_id") + 1).alias("offset"))
    located = rows.join(F.broadcast(starts), ["file", "block"], "left")
    return located.withColumn("line", F.col("row_id") + F.col("offset")).drop("block", "row_id", "offset")


def _header(file: StoredFile) -> bytes:
    """Return the first line without a byte order mark, which Spark does not read either."""
    start = _text(file, storage.read_bytes(file.uri, HEADER_BYTES) if file.size else b"")
    if file.size > HEADER_BYTES and not re.search(rb"[\r\n]", start):
        start = _text(file, storage.read_bytes(file.uri))
    first = start.removeprefix(BYTE_ORDER_MARK).splitlines()[0] if start.strip() else b""
    return b"" if first.startswith(BROKEN_MARK.encode()) else first


def _text(file: StoredFile, data: bytes) -> bytes:
    return decompressed(data)[0] if file.uri.endswith(".gz") else data


def _fields(header: bytes) -> list[str]:
    """Return the header's field names; repeated ones are numbered so that each names one column."""
    names: list[str] = []
    for name in next(csv.reader([header.decode("utf-8", errors="replace")]), []):
        clean = name.strip()
        names.append(clean if clean and clean not in names else f"{clean}#{len(names)}")
    return names
