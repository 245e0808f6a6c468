"""`ops estimate`: what a configuration costs a month, by a dated price table, before any deployment."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import config
from ops.deployment import Deployment
from ops.terminal import Terminal

PRICES = Path(__file__).parent.parent / "config" / "prices" / "on_demand.yaml"
HOURS_A_MONTH = 730
TRAININGS_A_MONTH = 30 / 7
DPUS = {"G.1X": 1, "G.2X": 2, "G.4X": 4}
API_MILLISECONDS = 60
API_MEMORY_GB = 1
BYTES_A_ROW = 100


@dataclass(frozen=True)
class Volumes:
    """What the estimate assumes of the data and the traffic."""

    interactions: int
    users: int
    requests_a_month: int
    training_hours: float
    glue_hours_a_run: float
    scanned_gb_a_run: float


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("estimate", help="what this configuration costs a month on AWS")
    parser.add_argument("--interactions", type=int, default=10_000_000)
    parser.add_argument("--users", type=int, default=500_000)
    parser.add_argument("--requests", type=int, default=5_000_000, help="API requests a month")
    parser.add_argument("--training-hours", type=float, default=5.0, help="billed hours of one training")
    parser.add_argument("--glue-hours", type=float, default=0.25, help="hours of one run of the Spark jobs")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print the estimate line by line."""
    terminal, project = Terminal(), Deployment(arguments.config).config
    prices = yaml.safe_load(PRICES.read_text(encoding="utf-8"))
    volumes = Volumes(
        interactions=arguments.interactions,
        users=arguments.users,
        requests_a_month=arguments.requests,
        training_hours=arguments.training_hours,
        glue_hours_a_run=arguments.glue_hours,
        scanned_gb_a_run=arguments.interactions * BYTES_A_ROW / 1e9,
    )
    lines = monthly(project, prices, volumes)
    terminal.table(("item", "US$ a month"), [(name, f"{cost:,.2f}") for name, cost in lines.items()])
    terminal.say(f"\n  total {sum(lines.values()):,.2f} US$ a month, by the prices of {prices['date']}")
    terminal.say(f"  for {volumes.interactions:,} interactions, {volumes.users:,} users,")
    terminal.say(f"  {volumes.requests_a_month:,} requests, {volumes.training_hours} billed hours a training")


def monthly(project: config.ProjectConfig, prices: dict[str, Any], volumes: Volumes) -> dict[str, float]:
    """Return the cost of each item in US dollars a month."""
    personalize = prices["personalize"]
    served = [recipe for recipe in project.training.recipes if recipe.recipe != "aws-popularity-count"]
    tps_hours = sum(recipe.minimum_provisioned_tps for recipe in served) * HOURS_A_MONTH
    trained_hours = len(project.training.recipes) * volumes.training_hours * TRAININGS_A_MONTH
    ingested_gb = volumes.interactions * BYTES_A_ROW / 1e9 * TRAININGS_A_MONTH
    dpu_hours = (
        volumes.glue_hours_a_run * project.compute.glue.workers * DPUS[project.compute.glue.worker_type]
    )
    requests = volumes.requests_a_month / 1e6
    gb_seconds = volumes.requests_a_month * API_MILLISECONDS / 1000 * API_MEMORY_GB
    return {
        "Personalize: campaigns' minimum TPS": tps_hours * personalize["campaign_tps_hour"],
        "Personalize: trainings": trained_hours * personalize["training_hour"],
        "Personalize: data ingestion": ingested_gb * personalize["data_ingestion_per_gb"],
        "Personalize: batch ranking of coupons": volumes.users
        / 1000
        * personalize["batch_per_1000_recommendations"]
        * TRAININGS_A_MONTH,
        "Glue": dpu_hours * prices["glue"]["dpu_hour"] * TRAININGS_A_MONTH,
        "Athena": volumes.scanned_gb_a_run / 1000 * prices["athena"]["per_tb_scanned"] * TRAININGS_A_MONTH,
        "API Gateway": requests * prices["api_gateway"]["per_million_requests"],
        "Lambda": requests * prices["lambda"]["per_million_requests"]
        + gb_seconds * prices["lambda"]["gb_second"],
    }
