"""`ops report`: every version of every recipe, what it measured, whether it was promoted, and why."""

from __future__ import annotations

import argparse
from pathlib import Path

from ops import history
from ops.comparison import lines_of
from ops.deployment import Deployment
from ops.errors import OperatorError
from ops.history import Comparison, Version, short_metric
from ops.report_page import page
from ops.terminal import Terminal

SHOWN_METRICS = (
    "normalized_discounted_cumulative_gain_at_10",
    "mean_reciprocal_rank_at_25",
    "precision_at_10",
    "coverage",
)
DEFAULT_FILE = Path("build") / "report.html"


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("report", help="the history of all versions, as a table and a plot")
    parser.add_argument("--recipe", help="one recipe key only")
    parser.add_argument("--out", type=Path, default=DEFAULT_FILE, help=f"the page (default: {DEFAULT_FILE})")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print the history as a table and write it as a page with plots."""
    terminal, deployment = Terminal(), Deployment(arguments.config)
    versions = [
        version
        for version in history.read(deployment)
        if arguments.recipe is None or version.recipe == arguments.recipe
    ]
    if not versions:
        raise OperatorError(_nothing(deployment, arguments.recipe))
    comparisons = [
        comparison
        for comparison in history.read_comparisons(deployment)
        if arguments.recipe in {None, comparison.recipe}
    ]
    gate = deployment.config.training.gate
    metrics = [gate.metric, *(metric for metric in SHOWN_METRICS if metric != gate.metric)]
    for recipe in dict.fromkeys(version.recipe for version in versions):
        terminal.heading(recipe)
        of_recipe = [version for version in versions if version.recipe == recipe]
        terminal.table(
            ("trained", "version", "mode", *map(short_metric, metrics), "hyperparameters", "outcome", "why"),
            [row(version, metrics) for version in of_recipe],
        )
    for comparison in comparisons:
        _show(terminal, comparison, metrics)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(page(deployment.name, versions, metrics, comparisons), encoding="utf-8")
    terminal.say(f"\nThe same with plots: {arguments.out}")


def _show(terminal: Terminal, comparison: Comparison, metrics: list[str]) -> None:
    title, header, *rows = lines_of(comparison, metrics)
    terminal.heading(title[0])
    terminal.table(header, rows)


def row(version: Version, metrics: list[str]) -> list[object]:
    """Return one line of the table."""
    return [
        version.trained_at[:16].replace("T", " "),
        version.short_name,
        version.training_mode,
        *(version.metrics.get(metric, "-") for metric in metrics),
        " ".join(f"{name}={value}" for name, value in sorted(version.hyperparameters.items())) or "-",
        version.outcome,
        version.reason or "-",
    ]


def _nothing(deployment: Deployment, recipe: str | None) -> str:
    keys = ", ".join(known.key for known in deployment.config.training.recipes)
    if recipe is not None and recipe not in keys.split(", "):
        return f"no recipe {recipe!r} in the configuration; there are: {keys}"
    return "nothing has been trained yet; `python -m ops retrain` trains"
