"""The dashboard shows check-outs in a hundred pages of each answer that there can be, variants apart."""

from __future__ import annotations

import json

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk.assertions import Template

from config.serving import Experiment, ServingConfig
from stacks.constructs import check_out_ratio


def shown(experiment: Experiment | None) -> dict[str, list[list[object]]]:
    """The metrics of each graph by its title."""
    stack = cdk.Stack(cdk.App(), "stack")
    dashboard = cloudwatch.Dashboard(stack, "Dashboard")
    dashboard.add_widgets(*check_out_ratio.graphs("travel", ServingConfig(experiment=experiment)))
    (found,) = Template.from_stack(stack).find_resources("AWS::CloudWatch::Dashboard").values()
    parts = found["Properties"]["DashboardBody"]["Fn::Join"][1]
    body = json.loads("".join(part if isinstance(part, str) else "reference" for part in parts))
    return {w["properties"]["title"]: w["properties"]["metrics"] for w in body["widgets"]}


def test_each_ratio_is_of_events_and_pages_of_the_same_answer() -> None:
    graphs = shown(None)
    assert list(graphs) == [
        "checkout in a hundred pages",
        "purchase in a hundred pages",
        "Pages by what answered",
    ]
    ratio, events, pages = graphs["checkout in a hundred pages"][:3]
    assert ratio == [{"label": "user-personalization/personalize", "expression": "100 * events0 / pages0"}]
    of_answer = ["Recipe", "user-personalization", "Source", "personalize", "Variant", "none"]
    assert events[:-1] == ["travel", "Events", "EventType", "checkout", *of_answer]
    assert pages[:-1] == ["travel", "Pages", *of_answer]


@pytest.mark.parametrize("treatment", ["popular", "user-personalization-v2"])
def test_the_variants_of_an_experiment_are_apart(treatment: str) -> None:
    graphs = shown(Experiment(name="trial", treatment=treatment, share=0.1))
    labels = {metric[-1]["label"] for metric in graphs["Pages by what answered"]}  # type: ignore[index]
    assert "user-personalization/personalize/control" in labels
    assert f"{treatment}/popular/treatment" in labels
    assert "sims/personalize" in labels
    assert "user-personalization/personalize" not in labels
