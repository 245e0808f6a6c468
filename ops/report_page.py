"""The training history as one page that needs nothing else: a plot a recipe, drawn as SVG, and the table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ops.comparison import lines_of
from ops.history import Comparison, Version, short_metric

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 240, 56, 16, 20, 40
TICKS = 4
COLOURS = {"serves": "#0a7d33", "promoted": "#2b6cb0", "held back": "#b7791f", "rolled back": "#c53030"}
OTHER_COLOUR = "#718096"
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto;
       max-width: 75rem; padding: 0 1rem; color: #1a202c }
table { border-collapse: collapse; font-size: 13px; width: 100% }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #e2e8f0; vertical-align: top }
th { position: sticky; top: 0; background: #fff }
svg { max-width: 100%; height: auto } svg text { font: 11px system-ui, sans-serif; fill: #4a5568 }
.outcome { font-weight: 600 }
"""


def page(
    name: str,
    versions: Sequence[Version],
    metrics: Sequence[str],
    comparisons: Sequence[Comparison] = (),
) -> str:
    """Return the page: of each recipe a plot of the first metric over time, a table, and comparisons."""
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<title>{escape(name)}: training history</title><style>{STYLE}</style></head><body>",
        f"<h1>{escape(name)}: training history</h1>",
    ]
    for recipe in dict.fromkeys(version.recipe for version in versions):
        of_recipe = [version for version in versions if version.recipe == recipe]
        parts += [f"<h2>{escape(recipe)}</h2>", plot(of_recipe, metrics[0]), _table(of_recipe, metrics)]
    parts += [_compared(comparison, metrics) for comparison in comparisons]
    return "".join([*parts, "</body></html>"])


def plot(versions: Sequence[Version], metric: str) -> str:
    """Draw a metric of the versions in the order of their training, each point coloured by its outcome."""
    measured = [version for version in versions if metric in version.metrics]
    top = max((version.metrics[metric] for version in measured), default=0) or 1
    points = [
        (_x(index, len(measured)), _y(version.metrics[metric], top)) for index, version in enumerate(measured)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    title = f"{short_metric(metric)} of each version, oldest first"
    return "".join(
        [
            f"<svg viewBox='0 0 {WIDTH} {HEIGHT}' width='{WIDTH}' role='img' aria-label='{escape(title)}'>",
            f"<title>{escape(title)}</title>",
            *(_grid_line(top * tick / TICKS, top) for tick in range(TICKS + 1)),
            f"<polyline points='{line}' fill='none' stroke='#cbd5e0' stroke-width='1.5'/>",
            *(_point(v, metric, x, y) for v, (x, y) in zip(measured, points, strict=True)),
            f"<text x='{LEFT}' y='{TOP - 7}'>{escape(title)}</text>",
            *(
                _legend(index, entry)
                for index, entry in enumerate({**COLOURS, "other": OTHER_COLOUR}.items())
            ),
            "</svg>",
        ]
    )


def _x(index: int, count: int) -> float:
    return LEFT + (index + 0.5) / count * (WIDTH - LEFT - RIGHT)


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)


def _grid_line(value: float, top: float) -> str:
    y = _y(value, top)
    return (
        f"<line x1='{LEFT}' x2='{WIDTH - RIGHT}' y1='{y:.1f}' y2='{y:.1f}' stroke='#edf2f7'/>"
        f"<text x='{LEFT - 6}' y='{y + 4:.1f}' text-anchor='end'>{value:.3f}</text>"
    )


def _point(version: Version, metric: str, x: float, y: float) -> str:
    told = f"{version.short_name}: {version.metrics[metric]:.4f}, {version.outcome}. {version.reason}"
    return (
        f"<circle cx='{x:.1f}' cy='{y:.1f}' r='5' fill='{COLOURS.get(version.outcome, OTHER_COLOUR)}'>"
        f"<title>{escape(told)}</title></circle>"
    )


def _legend(index: int, entry: tuple[str, str]) -> str:
    outcome, colour = entry
    x, y = LEFT + index * 110, HEIGHT - 12
    return f"<circle cx='{x}' cy='{y - 4}' r='5' fill='{colour}'/><text x='{x + 10}' y='{y}'>{outcome}</text>"


def _compared(comparison: Comparison, metrics: Sequence[str]) -> str:
    title, header, *rows = lines_of(comparison, metrics)
    cells = ["".join(f"<th>{escape(name)}</th>" for name in header)]
    cells += ["".join(f"<td>{escape(text)}</td>" for text in row) for row in rows]
    return f"<h2>{escape(title[0])}</h2><table>{''.join(f'<tr>{one}</tr>' for one in cells)}</table>"


def _table(versions: Sequence[Version], metrics: Sequence[str]) -> str:
    names = [short_metric(metric) for metric in metrics]
    header = ["trained", "version", "data", "mode", *names, "hyperparameters", "outcome", "why"]
    rows = ["".join(f"<th>{escape(title)}</th>" for title in header)]
    for version in versions:
        hyperparameters = ", ".join(f"{k} {v}" for k, v in sorted(version.hyperparameters.items()))
        cells = [
            version.trained_at,
            version.short_name,
            version.data_version,
            version.training_mode,
            *(f"{version.metrics[metric]:.4f}" if metric in version.metrics else "" for metric in metrics),
            hyperparameters,
        ]
        colour = COLOURS.get(version.outcome, OTHER_COLOUR)
        outcome = f"<td class='outcome' style='color:{colour}'>{escape(version.outcome)}</td>"
        plain = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        rows.append(f"{plain}{outcome}<td>{escape(version.reason)}</td>")
    return f"<table>{''.join(f'<tr>{one}</tr>' for one in rows)}</table>"
