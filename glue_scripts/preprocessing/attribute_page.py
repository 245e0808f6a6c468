"""The attribute report as a page: a table of decisions, distributions and a heat map, all inline SVG."""

from __future__ import annotations

from html import escape
from typing import Any

CELL, LABEL = 34, 150
BAR_HEIGHT, BAR_WIDTH = 60, 220
NAMED = 3
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse }
td, th { padding: .3rem .7rem; text-align: left; border-bottom: 1px solid #dde3ea }
td.n { text-align: right; font-variant-numeric: tabular-nums }
.dropped { color: #8a4b2a }
.scale { font-size: 12px; color: #5a6675 }
svg text { font-size: 11px }
"""


def attribute_page(report: dict[str, Any], title: str) -> str:
    """Return the report of `selection.attribute_report` as one HTML document."""
    attributes: dict[str, dict[str, Any]] = report["attributes"]
    rows = "".join(_row(name, facts) for name, facts in attributes.items())
    outcome = " or ".join(report["outcomeEvents"])
    return (
        f'<!doctype html><html lang="en"><meta '
        f'charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
        f"<h1>{escape(title)}</h1><p>{len(report['selected'])} of {len(attributes)} attributes "
        f"describe an item. "
        f"Outcome: {escape(outcome)}, {report['outcomeShare']:.1%} of the {report['sampleRows']:,} "
        f"rows sampled.</p>"
        "<h2>Decisions</h2><table><tr><th>attribute</th><th>kept</th><th>why</th><th>missing</th><th>distinct</th>"
        f"<th>bits about the outcome</th><th>distribution</th></tr>{rows}</table>"
        f"<h2>How attributes hang together</h2>{_heat_map(report['associations'])}"
        "<p>Two numbers: absolute Pearson correlation. Two texts: bias-corrected Cramer's V. A text "
        "and a number: the "
        "correlation ratio. 0 is independent, 1 is determined.</p></html>"
    )


def _row(name: str, facts: dict[str, Any]) -> str:
    style = "" if facts["isKept"] else ' class="dropped"'
    return (
        f"<tr{style}><td>{escape(name)}</td><td>{'yes' if facts['isKept'] else 'no'}</td>"
        f"<td>{escape(facts['reason'])}</td><td class=n>{facts['missingShare']:.1%}</td>"
        f"<td class=n>{facts['distinct']:,}</td><td class=n>{facts['mutualInformationBits']:.4f}</td>"
        f"<td>{_bars(facts['distribution'], is_text=facts['type'] == 'text')}</td></tr>"
    )


def _bars(distribution: dict[str, list[Any]], *, is_text: bool) -> str:
    """Draw the counts; below them the commonest texts, or where a number's bars begin and end."""
    counts = distribution["counts"]
    if not counts or max(counts) == 0:
        return "no values"
    width = BAR_WIDTH / len(counts)
    bars = "".join(
        f'<rect x="{place * width:.1f}" y="{BAR_HEIGHT - BAR_HEIGHT * count / max(counts):.1f}" '
        f'width="{width * 0.9:.1f}" height="{BAR_HEIGHT * count / max(counts):.1f}" fill="#4a7fb5">'
        f"<title>{escape(str(label))}: {count:,}</title></rect>"
        for place, (label, count) in enumerate(zip(distribution["labels"], counts, strict=True))
    )
    labels = [str(label) for label in distribution["labels"]]
    scale = ", ".join(labels[:NAMED]) if is_text else f"{labels[0]} to {labels[-1]} and more"
    return (
        f'<svg width="{BAR_WIDTH}" height="{BAR_HEIGHT}" role="img">{bars}</svg>'
        f"<div class=scale>{escape(scale)}</div>"
    )


def _heat_map(associations: dict[str, dict[str, float]]) -> str:
    names = list(associations)
    size = LABEL + CELL * len(names)
    parts = []
    for row, one in enumerate(names):
        y = LABEL + row * CELL
        parts.append(
            f'<text x="{LABEL - 6}" y="{y + CELL * 0.65:.0f}" text-anchor="end">{escape(one)}</text>'
        )
        x = LABEL + row * CELL + CELL * 0.65
        turned = f'transform="rotate(-60 {x:.0f} {LABEL - 6})"'
        parts.append(f'<text x="{x:.0f}" y="{LABEL - 6}" {turned}>{escape(one)}</text>')
        for column, other in enumerate(names):
            value = associations[one][other]
            parts.append(
                f'<rect x="{LABEL + column * CELL}" y="{y}" width="{CELL - 1}" height="{CELL - 1}" '
                f'fill="#23578f" fill-opacity="{value:.2f}"><title>{escape(one)} and {escape(other)}: '
                f"{value:.2f}"
                f'</title></rect><text x="{LABEL + column * CELL + CELL / 2:.0f}" y="{y + CELL * 0.65:.0f}" '
                f'text-anchor="middle" fill="{"#fff" if value > 0.5 else "#1c2733"}">{value:.2f}</text>'  # noqa: PLR2004
            )
    return f'<svg width="{size + 60}" height="{size}" role="img">{"".join(parts)}</svg>'
