"""The curate job at 1 and 10 million raw rows (50 with --large), beside a hand-written DuckDB script.

Both read the same gzipped raw files and write the same tables; the kept interactions are compared as sets,
the quarantined rows and the duplicates by source and reason. Each runs in processes of its own, whose
resident memory is summed every tenth of a second. On a machine with other work to do seconds say little:
compare the CPU times.

    python -m benchmarks.preprocessing [--rows 1000000,10000000] [--large] [--raw FOLDER]

`--raw` keeps the generated raw files for another run.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from string import Template

import duckdb

from benchmarks.processes import CPUS, HEAP, Measured, run_measured
from benchmarks.report import Figure, write_results
from config import load
from config.data import settings_json

ROOT = Path(__file__).resolve().parent.parent
ROWS_PER_USER = 30.1
SEED = 7
# Of its own accord it takes nearly all memory at 50 million rows, and the machine stands still.
DUCKDB_MEMORY = "12GB"
COMPARED = """event_id, user_id, device_id, event_type, event_value, timestamp, origin, destination,
    transport_mode,
    travel_class, operator, price_inr, duration_minutes, departure_window, price_band, source"""


def main() -> None:
    """Run the benchmark and record its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default="1000000,10000000", help="sizes, separated by commas")
    parser.add_argument("--large", action="store_true", help="50 million rows as well")
    parser.add_argument("--raw", type=Path, help="keep the raw files here, a folder a size")
    options = parser.parse_args()
    sizes = [int(rows) for rows in options.rows.split(",")] + ([50_000_000] if options.large else [])
    spark: dict[int, Measured] = {}
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="preprocessing-") as scratch:
        for rows in sizes:
            folder = Path(scratch) / str(rows)
            raw = (options.raw or Path(scratch)).resolve() / f"raw-{rows}"
            spark[rows], found = _at_size(rows, raw, folder)
            figures += found
            shutil.rmtree(folder)
    if len(sizes) > 1:
        first, last = sizes[0], sizes[-1]
        growth = math.log(spark[last].seconds / spark[first].seconds) / math.log(last / first)
        figures.append(Figure(f"growth exponent, {first:,} to {last:,} rows", growth, "", "<= 1.05"))
    load_average = os.getloadavg()[1]
    write_results("preprocessing", figures, cpus=CPUS, heap=HEAP, sizes=sizes, load_average=load_average)


def _at_size(rows: int, raw: Path, folder: Path) -> tuple[Measured, list[Figure]]:
    ours, theirs = folder / "spark", folder / "duckdb"
    for path in (ours, theirs):
        path.mkdir(parents=True)
    as_of = int(time.time())
    if not raw.exists():
        users = str(round(rows / ROWS_PER_USER))
        size = ["--users", users, "--seed", str(SEED)]
        run_measured([sys.executable, "-m", "sample_data", "travel", "--out", str(raw), *size])
    duck = run_measured([sys.executable, "-c", _duckdb_program(raw, theirs, as_of)])
    job = run_measured(_job_command(raw, ours, as_of))
    with duckdb.connect() as connection:
        read, different = _compared(connection, ours, theirs)
        miscounted = _miscounted(connection, ours, theirs)
    label = f"{read / 1e6:.1f} million rows"
    is_judged = rows >= 10_000_000
    figures = [
        Figure(f"curate job, {label}", job.seconds, "s"),
        Figure(f"curate job, {label}, rows a second", read / job.seconds, "rows/s"),
        Figure(f"curate job, {label}, peak memory", job.peak_gib, "GiB", "<= 8" if is_judged else None),
        Figure(f"curate job, {label}, CPU time", job.cpu_seconds, "s"),
        Figure(f"DuckDB script, {label}", duck.seconds, "s"),
        Figure(f"DuckDB script, {label}, CPU time", duck.cpu_seconds, "s"),
        Figure(f"DuckDB script, {label}, peak memory", duck.peak_gib, "GiB"),
        Figure(
            f"curate job / DuckDB script, {label}",
            job.seconds / duck.seconds,
            "x",
            "<= 3" if is_judged else None,
        ),
        Figure(f"curate job / DuckDB script, {label}, CPU time", job.cpu_seconds / duck.cpu_seconds, "x"),
        Figure(f"rows kept by one and not the other, {label}", different, "rows", "== 0"),
        Figure(f"rows otherwise counted differently, {label}", miscounted, "rows", "== 0"),
    ]
    return job, figures


def _duckdb_program(raw: Path, out: Path, as_of: int) -> str:
    script = (Path(__file__).parent / "preprocessing_duckdb.sql").read_text(encoding="utf-8")
    for name, value in {"$raw": str(raw), "$out": str(out), "$as_of": str(as_of)}.items():
        script = script.replace(name, value)
    template = Template(
        "import duckdb\n"
        "with duckdb.connect($database) as connection:\n"
        "    connection.execute('SET threads = $cpus')\n"
        "    connection.execute(\"SET memory_limit = '$memory'\")\n"
        "    connection.execute('SET preserve_insertion_order = false')\n"
        "    connection.execute($script)\n"
    )
    database = repr(str(out / "work.duckdb"))
    return template.substitute(database=database, cpus=CPUS, memory=DUCKDB_MEMORY, script=repr(script))


def _job_command(raw: Path, out: Path, as_of: int) -> list[str]:
    settings = out.parent / "settings.json"
    config = load("travel")
    settings.write_text(settings_json(config.name, config.data), encoding="utf-8")
    script = str(ROOT / "glue_scripts" / "curate.py")
    arguments = {
        "settings_uri": settings.as_uri(),
        "raw_uri": raw.as_uri() + "/",
        "datasets_uri": out.as_uri() + "/",
        "run_id": "benchmark",
        "as_of": str(as_of),
    }
    return [
        sys.executable,
        script,
        *(part for name, value in arguments.items() for part in (f"--{name}", value)),
    ]


def _compared(connection: duckdb.DuckDBPyConnection, ours: Path, theirs: Path) -> tuple[int, int]:
    """Return how many raw rows were read, and how many kept rows only one of the two has."""
    one = f"SELECT {COMPARED} FROM read_parquet('{ours}/curated/interactions/outcome=kept/*/*.parquet')"  # noqa: S608
    other = f"SELECT {COMPARED} FROM read_parquet('{theirs}/interactions/outcome=kept/*/*.parquet')"  # noqa: S608
    different = connection.execute(
        f"SELECT (SELECT count(*) FROM ({one} EXCEPT ALL {other}))"  # noqa: S608
        f" + (SELECT count(*) FROM ({other} EXCEPT ALL {one}))"
    ).fetchone()
    read = connection.execute(f"SELECT sum(rows) FROM '{theirs}/counts.parquet'").fetchone()  # noqa: S608
    if different is None or read is None:
        raise RuntimeError("nothing to compare")
    return int(read[0]), int(different[0])


def _miscounted(connection: duckdb.DuckDBPyConnection, ours: Path, theirs: Path) -> int:
    """Return by how many rows the counts of duplicates and of each reason of quarantine differ."""
    report = json.loads((ours / "reports" / "benchmark" / "counts.json").read_text(encoding="utf-8"))
    counts: Counter[tuple[str, str]] = Counter()
    for source, found in report["sources"].items():
        counts.update({(source, "kept"): found["curated"], (source, "duplicate"): found["duplicates"]})
        counts.update({(source, reason): rows for reason, rows in found["reasons"].items()})
    other = connection.execute(f"SELECT source, outcome, rows FROM '{theirs}/counts.parquet'").fetchall()  # noqa: S608
    counts.subtract({(source, outcome): rows for source, outcome, rows in other})
    return sum(abs(rows) for rows in counts.values())


if __name__ == "__main__":
    main()
