"""The Spark session of the jobs and their command lines."""

from __future__ import annotations

import argparse
from typing import NoReturn

from pyspark.sql import SparkSession

HARDLY_REPEATED = ["event_id", "user_id", "device_id", "timestamp", "row_id"]
# Times are UTC inside; a bad time is a null, not an error; a rewritten partition leaves its neighbours alone;
# the device-to-user table is worth sending to every worker.
SESSION_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.legacy.timeParserPolicy": "CORRECTED",
    "spark.sql.ansi.enabled": "false",
    "spark.sql.sources.partitionOverwriteMode": "dynamic",
    # a partition's name is text, also when it looks like a date
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.sql.autoBroadcastJoinThreshold": str(256 * 1024 * 1024),
    # the JVM does not compile methods longer than this: Spark must not generate any (twice as fast)
    "spark.sql.codegen.hugeMethodLimit": "8000",
    # partitions are few: open a file for each at once rather than sort the rows by partition first
    "spark.sql.maxConcurrentOutputFileWriters": "64",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # with that many files open at once, row groups of Parquet's 128 MiB are more than the heap
    "parquet.block.size": str(32 * 1024 * 1024),
    # a dictionary of values that hardly repeat saves nothing, and looking each one up costs much
    **{f"parquet.enable.dictionary#{name}": "false" for name in HARDLY_REPEATED},
}

SMALL_BYTES = 8 * 1024 * 1024
BYTES_PER_TASK = 24 * 1024 * 1024
MOST_TASKS = 2000


def open_session(name: str) -> SparkSession:
    """Return the session of the job `name`, set up as the jobs expect."""
    spark = SparkSession.builder.appName(name).getOrCreate()
    for key, value in SESSION_SETTINGS.items():
        spark.conf.set(key, value)
    return spark


def size_session(spark: SparkSession, data_bytes: int) -> None:
    """Suit the session to the size of its input, in bytes as stored.

    Compiling code for a few rows takes longer than interpreting them; many rows want many shuffle partitions.
    """
    is_small = data_bytes < SMALL_BYTES
    spark.conf.set("spark.sql.shuffle.partitions", max(2, min(MOST_TASKS, data_bytes // BYTES_PER_TASK)))
    # files that cannot be split are put together up to this size: Spark's default would leave most cores idle
    spark.conf.set("spark.sql.files.maxPartitionBytes", BYTES_PER_TASK)
    spark.conf.set("spark.sql.codegen.wholeStage", str(not is_small).lower())
    spark.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN" if is_small else "FALLBACK")


class ArgumentsError(Exception):
    """The job's arguments are not those it needs."""


class _Parser(argparse.ArgumentParser):
    """Fails with what is wrong: a job run shows no more of a usage message than `SystemExit: 2`."""

    def error(self, message: str) -> NoReturn:
        raise ArgumentsError(message)


def parse_arguments(arguments: list[str], required: list[str], optional: list[str]) -> argparse.Namespace:
    """Read `--name value` arguments; what Glue adds of its own (`--JOB_NAME`, ...) is ignored.

    Raises ArgumentsError.
    """
    parser = _Parser(allow_abbrev=False, add_help=False)
    for name in required:
        parser.add_argument(f"--{name}", required=True)
    for name in optional:
        parser.add_argument(f"--{name}")
    return parser.parse_known_args(arguments)[0]
