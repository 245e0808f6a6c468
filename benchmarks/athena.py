"""Athena statements through localcloud beside the same SQL in DuckDB, on the same files.

The statements are of the kinds that prepare the datasets: sessions by windows, aggregates by item, a join, a
filter on partitions. Each is run in turn by both, after one unmeasured round; the figure is the ratio of
medians.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import duckdb

from benchmarks.report import Figure, write_results

BUCKET = "athena-benchmark"
DATABASE = "benchmark"
DAYS = 30
ROUNDS = 3
POLL_SECONDS = 0.02
REGION = "ap-south-1"


@dataclass(frozen=True)
class Measured:
    """A query in Athena's dialect and in DuckDB's over `{interactions}`; made into a table or selected."""

    name: str
    athena: str
    duckdb: str
    creates_table: bool


QUERIES = [
    Measured(
        "sessions",
        """SELECT user_id, session_number, min(ts) AS started_at, max(ts) AS ended_at, count(*) AS events
        FROM (
            SELECT user_id, ts, sum(is_start) OVER (PARTITION BY user_id ORDER BY ts) AS session_number FROM (
                SELECT user_id, ts, CASE WHEN ts - lag(ts) OVER (PARTITION BY user_id ORDER BY ts) <= 1800
                    THEN 0 ELSE 1 END AS is_start FROM {interactions}))
        GROUP BY user_id, session_number""",
        "same",
        creates_table=True,
    ),
    Measured(
        "items",
        """SELECT item_id, max_by(category, ts) AS category, avg(price) AS price,
            sum(event_value) AS popularity, approx_distinct(user_id) AS users,
            min(date_trunc('day', from_unixtime(ts))) AS first_day
        FROM {interactions} GROUP BY item_id""",
        """SELECT item_id, arg_max(category, ts) AS category, avg(price) AS price,
            sum(event_value) AS popularity, approx_count_distinct(user_id) AS users,
            min(date_trunc('day', to_timestamp(ts))) AS first_day
        FROM {interactions} GROUP BY item_id""",
        creates_table=False,
    ),
    Measured(
        "interactions",
        """SELECT user_id, concat_ws('|', item_id, category) AS item_id, event_type, event_value, ts
        FROM {interactions} WHERE event_type <> 'view'""",
        "same",
        creates_table=True,
    ),
    Measured(
        "bought together",
        """SELECT a.category, b.category AS other, count(*) AS pairs FROM {interactions} AS a
        JOIN {interactions} AS b ON a.user_id = b.user_id AND a.day = b.day
        WHERE a.event_type = 'purchase' AND b.event_type = 'purchase'
        GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 100""",
        "same",
        creates_table=False,
    ),
    Measured(
        "last week",
        """SELECT day, event_type, count(*) AS events, approx_percentile(price, 0.5) AS median_price
        FROM {interactions} WHERE day >= '2026-01-24' GROUP BY day, event_type ORDER BY day, event_type""",
        """SELECT day, event_type, count(*) AS events, approx_quantile(price, 0.5) AS median_price
        FROM {interactions} WHERE day >= '2026-01-24' GROUP BY day, event_type ORDER BY day, event_type""",
        creates_table=False,
    ),
]


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000_000)
    rows: int = parser.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="athena-benchmark-") as folder, localcloud() as endpoint:
        data = generate(Path(folder) / "data", rows)
        athena = Athena(endpoint)
        athena.load(data)
        figures = list(compare(athena, DirectDuckDB(data, Path(folder) / "out")))
    write_results("athena", figures, rows=rows, rounds=ROUNDS, days=DAYS)


def compare(athena: Athena, direct: DirectDuckDB) -> Iterator[Figure]:
    """Yield the figures of each query and of all together."""
    totals = {"localcloud": 0.0, "duckdb": 0.0}
    for query in QUERIES:
        seconds: dict[str, list[float]] = {"localcloud": [], "duckdb": []}
        for number in range(ROUNDS + 1):
            for name, run in (("localcloud", athena.run), ("duckdb", direct.run)):
                took = timed(run, query)
                if number > 0:
                    seconds[name].append(took)
        medians = {name: statistics.median(values) for name, values in seconds.items()}
        for name, median in medians.items():
            totals[name] += median
            yield Figure(f"{query.name}: {name}", round(median, 3), "s")
        yield Figure(
            f"{query.name}: ratio", round(medians["localcloud"] / medians["duckdb"], 3), "", "<= 1.5"
        )
    yield Figure("all statements: ratio", round(totals["localcloud"] / totals["duckdb"], 3), "", "<= 1.5")


def timed(run: Callable[[Measured], None], query: Measured) -> float:
    """Return the seconds that a run takes."""
    begun = time.perf_counter()
    run(query)
    return time.perf_counter() - begun


class Athena:
    """Runs the queries through Athena's API."""

    def __init__(self, endpoint: str) -> None:
        options = {"endpoint_url": endpoint, "region_name": REGION}
        keys = {"aws_access_key_id": "localcloud", "aws_secret_access_key": "localcloud"}
        clients = {name: boto3.client(name, **options, **keys) for name in ("athena", "glue", "s3")}
        self._athena, self._glue, self._s3 = clients["athena"], clients["glue"], clients["s3"]
        self._tables = 0

    def load(self, data: Path) -> None:
        """Upload the files and register them as a partitioned table."""
        self._s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        for path in sorted(data.rglob("*.parquet")):
            self._s3.upload_file(str(path), BUCKET, f"interactions/{path.relative_to(data)}")
        self._execute(f"CREATE DATABASE {DATABASE}")
        self._execute(
            "CREATE EXTERNAL TABLE interactions (user_id string, item_id string, category string, "
            "event_type string, event_value double, price double, ts bigint) PARTITIONED BY (day string) "
            f"STORED AS PARQUET LOCATION 's3://{BUCKET}/interactions/'"
        )
        self._execute("MSCK REPAIR TABLE interactions")

    def run(self, query: Measured) -> None:
        """Run a query to its end."""
        sql = query.athena.format(interactions="interactions")
        if query.creates_table:
            self._tables += 1
            options = "format = 'PARQUET', write_compression = 'SNAPPY'"
            sql = f"CREATE TABLE made_{self._tables} WITH ({options}) AS {sql}"
        self._execute(sql)

    def _execute(self, sql: str) -> None:
        started = self._athena.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": DATABASE},
            ResultConfiguration={"OutputLocation": f"s3://{BUCKET}/results/"},
        )
        names = {"QueryExecutionId": started["QueryExecutionId"]}
        while True:
            found: dict[str, Any] = self._athena.get_query_execution(**names)
            status = found["QueryExecution"]["Status"]
            if status["State"] == "SUCCEEDED":
                return
            if status["State"] in {"FAILED", "CANCELLED"}:
                raise RuntimeError(f"{sql}: {status['StateChangeReason']}")
            time.sleep(POLL_SECONDS)


class DirectDuckDB:
    """Runs the queries in a DuckDB in this process, on the same files, with the same kind of output."""

    def __init__(self, data: Path, out: Path) -> None:
        out.mkdir()
        self._out = out
        self._connection = duckdb.connect()
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute(
            f"CREATE VIEW interactions AS SELECT * FROM read_parquet('{data}/*/*.parquet', "  # noqa: S608
            "hive_partitioning = true, hive_types = {'day': VARCHAR})"
        )

    def run(self, query: Measured) -> None:
        """Run a query into a file."""
        sql = (query.athena if query.duckdb == "same" else query.duckdb).format(interactions="interactions")
        form = (
            "FORMAT parquet, COMPRESSION snappy"
            if query.creates_table
            else "FORMAT csv, HEADER, FORCE_QUOTE *"
        )
        self._connection.execute(f"COPY ({sql}) TO '{self._out / 'result'}' ({form})")


def generate(folder: Path, rows: int) -> Path:
    """Write a month of interactions as Parquet, a folder a day; return the folder."""
    connection = duckdb.connect()
    connection.execute("SELECT setseed(0.42)")
    connection.execute(
        f"""COPY (
            SELECT 'u' || CAST(floor(pow(random(), 2) * {max(rows // 20, 1)}) AS BIGINT) AS user_id,
                'i' || CAST(floor(pow(random(), 3) * 20000) AS BIGINT) AS item_id,
                'c' || CAST(floor(random() * 40) AS BIGINT) AS category,
                CASE WHEN random() < 0.05 THEN 'purchase' WHEN random() < 0.2 THEN 'cart' ELSE 'view' END
                    AS event_type,
                random() AS event_value, round(random() * 9000, 2) AS price,
                1767225600 + n * {DAYS} * 86400 // {rows} AS ts,
                strftime(to_timestamp(1767225600 + n * {DAYS} * 86400 // {rows}), '%Y-%m-%d') AS day
            FROM range({rows}) AS numbers(n)
        ) TO '{folder}' (FORMAT parquet, PARTITION_BY (day))"""  # noqa: S608 - numbers and a path of our own
    )
    return folder


@contextmanager
def localcloud() -> Iterator[str]:
    """Run a localcloud; yield its endpoint."""
    process = subprocess.Popen(
        [sys.executable, "-m", "localcloud", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        yield line.split()[-1]
    finally:
        process.terminate()
        process.wait(timeout=30)


if __name__ == "__main__":
    main()
