"""Small plots as inline SVG: lines through points, and bars side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 260, 64, 16, 26, 44
TICKS = 4
MARKED = "#c53030"
COLOURS = ("#2b6cb0", "#b7791f", "#0a7d33", "#718096")

Points = Sequence[tuple[float, float]]


def lines(
    title: str, x_label: str, series: Mapping[str, Points], marks: Mapping[str, tuple[float, float]]
) -> str:
    """Draw series of points (x, y) as lines from a common origin, and single points with their names."""
    everything = [point for points in series.values() for point in points] + list(marks.values())
    right = max((x for x, _ in everything), default=0) or 1
    top = max((y for _, y in everything), default=0) or 1
    parts = [_grid(top), _x_axis(right, x_label)]
    for (name, points), colour in zip(series.items(), COLOURS, strict=False):
        path = " ".join(f"{_x(x, right):.1f},{_y(y, top):.1f}" for x, y in points)
        parts.append(f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='2'/>")
        parts += [_dot(name, point, (right, top), radius=2, colour=colour) for point in points]
    parts += [_dot(name, point, (right, top), radius=6, colour=MARKED) for name, point in marks.items()]
    legend = {**dict(zip(series, COLOURS, strict=False)), **dict.fromkeys(marks, MARKED)}
    return _frame(title, [*parts, _legend(legend)])


def bars(title: str, groups: Sequence[str], series: Mapping[str, Sequence[float]]) -> str:
    """Draw for each group one bar a series."""
    top = max((value for values in series.values() for value in values), default=0) or 1
    wide = (WIDTH - LEFT - RIGHT) / max(1, len(groups))
    bar = wide * 0.8 / max(1, len(series))
    parts = [_grid(top)]
    for place, (name, values) in enumerate(series.items()):
        for group, value in enumerate(values):
            x, y = LEFT + group * wide + wide * 0.1 + place * bar, _y(value, top)
            told = escape(f"{groups[group]}, {name}: {value:,.4g}")
            parts.append(
                f"<rect x='{x:.1f}' y='{y:.1f}' width='{bar:.1f}' height='{HEIGHT - BOTTOM - y:.1f}' "
                f"fill='{COLOURS[place]}'><title>{told}</title></rect>"
            )
    parts += [
        f"<text x='{LEFT + (group + 0.5) * wide:.1f}' y='{HEIGHT - BOTTOM + 14}' text-anchor='middle'>"
        f"{escape(name)}</text>"
        for group, name in enumerate(groups)
    ]
    return _frame(title, [*parts, _legend(dict(zip(series, COLOURS, strict=False)))])


def _frame(title: str, parts: Sequence[str]) -> str:
    return (
        f"<svg viewBox='0 0 {WIDTH} {HEIGHT}' width='{WIDTH}' role='img' aria-label='{escape(title)}'>"
        f"<title>{escape(title)}</title><text x='{LEFT}' y='{TOP - 10}'>{escape(title)}</text>"
        f"{''.join(parts)}</svg>"
    )


def _x(value: float, right: float) -> float:
    return LEFT + value / right * (WIDTH - LEFT - RIGHT)


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)


def _grid(top: float) -> str:
    drawn = []
    for tick in range(TICKS + 1):
        value = top * tick / TICKS
        y = _y(value, top)
        drawn.append(
            f"<line x1='{LEFT}' x2='{WIDTH - RIGHT}' y1='{y:.1f}' y2='{y:.1f}' stroke='#edf2f7'/>"
            f"<text x='{LEFT - 6}' y='{y + 4:.1f}' text-anchor='end'>{value:,.3g}</text>"
        )
    return "".join(drawn)


def _x_axis(right: float, label: str) -> str:
    ticks = "".join(
        f"<text x='{_x(right * tick / TICKS, right):.1f}' y='{HEIGHT - BOTTOM + 14}' text-anchor='middle'>"
        f"{right * tick / TICKS:,.4g}</text>"
        for tick in range(TICKS + 1)
    )
    y = HEIGHT - BOTTOM + 28
    return f"{ticks}<text x='{WIDTH - RIGHT}' y='{y}' text-anchor='end'>{escape(label)}</text>"


def _dot(
    name: str, point: tuple[float, float], most: tuple[float, float], *, radius: int, colour: str
) -> str:
    told = escape(f"{name}: {point[0]:,.4g}, {point[1]:,.4g}")
    at = f"cx='{_x(point[0], most[0]):.1f}' cy='{_y(point[1], most[1]):.1f}'"
    return f"<circle {at} r='{radius}' fill='{colour}'><title>{told}</title></circle>"


def _legend(colours: Mapping[str, str]) -> str:
    drawn, x = [], float(LEFT)
    for name, colour in colours.items():
        drawn.append(
            f"<circle cx='{x:.0f}' cy='{HEIGHT - 10}' r='5' fill='{colour}'/>"
            f"<text x='{x + 10:.0f}' y='{HEIGHT - 6}'>{escape(name)}</text>"
        )
        x += 28 + 6.2 * len(name)
    return "".join(drawn)
