"""What a campaign planned, from its report, and what came of it, from the events after it."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ops.athena import query
from ops.deployment import Deployment
from ops.errors import OperatorError

Point = tuple[float, float]
SENT, CONTROL = "sent", "control"
# Of the normal distribution: 95% lie within so many standard deviations.
CONFIDENCE = 1.96
# A line a group, coupon and segment. Purchases of what a coupon covers are in coupon_interactions.
OUTCOMES = """
WITH pairs AS (
    SELECT user_id, coupon_id, treatment, segment, probability, organic_probability, cost
    FROM campaign_coupons WHERE campaign_run = '{run}'
),
redeemed AS (
    SELECT DISTINCT user_id, coupon_id FROM curated_coupon_events
    WHERE event_type = 'redeemed' AND "timestamp" >= {as_of}
),
bought AS (
    SELECT DISTINCT user_id, item_id AS coupon_id FROM coupon_interactions
    WHERE event_type = 'covered_purchase' AND "timestamp" >= {as_of}
)
SELECT
    pairs.treatment, pairs.coupon_id, pairs.segment, count(*) AS coupons, sum(pairs.cost) AS cost,
    sum(pairs.probability) AS expected, sum(pairs.organic_probability) AS organic,
    sum(CASE WHEN redeemed.user_id IS NULL THEN 0 ELSE 1 END) AS redeemed,
    sum(CASE WHEN bought.user_id IS NULL THEN 0 ELSE 1 END) AS bought
FROM pairs
LEFT JOIN redeemed ON redeemed.user_id = pairs.user_id AND redeemed.coupon_id = pairs.coupon_id
LEFT JOIN bought ON bought.user_id = pairs.user_id AND bought.coupon_id = pairs.coupon_id
GROUP BY pairs.treatment, pairs.coupon_id, pairs.segment
ORDER BY pairs.treatment DESC, pairs.coupon_id, pairs.segment
"""
# Sent coupons in twentieths, the likeliest first.
CURVE = """
WITH ordered AS (
    SELECT pairs.probability, CASE WHEN events.user_id IS NULL THEN 0 ELSE 1 END AS redeemed,
        ntile(20) OVER (ORDER BY pairs.probability DESC, pairs.user_id, pairs.coupon_id) AS place
    FROM campaign_coupons AS pairs
    LEFT JOIN (
        SELECT DISTINCT user_id, coupon_id FROM curated_coupon_events
        WHERE event_type = 'redeemed' AND "timestamp" >= {as_of}
    ) AS events ON events.user_id = pairs.user_id AND events.coupon_id = pairs.coupon_id
    WHERE pairs.campaign_run = '{run}' AND pairs.treatment = 'sent'
)
SELECT place, count(*) AS coupons, sum(probability) AS expected, sum(redeemed) AS redeemed
FROM ordered GROUP BY place ORDER BY place
"""
NEWEST = 'SELECT max("timestamp") AS newest FROM curated_coupon_events'


@dataclass(frozen=True)
class Group:
    """Coupons of one group, coupon and segment, or their sum; `expected` and `organic` are probabilities."""

    treatment: str
    coupon_id: str
    segment: str
    coupons: int
    cost: float
    expected: float
    organic: float
    redeemed: int
    bought: int


@dataclass(frozen=True)
class Effect:
    """How much more often something happened with a coupon than without: a difference of shares."""

    sent_share: float
    control_share: float
    half_width: float
    sent: int

    @property
    def difference(self) -> float:
        """The difference of the two shares."""
        return self.sent_share - self.control_share

    @property
    def additional(self) -> float:
        """How many of what happened among the sent would not have happened without."""
        return self.difference * self.sent


@dataclass(frozen=True)
class Outcome:
    """A campaign's report, its groups, the curve of what was redeemed; `observed` tells if events are in."""

    report: dict[str, Any]
    groups: list[Group]
    curve: list[tuple[int, float, int]]
    observed: bool

    def total(self, **wanted: str) -> Group:
        """Return the sum of the groups with some values (treatment, coupon_id, segment)."""
        chosen = [one for one in self.groups if all(getattr(one, k) == v for k, v in wanted.items())]
        return Group(
            treatment=wanted.get("treatment", "all"),
            coupon_id=wanted.get("coupon_id", "all"),
            segment=wanted.get("segment", "all"),
            coupons=sum(one.coupons for one in chosen),
            cost=sum(one.cost for one in chosen),
            expected=sum(one.expected for one in chosen),
            organic=sum(one.organic for one in chosen),
            redeemed=sum(one.redeemed for one in chosen),
            bought=sum(one.bought for one in chosen),
        )

    def effect(self, of: str) -> Effect:
        """Return the effect on `redeemed` or `bought`, with the half width of its 95% confidence interval."""
        sent, control = self.total(treatment=SENT), self.total(treatment=CONTROL)
        shares = [getattr(one, of) / one.coupons if one.coupons else 0.0 for one in (sent, control)]
        variance = sum(
            share * (1 - share) / one.coupons
            for share, one in zip(shares, (sent, control), strict=True)
            if one.coupons
        )
        return Effect(shares[0], shares[1], CONFIDENCE * math.sqrt(variance), sent.coupons)


def read(deployment: Deployment, run: str | None) -> Outcome:
    """Return the outcome of a campaign, by default the newest. Raises OperatorError when there is none."""
    bucket = deployment.output("ResultsBucket")
    key = _report_key(deployment, bucket, run)
    report: dict[str, Any] = json.load(deployment.client("s3").get_object(Bucket=bucket, Key=key)["Body"])
    places = {"run": report["campaignRun"], "as_of": int(report["asOf"])}
    groups = [_group(row) for row in query(deployment, OUTCOMES.format(**places))]
    curve = [
        (int(row["coupons"]), float(row["expected"]), int(row["redeemed"]))
        for row in query(deployment, CURVE.format(**places))
    ]
    newest = query(deployment, NEWEST)[0]["newest"]
    return Outcome(report, groups, curve, observed=bool(newest) and int(newest) >= int(report["asOf"]))


def _report_key(deployment: Deployment, bucket: str, run: str | None) -> str:
    listing = deployment.client("s3").get_paginator("list_objects_v2")
    pages = listing.paginate(Bucket=bucket, Prefix="campaigns/")
    reports = {
        found["Key"].split("/")[1]: found
        for page in pages
        for found in page.get("Contents", [])
        if found["Key"].endswith("/report/report.json")
    }
    if not reports:
        raise OperatorError("no campaign has been run yet; `python -m ops campaign run` runs one")
    if run is None:
        run = max(reports, key=lambda name: (reports[name]["LastModified"], name))
    if run not in reports:
        raise OperatorError(f"no campaign {run!r}; there are: {', '.join(sorted(reports))}")
    return str(reports[run]["Key"])


def _group(row: dict[str, str]) -> Group:
    return Group(
        treatment=row["treatment"],
        coupon_id=row["coupon_id"],
        segment=row["segment"],
        coupons=int(row["coupons"]),
        cost=float(row["cost"]),
        expected=float(row["expected"]),
        organic=float(row["organic"]),
        redeemed=int(row["redeemed"]),
        bought=int(row["bought"]),
    )


def cumulated(steps: Sequence[tuple[int, float, int]]) -> tuple[list[Point], list[Point]]:
    """Return the lines of expected and of real redemptions by the coupons sent, the likeliest first."""
    expected: list[Point] = [(0.0, 0.0)]
    real: list[Point] = [(0.0, 0.0)]
    sent = 0
    for coupons, hoped, redeemed in steps:
        sent += coupons
        expected.append((sent, expected[-1][1] + hoped))
        real.append((sent, real[-1][1] + redeemed))
    return expected, real
