"""The quality tables: each recipe beside the other methods, data set by data set."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.processes import figures_in_own_process
from benchmarks.recommender import neural, protocols, rivals, sequences
from benchmarks.recommender.protocols import Scorer
from benchmarks.recommender.sequences import Sequences
from benchmarks.report import peak_memory_gib
from localcloud.personalize.recipes import RECIPES, Query, TrainingData

DATA_SETS: dict[str, Callable[[], Sequences]] = {
    "ml-100k": sequences.ml_100k,
    "complete-journey": sequences.complete_journey,
    "films": sequences.films,
    "check-ins": sequences.check_ins,
}
Protocol = Callable[[Sequences, Scorer], dict[str, float]]


def sequences_of(data_set: str) -> Sequences:
    """Return the data set of a name, or of a CSV file of interactions."""
    made = DATA_SETS.get(data_set)
    return made() if made else sequences.interactions_csv(Path(data_set))


def recipe(name: str, *, from_last: bool = False) -> rivals.Rival:
    """Return a recipe with its defaults as a method to compare."""

    def fit(data: TrainingData) -> Scorer:
        model = RECIPES[name].fit(data, RECIPES[name].with_defaults({}))
        return lambda history: model.scores(Query(history, int(history[-1]) if from_last else None))

    return fit


TABLES: dict[str, tuple[Protocol, Mapping[str, rivals.Rival]]] = {
    "user-personalization": (
        protocols.rank_all,
        {**rivals.SEQUENTIAL, **neural.methods(), "localcloud": recipe("aws-user-personalization")},
    ),
    "sims": (protocols.rank_all, {**rivals.FROM_LAST, "localcloud": recipe("aws-sims", from_last=True)}),
    "personalized-ranking": (
        protocols.rank_among_popular,
        {
            "popularity": rivals.popularity,
            "directed transitions": rivals.transitions,
            "ridge of the next item": rivals.ridge,
            "transitions + ridge + EASE": rivals.blend,
            "localcloud": recipe("aws-personalized-ranking"),
        },
    ),
}


def measure_in_subprocess(data_set: str, table: str, method: str) -> dict[str, float]:
    """Return what `measure` does, from a new process."""
    return figures_in_own_process("benchmarks.recommender.quality", data_set, table, method)


def measure(data_set: str, table: str, method: str) -> dict[str, float]:
    """Train one method on one data set; return its metrics, its seconds and the process's peak memory."""
    data = sequences_of(data_set)
    protocol, methods = TABLES[table]
    training = data.without_newest()
    started = time.perf_counter()
    scorer = methods[method](training)
    seconds, peak = time.perf_counter() - started, peak_memory_gib()
    return {**protocol(data, scorer), "seconds": seconds, "peak GiB": peak}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(*sys.argv[1:])) + "\n")
