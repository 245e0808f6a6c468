"""Graphs of what recommendations lead to: check-outs in a hundred pages, by what had answered."""

from __future__ import annotations

from collections.abc import Iterator

from aws_cdk import aws_cloudwatch as cloudwatch

from config.serving import POPULAR, Experiment, ServingConfig

# What can answer for each recipe; `popular` of itself is the treatment of an experiment.
SOURCES = {
    "user-personalization": ("personalize", "stored", "popular"),
    "sims": ("personalize", "popular"),
    "personalized-ranking": ("personalize", "given-order"),
    "coupon-ranking": ("personalize", "given-order"),
}
SPLIT = "user-personalization"
NO_VARIANT = "none"


def graphs(name: str, serving: ServingConfig) -> list[cloudwatch.GraphWidget]:
    """Return the ratio of each counted type of event, and the pages, by recipe, source and variant."""
    answers = list(_answers(serving.experiment))
    ratios = [
        cloudwatch.GraphWidget(
            title=f"{event_type} in a hundred pages",
            left=[_ratio(name, event_type, answer, place) for place, answer in enumerate(answers)],
            width=8,
        )
        for event_type in serving.events.counted_types
    ]
    pages = [_metric(name, "Pages", _dimensions(answer), _label(answer)) for answer in answers]
    return [*ratios, cloudwatch.GraphWidget(title="Pages by what answered", left=list(pages), width=8)]


# A recipe key, a source and a variant.
Answer = tuple[str, str, str]


def _answers(experiment: Experiment | None) -> Iterator[Answer]:
    for recipe, sources in SOURCES.items():
        variant = "control" if experiment and recipe == SPLIT else NO_VARIANT
        yield from ((recipe, source, variant) for source in sources)
    if experiment:
        sources = ("popular",) if experiment.treatment == POPULAR else SOURCES[SPLIT]
        yield from ((experiment.treatment, source, "treatment") for source in sources)


def _ratio(name: str, event_type: str, answer: Answer, place: int) -> cloudwatch.MathExpression:
    dimensions, events, pages = _dimensions(answer), f"events{place}", f"pages{place}"
    return cloudwatch.MathExpression(
        expression=f"100 * {events} / {pages}",
        using_metrics={
            events: _metric(name, "Events", {"EventType": event_type, **dimensions}),
            pages: _metric(name, "Pages", dimensions),
        },
        label=_label(answer),
    )


def _metric(
    name: str, metric_name: str, dimensions: dict[str, str], label: str | None = None
) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=name, metric_name=metric_name, dimensions_map=dimensions, statistic="Sum", label=label
    )


def _dimensions(answer: Answer) -> dict[str, str]:
    return dict(zip(("Recipe", "Source", "Variant"), answer, strict=True))


def _label(answer: Answer) -> str:
    return "/".join(part for part in answer if part != NO_VARIANT)
