"""A comparison of two settings as lines of text, for the terminal and the page alike."""

from __future__ import annotations

from collections.abc import Sequence

from ops.history import Comparison, short_metric

AGES = {
    "medianDays": "median age, days",
    "meanDays": "mean age, days",
    "shareUnder30Days": "share younger than 30 days",
}


def lines_of(comparison: Comparison, metrics: Sequence[str]) -> list[tuple[str, ...]]:
    """Return a title, a header, and a row a figure: both settings and the difference."""
    configured, turned = comparison.sides
    title = (
        f"{comparison.recipe}: {comparison.hyperparameter}, asked for {comparison.users} users; "
        f"{comparison.in_common:.0%} of what they recommend is the same"
    )
    header = ("", f"{configured.setting} (configured)", turned.setting, "difference")
    rows = [
        _row(short_metric(metric), configured.metrics[metric], turned.metrics[metric])
        for metric in metrics
        if metric in configured.metrics and metric in turned.metrics
    ]
    rows += [
        _row(f"recommended items: {name}", configured.age[key], turned.age[key])
        for key, name in AGES.items()
        if key in configured.age and key in turned.age
    ]
    return [(title,), header, *rows]


def _row(name: str, configured: float, turned: float) -> tuple[str, ...]:
    return name, f"{configured:.4f}", f"{turned:.4f}", f"{turned - configured:+.4f}"
