"""`ops campaign`: run a coupon campaign, and report what was planned and what came of it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ops import campaign_outcome, executions
from ops.campaign_page import as_csv, page, summary
from ops.deployment import Deployment
from ops.errors import OperatorError
from ops.terminal import Terminal

DEFAULT_FILE = Path("build") / "campaign.html"


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("campaign", help="run a coupon campaign, or report on one")
    actions = parser.add_subparsers(required=True, metavar="run|report")
    running = actions.add_parser("run", help="run a campaign now, with settings of its own if need be")
    running.add_argument(
        "settings",
        nargs="*",
        metavar="NAME=VALUE",
        help='a setting other than configured: budget=5000 coupons=C1,C2 audience=\'{"home_city": "DEL"}\'',
    )
    running.set_defaults(run=run)
    reporting = actions.add_parser("report", help="what was issued, expected and redeemed, as page and CSV")
    reporting.add_argument("--run", dest="campaign_run", help="the campaign's run (default: the newest)")
    reporting.add_argument(
        "--out", type=Path, default=DEFAULT_FILE, help=f"the page (default: {DEFAULT_FILE})"
    )
    reporting.set_defaults(run=report)


def run(arguments: argparse.Namespace) -> None:
    """Run a campaign, watch it, and print what it came to."""
    terminal, deployment = Terminal(), Deployment(arguments.config)
    made = executions.run(
        deployment,
        terminal,
        output="CampaignStateMachine",
        execution_input=asked_settings(arguments.settings),
    )
    show(deployment, terminal, made)


def report(arguments: argparse.Namespace) -> None:
    """Print a campaign's outcome and write it as a page, with the CSV beside it."""
    terminal, deployment = Terminal(), Deployment(arguments.config)
    outcome = campaign_outcome.read(deployment, arguments.campaign_run)
    terminal.heading(f"Coupon campaign {outcome.report['campaignRun']}")
    terminal.table(("", ""), summary(outcome))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(page(deployment.name, outcome), encoding="utf-8")
    table = arguments.out.with_suffix(".csv")
    table.write_text(as_csv(outcome), encoding="utf-8")
    terminal.say(f"\nThe same with plots: {arguments.out}, its figures: {table}")


def show(deployment: Deployment, terminal: Terminal, made: dict[str, Any]) -> dict[str, Any]:
    """Print what a campaign issues, costs and should bring, whom it is for, and where its files are."""
    bucket, key = made["report"].removeprefix("s3://").split("/", 1)
    planned: dict[str, Any] = json.load(deployment.client("s3").get_object(Bucket=bucket, Key=key)["Body"])
    outcome = campaign_outcome.Outcome(planned, [], [], observed=False)
    terminal.heading("Coupon campaign")
    terminal.table(("", ""), summary(outcome))
    terminal.heading("By segment of users")
    columns = ("segment", "users", "issued", "cost", "expectedRedemptions")
    terminal.table(
        ("segment", "users", "issued", "cost", "expected redemptions"),
        [tuple(row[column] for column in columns) for row in planned["bySegment"]],
    )
    terminal.say(f"  campaign file: {made['campaignFile']}")
    terminal.say(f"  segments: {made['segmentsFile']}")
    return planned


def asked_settings(pairs: list[str]) -> dict[str, Any]:
    """Return settings of `name=value` texts; a value is JSON, or else a text. Raises OperatorError."""
    settings: dict[str, Any] = {}
    for pair in pairs:
        name, sign, text = pair.partition("=")
        if not sign:
            raise OperatorError(f"{pair!r} is no setting; write name=value, for example budget=5000")
        try:
            settings[name] = json.loads(text)
        except ValueError:
            settings[name] = text
    return settings
