"""Training and answering at scale, each measurement in a process of its own (peak memory is a process's)."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from benchmarks.processes import figures_in_own_process
from benchmarks.recommender.sequences import BUILD
from benchmarks.report import peak_memory_gib
from localcloud.personalize.avro import parse_schema
from localcloud.personalize.csv_import import read_csv_files
from localcloud.personalize.line_jobs import BLOCK, THREADS
from localcloud.personalize.recipes import RECIPES, Model, Query
from localcloud.personalize.recipes.threads import one_thread
from localcloud.personalize.recipes.top import top_items
from localcloud.personalize.store import Store
from localcloud.personalize.training_data import EventChoice, prepare

_SCHEMA = json.dumps(
    {
        "type": "record",
        "name": "Interactions",
        "fields": [
            {"name": "USER_ID", "type": "string"},
            {"name": "ITEM_ID", "type": "string"},
            {"name": "TIMESTAMP", "type": "long"},
        ],
    }
)
_HISTORY = 20
_FOLLOWS = 0.4
_CALLS = 1_000
_BATCH = 3_000


def interactions_csv(rows: int, items: int) -> Path:
    """Return a CSV file of histories of 20: items by Zipf, 40% of them the successor of the one before."""
    path = BUILD / f"interactions-{rows}-{items}.csv"
    if path.exists():
        return path
    random = np.random.default_rng(0)
    successor = random.permutation(items)
    shares = 1.0 / np.arange(1, items + 1)
    drawn = random.choice(items, rows, p=shares / shares.sum())
    follows = random.random(rows) < _FOLLOWS
    for place in range(1, _HISTORY):
        late = np.arange(place, rows, _HISTORY)
        late = late[follows[late]]
        drawn[late] = successor[drawn[late - 1]]
    users = np.arange(rows) // _HISTORY
    times = 1_700_000_000 + np.arange(rows) % _HISTORY * 3_600 + users % 1_000
    columns = {"USER_ID": users.astype(str), "ITEM_ID": drawn.astype(str), "TIMESTAMP": times}
    BUILD.mkdir(exist_ok=True)
    pacsv.write_csv(pa.table(columns), path)
    return path


def measure_in_subprocess(recipe: str, rows: int, items: int) -> dict[str, float]:
    """Return the figures of one training with its import, in a new process."""
    interactions_csv(rows, items)
    return figures_in_own_process("benchmarks.recommender.scale", recipe, str(rows), str(items))


def measure(recipe: str, rows: int, items: int) -> dict[str, float]:
    """Import, train and answer; return seconds, GiB, milliseconds and users per second."""
    with tempfile.TemporaryDirectory() as folder:
        started, started_cpu = time.perf_counter(), time.process_time()
        store = Store(Path(folder) / "store")
        table = read_csv_files([interactions_csv(rows, items)], parse_schema(_SCHEMA))
        store.import_table("INTERACTIONS", _SCHEMA, table, "FULL")
        del table
        data = prepare(store, EventChoice())
        model = RECIPES[recipe].fit(data, RECIPES[recipe].with_defaults({}))
        seconds, peak = time.perf_counter() - started, peak_memory_gib()
        # Beside other work on the machine, what the training itself needs shows in CPU seconds.
        cpu_seconds = time.process_time() - started_cpu
        log = data.log
        queries = [
            Query(history, int(history[-1]))
            for history in (log.items[log.offsets[user] : log.offsets[user + 1]] for user in range(_BATCH))
        ]
        return {"seconds": seconds, "CPU seconds": cpu_seconds, "peak GiB": peak, **_latency(model, queries)}


def _latency(model: Model, queries: list[Query]) -> dict[str, float]:
    """Measure one call after the other, then blocks as batch jobs do: scores, softmax and the 25 best."""
    for query in queries[:20]:
        _answer(model.scores(query))
    times = []
    for query in queries[:_CALLS]:
        started = time.perf_counter()
        _answer(model.scores(query))
        times.append((time.perf_counter() - started) * 1e3)
    started, of_cpu = time.perf_counter(), time.process_time()
    blocks = [queries[start : start + BLOCK] for start in range(0, len(queries), BLOCK)]
    # As in localcloud, which keeps BLAS to one thread from its first model on.
    with one_thread(), ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda block: _answer_block(model, block), blocks))
    p50, p99 = np.quantile(times, [0.5, 0.99])
    return {
        "p50 ms": float(p50),
        "p99 ms": float(p99),
        "users/s": len(queries) / (time.perf_counter() - started),
        "users/CPU s": len(queries) / (time.process_time() - of_cpu),
    }


def _answer_block(model: Model, queries: list[Query]) -> None:
    for logits in model.scores_of_many(queries):
        _answer(logits)


def _answer(logits: np.ndarray) -> None:
    shares = np.exp(logits - logits.max())
    shares /= shares.sum()
    top_items(logits, 25)


if __name__ == "__main__":
    name, row_count, item_count = sys.argv[1:]
    sys.stdout.write(json.dumps(measure(name, int(row_count), int(item_count))) + "\n")
