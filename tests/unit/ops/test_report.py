"""The history as a page: every version, its outcome and why, drawn and listed."""

from __future__ import annotations

from xml.etree import ElementTree

from ops.comparison import lines_of
from ops.history import Comparison, Side, Version, short_metric
from ops.report import row
from ops.report_page import page, plot

METRIC = "normalized_discounted_cumulative_gain_at_10"


def version(day: int, value: float, *, decision: str = "", reason: str = "", serves: bool = False) -> Version:
    return Version(
        recipe="sims",
        arn=f"arn:aws:personalize:ap-south-1:123456789012:solution/travel-sims-1/v-{day}",
        data_version=f"run-{day}",
        purpose="serve",
        training_mode="FULL",
        created_at=f"2026-11-{day:02}T10:00:00.000Z",
        trained_at=f"2026-11-{day:02}T10:40:00.000Z",
        metrics={METRIC: value},
        hyperparameters={"bptt": "9"},
        decision=decision,
        reason=reason,
        decided_at="",
        serves=serves,
    )


def points_of(drawing: str) -> list[ElementTree.Element]:
    parsed = ElementTree.fromstring(drawing)  # noqa: S314 - drawn by ourselves a moment ago
    return [circle for circle in parsed.iter("circle") if circle.find("title") is not None]


HISTORY = [
    version(1, 0.20, decision="promoted", reason="first version"),
    version(2, 0.10, decision="held back", reason="short of <0.196>"),
    version(3, 0.25, decision="promoted", serves=True),
]


def test_a_line_says_what_a_version_is_measures_and_became() -> None:
    line = row(HISTORY[1], [METRIC, "coverage"])
    assert line[3:] == [0.10, "-", "bptt=9", "held back", "short of <0.196>"]
    assert row(HISTORY[2], [METRIC])[-2] == "serves"


def test_the_plot_is_an_image_with_a_point_a_version_higher_for_the_better() -> None:
    points = points_of(plot(HISTORY, METRIC))
    heights = [float(str(point.get("cy"))) for point in points]
    assert len(points) == 3
    assert heights[2] < heights[0] < heights[1]
    assert len({point.get("fill") for point in points}) == 3


def test_a_plot_of_versions_that_lack_the_metric_is_empty_and_no_error() -> None:
    assert not points_of(plot(HISTORY, "coverage"))


def test_the_page_has_every_version_and_no_markup_from_a_reason() -> None:
    text = page("travel", HISTORY, [METRIC])
    assert all(f"v-{day}" in text for day in (1, 2, 3))
    assert "<0.196>" not in text
    assert "&lt;0.196&gt;" in text


def test_a_comparison_is_shown_with_both_settings_and_the_difference() -> None:
    sides = (
        Side("true", "arn:1", {METRIC: 0.20}, {"medianDays": 20.0}),
        Side("false", "arn:2", {METRIC: 0.25}, {"medianDays": 50.0}),
    )
    compared = Comparison("sims", "recency_mask", "run-1", "2026-11-01T00:00:00Z", 500, 0.4, sides)
    title, header, *rows = lines_of(compared, [METRIC, "coverage"])
    assert "recency_mask" in title[0]
    assert "40%" in title[0]
    assert header[1:3] == ("true (configured)", "false")
    assert rows == [
        ("NDCG@10", "0.2000", "0.2500", "+0.0500"),
        ("recommended items: median age, days", "20.0000", "50.0000", "+30.0000"),
    ]
    assert all(text in page("travel", HISTORY, [METRIC], [compared]) for text in rows[1])


def test_metrics_are_called_as_people_call_them() -> None:
    assert short_metric(METRIC) == "NDCG@10"
    assert short_metric("coverage") == "coverage"
