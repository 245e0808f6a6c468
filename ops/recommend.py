"""`ops recommend`: what the API answers for one user."""

from __future__ import annotations

import argparse
from typing import Any
from urllib.parse import quote

from ops.api_client import ApiClient
from ops.deployment import Deployment
from ops.terminal import Terminal


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("recommend", help="ask the API for one user's recommendations")
    parser.add_argument("user_id")
    parser.add_argument("--results", type=int, default=10)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print the recommendations as a table."""
    terminal = Terminal()
    answer = recommendations(ApiClient.of(Deployment(arguments.config)), arguments.user_id, arguments.results)
    terminal.say(f"source {answer['source']}, model {answer['modelVersion']}, {answer['recommendationId']}")
    show_items(terminal, answer["items"])


def recommendations(api: ApiClient, user_id: str, results: int) -> dict[str, Any]:
    """Return the API's recommendations for a user."""
    answer: dict[str, Any] = api.call(
        "GET", f"/users/{quote(user_id, safe='')}/recommendations", numResults=results
    )
    return answer


def show_items(terminal: Terminal, items: list[dict[str, Any]]) -> None:
    """Print answered items in their order."""
    rows = [(rank, item["itemId"], item.get("score", "")) for rank, item in enumerate(items, start=1)]
    terminal.table(("rank", "item", "score"), rows)
