"""A campaign's outcome as one page that needs nothing else, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import astuple, fields
from html import escape

from ops import svg
from ops.campaign_outcome import CONTROL, SENT, Effect, Group, Outcome, cumulated
from ops.report_page import STYLE


def as_csv(outcome: Outcome) -> str:
    """Return a line a group, coupon and segment."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([one.name for one in fields(Group)])
    writer.writerows(astuple(group) for group in outcome.groups)
    return file.getvalue()


def summary(outcome: Outcome) -> list[tuple[str, str]]:
    """Return what a reader wants to know first."""
    report = outcome.report
    rows = [
        ("coupons issued", f"{report['issued']:,} to {report['users']:,} of {report['audience']:,} users"),
        ("cost", f"{report['cost']:,.2f} of a budget of {report['budget']:,.2f}"),
        ("expected redemptions", f"{report['expectedRedemptions']:,.1f}"),
        ("sending everything to everybody", _everything(outcome)),
        ("cost saved against that", f"{report['costSaved']:,.2f}"),
        ("kept aside as control", f"{report['controlUsers']:,} users"),
        ("distance from the best choice", _optimality(outcome)),
    ]
    if outcome.observed:
        rows += [
            ("real redemptions", f"{outcome.total(treatment=SENT).redeemed:,}"),
            ("redeemed more than the control", _effect(outcome.effect("redeemed"))),
            ("bought what the coupon covers, more than the control", _effect(outcome.effect("bought"))),
        ]
    return rows


def page(name: str, outcome: Outcome) -> str:
    """Return the page."""
    title = f"{name}: coupon campaign {outcome.report['campaignRun']}"
    waiting = (
        ""
        if outcome.observed
        else "<p>No coupon event after the campaign is in the data yet: prepare the data again when it has "
        "run, and this page will hold the real redemptions against the control group.</p>"
    )
    return "".join(
        [
            "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
            "<meta name='viewport' content='width=device-width, initial-scale=1'>",
            f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><h1>{escape(title)}</h1>",
            _table(("", ""), summary(outcome)),
            waiting,
            _lift_curve(outcome),
            _real_curve(outcome) if outcome.observed else "",
            "<h2>By segment</h2>",
            _by(outcome, "segment"),
            "<h2>By coupon</h2>",
            _by(outcome, "coupon_id"),
            "</body></html>",
        ]
    )


def _everything(outcome: Outcome) -> str:
    report = outcome.report
    expected = report["expectedRedemptionsOfSendingAll"]
    return f"{report['costOfSendingAll']:,.2f} for {expected:,.1f} expected redemptions"


def _optimality(outcome: Outcome) -> str:
    found = outcome.report["optimality"]
    return "none (exact)" if found["method"] == "exact" else f"at most {found['gap']:.3%} of the value"


def _effect(effect: Effect) -> str:
    return (
        f"{effect.sent_share:.2%} against {effect.control_share:.2%}: {effect.difference:+.2%} "
        f"(95% confidence ±{effect.half_width:.2%}), {effect.additional:,.1f} additional"
    )


def _lift_curve(outcome: Outcome) -> str:
    curve = [(point["cost"], point["expectedRedemptions"]) for point in outcome.report["liftCurve"]]
    campaign = (outcome.report["cost"], outcome.report["expectedRedemptions"])
    title = "Expected redemptions by what is spent, the likeliest pairs first"
    return svg.lines(title, "cost", {"everybody's likeliest coupons": curve}, {"this campaign": campaign})


def _real_curve(outcome: Outcome) -> str:
    expected, real = cumulated(outcome.curve)
    title = "Redemptions by coupons sent, the likeliest first"
    return svg.lines(title, "coupons", {"expected": expected, "real": real}, {})


def _by(outcome: Outcome, attribute: str) -> str:
    names = sorted({getattr(group, attribute) for group in outcome.groups})
    sent = [outcome.total(treatment=SENT, **{attribute: name}) for name in names]
    control = [outcome.total(treatment=CONTROL, **{attribute: name}) for name in names]
    series = {"expected": [one.expected for one in sent]}
    if outcome.observed:
        series["real"] = [float(one.redeemed) for one in sent]
    header = ["", "issued", "cost", "expected redemptions", "would buy anyway", "control"]
    rows = [
        [name, one.coupons, f"{one.cost:,.2f}", f"{one.expected:,.1f}", f"{one.organic:,.1f}", other.coupons]
        for name, one, other in zip(names, sent, control, strict=True)
    ]
    if outcome.observed:
        header += ["redeemed", "of control redeemed", "bought", "of control bought"]
        for row, one, other in zip(rows, sent, control, strict=True):
            row += [one.redeemed, other.redeemed, one.bought, other.bought]
    label = "segment" if attribute == "segment" else "coupon"
    return svg.bars(f"Redemptions by {label}", names, series) + _table(header, rows)


def _table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = ["".join(f"<th>{escape(cell)}</th>" for cell in header)] if any(header) else []
    lines += ["".join(f"<td>{escape(str(cell))}</td>" for cell in row) for row in rows]
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
