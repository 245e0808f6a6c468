"""The picture of the proof: which share of the redemptions is kept by which share of the coupons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

PLACE = Path(__file__).resolve().parents[2] / "docs" / "coupons.svg"
LEFT, TOP, WIDTH, HEIGHT = 70, 56, 480, 300
FONT = 'font-family="system-ui, sans-serif"'
GREY = 'fill="#4a5568"'
MIDDLE = f'text-anchor="middle" {GREY}'
STYLES = {
    "ours": "stroke:#2b6cb0;stroke-width:3",
    "LightGBM classifier": "stroke:#2f855a",
    "LightGBM ranker": "stroke:#2f855a;stroke-dasharray:5 4",
    "recency and frequency": "stroke:#b7791f",
    "popularity": "stroke:#805ad5",
    "random": "stroke:#a0aec0;stroke-dasharray:3 4",
}


def draw(
    curves: Mapping[str, Sequence[tuple[float, float]]], marked: tuple[float, float], title: str
) -> None:
    """Write docs/coupons.svg of curves of (share sent, share kept) and mark one point of ours."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 420" {FONT} font-size="13">',
        '<rect width="760" height="420" fill="#fff"/>',
        _text(title, LEFT, 30, 'font-size="15" font-weight="600" fill="#1a202c"'),
        *_axes(),
    ]
    for place, name in enumerate(name for name in STYLES if name in curves):
        points = " ".join(f"{_x(sent):.1f},{_y(kept):.1f}" for sent, kept in curves[name])
        line = f'fill="none" stroke-width="1.6" style="{STYLES[name]}"'
        y = TOP + 20 + 24 * place
        parts.append(f'<polyline points="{points}" {line}/>')
        parts.append(f'<path d="M{LEFT + WIDTH + 20} {y} h26" {line}/>')
        parts.append(_text(name, LEFT + WIDTH + 54, y + 4))
    x, y = _x(marked[0]), _y(marked[1])
    said = f"{marked[1]:.0%} of the redemptions by {marked[0]:.0%} of the coupons"
    dashed = 'fill="none" stroke="#2b6cb0" stroke-dasharray="2 3"'
    parts.append(f'<path d="M{x:.1f} {_y(0)} V{y:.1f} H{LEFT}" {dashed}/>')
    parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="#2b6cb0"/>')
    parts.append(_text(said, x + 12, _y(0) - 14, 'fill="#2b6cb0" font-weight="600"'))
    PLACE.write_text("\n".join([*parts, "</svg>", ""]), encoding="utf-8")


def _axes() -> list[str]:
    lines = []
    for share in (0, 0.2, 0.4, 0.6, 0.8, 1):
        lines.append(f'<path d="M{LEFT} {_y(share):.0f} H{LEFT + WIDTH}" stroke="#edf2f7"/>')
        lines.append(_text(f"{share:.0%}", LEFT - 8, _y(share) + 4, f'text-anchor="end" {GREY}'))
        lines.append(_text(f"{share:.0%}", _x(share), TOP + HEIGHT + 20, MIDDLE))
    lines.append(f'<path d="M{LEFT} {TOP} V{TOP + HEIGHT} H{LEFT + WIDTH}" fill="none" stroke="#4a5568"/>')
    lines.append(_text("coupons sent, of all that really were", LEFT + WIDTH / 2, TOP + HEIGHT + 42, MIDDLE))
    turned = f'transform="translate(20 {TOP + HEIGHT / 2}) rotate(-90)" {MIDDLE}'
    lines.append(_text("real redemptions kept", 0, 0, turned))
    return lines


def _text(words: str, x: float, y: float, style: str = 'fill="#4a5568"') -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" {style}>{words}</text>'


def _x(share: float) -> float:
    return LEFT + WIDTH * share


def _y(share: float) -> float:
    return TOP + HEIGHT * (1 - share)
