"""`ops estimate`: what a configuration costs a month, by a dated price table, before any deployment."""

from __future__ import annotations

import argparse

from config.price_table import read_prices
from ops.deployment import Deployment
from ops.month import Line, Volumes, first_run, monthly
from ops.terminal import Terminal

DAYS_OF_HISTORY = 365


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("estimate", help="what this configuration costs a month on AWS")
    parser.add_argument("--interactions", type=int, default=10_000_000)
    parser.add_argument(
        "--new-interactions", type=int, help="a day (default: a year's history in even parts)"
    )
    parser.add_argument("--users", type=int, default=500_000)
    parser.add_argument("--requests", type=int, default=5_000_000, help="API requests a month")
    parser.add_argument("--training-hours", type=float, default=5.0, help="billed hours of one full training")
    parser.add_argument("--update-hours", type=float, default=1.0, help="billed hours of an UPDATE training")
    parser.add_argument("--glue-hours", type=float, default=0.25, help="hours of one run of the Spark jobs")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print the estimate item by item, the month's and what the first run adds once."""
    terminal, project = Terminal(), Deployment(arguments.config).config
    prices = read_prices()
    new = arguments.new_interactions
    volumes = Volumes(
        interactions=arguments.interactions,
        new_interactions_a_day=arguments.interactions // DAYS_OF_HISTORY if new is None else new,
        users=arguments.users,
        requests_a_month=arguments.requests,
        training_hours=arguments.training_hours,
        update_hours=arguments.update_hours,
        glue_hours_a_run=arguments.glue_hours,
    )
    month = monthly(project, prices, volumes)
    _table(terminal, month, "US$ a month")
    terminal.say(
        f"\n  total {sum(line.cost for line in month):,.2f} US$ a month, by the prices of {prices.date}"
    )
    terminal.heading("Once, in the first run")
    _table(terminal, first_run(project, prices, volumes), "US$")
    terminal.say(
        f"\n  for {volumes.interactions:,} interactions, {volumes.new_interactions_a_day:,} new a day,"
    )
    terminal.say(f"  {volumes.users:,} users, {volumes.requests_a_month:,} requests a month,")
    terminal.say(
        f"  {volumes.training_hours:g} billed hours a full training, {volumes.update_hours:g} an update"
    )


def _table(terminal: Terminal, lines: list[Line], total: str) -> None:
    rows = [
        (line.item, f"{line.amount:,.2f}", line.unit, f"{line.price:.7g}", f"{line.cost:,.2f}")
        for line in lines
    ]
    terminal.table(("item", "amount", "of", "US$ each", total), rows)
