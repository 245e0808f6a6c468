"""Measure the recipes: `python -m benchmarks.recommender [--only quality|scale]`."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

from benchmarks.recommender import neural, quality, scale
from benchmarks.report import PACKAGES, Figure, write_results

OURS = "localcloud"
_TRAINED = ("aws-user-personalization", "aws-sims", "aws-personalized-ranking", "aws-popularity-count")
_TARGETS = {
    ("ml-100k", "user-personalization"): 0.125,
    ("ml-100k", "personalized-ranking"): 0.31,
}
_PACKAGES = (*PACKAGES, "implicit", "torch", "recbole")
_ROWS, _SMALL_ROWS, _ITEMS = 10_000_000, 1_000_000, 20_000
_WIDE_ROWS, _WIDE_ITEMS = 3_000_000, 500_000


def main() -> None:
    """Run the measurements; write benchmarks/results/recommender-quality-DATA.json and -scale-RECIPE.json."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recommender", description=__doc__)
    parser.add_argument("--only", choices=("quality", "scale"), help="run one part only")
    parser.add_argument(
        "--data",
        nargs="*",
        default=list(quality.DATA_SETS),
        type=_data_set,
        help=f"{', '.join(quality.DATA_SETS)}, or CSV files of interactions",
    )
    parser.add_argument(
        "--recipes", nargs="*", default=list(_TRAINED), choices=_TRAINED, help="of the scale part"
    )
    arguments = parser.parse_args()
    if arguments.only in {None, "quality"}:
        sys.stdout.write(neural.notice())
        for data_set in arguments.data:
            measured = quality_tables([data_set])
            name = f"recommender-quality-{Path(data_set).stem}"
            write_results(name, figures_of(measured), packages=_PACKAGES, tables=measured)
    if arguments.only in {None, "scale"}:
        for recipe in arguments.recipes:
            write_results(f"recommender-scale-{recipe}", scale_figures(recipe), rows=_ROWS, items=_ITEMS)


def _data_set(name: str) -> str:
    if name not in quality.DATA_SETS and not Path(name).is_file():
        names = ", ".join(quality.DATA_SETS)
        raise argparse.ArgumentTypeError(f"{name!r} is neither a file nor one of {names}")
    return name


def quality_tables(data_sets: list[str]) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    """Return data set, a file by its name -> table -> method -> metrics, printed as they come."""
    measured: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    for data_set in data_sets:
        called = Path(data_set).stem
        for table, (_, methods) in quality.TABLES.items():
            for method in methods:
                metrics = quality.measure_in_subprocess(data_set, table, method)
                measured.setdefault(called, {}).setdefault(table, {})[method] = metrics
                line = "  ".join(f"{name} {value:.4f}" for name, value in metrics.items())
                sys.stdout.write(f"{called:<18}{table:<22}{method:<30}{line}\n")
                sys.stdout.flush()
    return measured


def figures_of(measured: dict[str, dict[str, dict[str, dict[str, float]]]]) -> list[Figure]:
    """Return the NDCG at 10 of each recipe, beside its target: the named one, else the best other method."""
    figures = []
    for data_set, tables in measured.items():
        for table, methods in tables.items():
            best = max(metrics["NDCG@10"] for name, metrics in methods.items() if name != OURS)
            target = _TARGETS.get((data_set, table), best * (1.05 if table == "sims" else 1.0))
            value = methods[OURS]["NDCG@10"]
            figures.append(Figure(f"{table}, {data_set}: NDCG@10", value, "", f">= {target:.4f}"))
    return figures


def scale_figures(recipe: str) -> list[Figure]:
    """Return seconds, memory, growth and latency of a recipe."""
    small = scale.measure_in_subprocess(recipe, _SMALL_ROWS, _ITEMS)
    full = scale.measure_in_subprocess(recipe, _ROWS, _ITEMS)
    wide = scale.measure_in_subprocess(recipe, _WIDE_ROWS, _WIDE_ITEMS)
    tenfold = math.log(_ROWS / _SMALL_ROWS)
    growth = math.log(full["seconds"] / small["seconds"]) / tenfold
    cpu_growth = math.log(full["CPU seconds"] / small["CPU seconds"]) / tenfold
    return [
        Figure(f"{recipe}: 10 M rows, seconds with CSV import", full["seconds"], "s", "<= 150"),
        Figure(f"{recipe}: 10 M rows, CPU seconds with CSV import", full["CPU seconds"], "s"),
        Figure(f"{recipe}: 10 M rows, peak memory", full["peak GiB"], "GiB", "<= 6"),
        Figure(f"{recipe}: growth exponent from 1 to 10 M", growth, "", "<= 1.1"),
        Figure(f"{recipe}: growth exponent of the CPU seconds", cpu_growth, ""),
        Figure(f"{recipe}: one answer at 20,000 items, p50", full["p50 ms"], "ms", "<= 3"),
        Figure(f"{recipe}: one answer at 20,000 items, p99", full["p99 ms"], "ms", "<= 10"),
        Figure(f"{recipe}: batches", full["users/s"], "users/s", ">= 3000"),
        Figure(f"{recipe}: batches, users per second of CPU", full["users/CPU s"], "users/s"),
        Figure(f"{recipe}: 3 M rows x 500,000 items, peak memory", wide["peak GiB"], "GiB", "<= 8"),
        Figure(f"{recipe}: 3 M rows x 500,000 items, seconds", wide["seconds"], "s"),
    ]


if __name__ == "__main__":
    main()
