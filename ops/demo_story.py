"""One user's afternoon: recommendations before and after a sell-out and an event, similar items, coupons."""

from __future__ import annotations

import random
import time
import uuid
from typing import Any
from urllib.parse import quote

from ops.api_client import ApiClient
from ops.athena import query
from ops.deployment import Deployment
from ops.errors import OperatorError
from ops.recommend import recommendations, show_items
from ops.terminal import Terminal

RESULTS = 5
AVAILABILITY_BATCH = 100
AVAILABLE_SHARE = 0.9
LEARNING_SECONDS = 20
# A user with enough history to have a taste, and little enough to read it.
CHOOSE_USER = """
SELECT user_id, count(*) AS events FROM interactions
GROUP BY user_id HAVING count(*) BETWEEN 15 AND 80 ORDER BY max(timestamp) DESC, user_id LIMIT 1
"""
HISTORY = """
SELECT timestamp, event_type, item_id FROM interactions
WHERE user_id = '{user_id}' ORDER BY timestamp DESC LIMIT 8
"""
ITEMS = "SELECT item_id FROM items ORDER BY item_id"


def tell(deployment: Deployment, api: ApiClient, terminal: Terminal) -> dict[str, Any]:
    """Call the API as an app would, print what it answers, and return it all."""
    user_id = query(deployment, CHOOSE_USER)[0]["user_id"]
    items = [row["item_id"] for row in query(deployment, ITEMS)]
    stocked = _stock(api, items, terminal)
    history = query(deployment, HISTORY.format(user_id=user_id))
    terminal.heading(f"What {user_id} did last")
    terminal.table(("timestamp", "event", "item"), [tuple(row.values()) for row in history])

    before = recommendations(api, user_id, RESULTS)
    terminal.heading(f"Recommended to {user_id}")
    show_items(terminal, before["items"])
    sold_out = before["items"][0]["itemId"]
    after_sell_out = _sell_out(api, user_id, sold_out, terminal)
    event_item, after_event = _new_event(
        api, terminal, user_id=user_id, stocked=stocked, before=after_sell_out
    )
    similar = api.call("GET", f"/items/{_quoted(before['items'][1]['itemId'])}/similar", numResults=RESULTS)
    terminal.heading(f"Similar to {before['items'][1]['itemId']}")
    show_items(terminal, similar["items"])
    coupons = api.call("GET", f"/users/{_quoted(user_id)}/coupons", numResults=RESULTS)
    terminal.heading(f"Coupons ranked for {user_id}")
    show_items(terminal, coupons["items"])
    return {
        "user": {"userId": user_id, "history": history},
        "recommendations": {
            "before": before,
            "soldOut": sold_out,
            "afterSellOut": after_sell_out,
            "event": event_item,
            "afterEvent": after_event,
        },
        "similar": {"itemId": before["items"][1]["itemId"], **similar},
        "coupons": coupons,
    }


def _stock(api: ApiClient, item_ids: list[str], terminal: Terminal) -> set[str]:
    """Set the availability of every item as an inventory system would; return those that can be booked."""
    choose = random.Random(7)  # noqa: S311 - sample stock, not a secret
    seats = {item: choose.randint(1, 40) if choose.random() < AVAILABLE_SHARE else 0 for item in item_ids}
    for first in range(0, len(item_ids), AVAILABILITY_BATCH):
        batch = item_ids[first : first + AVAILABILITY_BATCH]
        records = [{"itemId": item, "available": seats[item] > 0, "seats": seats[item]} for item in batch]
        api.call("POST", "/availability", {"items": records})
    available = {item for item, count in seats.items() if count}
    terminal.step(f"availability set: {len(available)} of {len(item_ids)} items can be booked")
    return available


def _sell_out(api: ApiClient, user_id: str, item_id: str, terminal: Terminal) -> dict[str, Any]:
    api.call("PUT", f"/availability/{_quoted(item_id)}", {"available": False, "seats": 0})
    after = recommendations(api, user_id, RESULTS)
    terminal.heading(f"After {item_id} sold out")
    show_items(terminal, after["items"])
    if any(item["itemId"] == item_id for item in after["items"]):
        raise OperatorError(f"{item_id} is sold out and was still recommended")
    return after


def _new_event(
    api: ApiClient, terminal: Terminal, *, user_id: str, stocked: set[str], before: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Send a few views of an item that was not recommended, and wait until they count."""
    item_id = max(stocked - {item["itemId"] for item in before["items"]})
    now = int(time.time())
    events = [
        {"eventId": str(uuid.uuid4()), "userId": user_id, "sessionId": f"demo-{now}",
         "eventType": "view", "itemId": item_id, "timestamp": now + second}
        for second in range(3)
    ]  # fmt: skip
    api.call("POST", "/events", {"events": events})
    deadline = time.monotonic() + LEARNING_SECONDS
    while time.monotonic() < deadline:
        after = recommendations(api, user_id, RESULTS)
        if is_scored_otherwise(before["items"], after["items"]):
            terminal.heading(f"After {user_id} viewed {item_id}")
            show_items(terminal, after["items"])
            return item_id, after
        time.sleep(0.5)
    raise OperatorError(
        f"three views of {item_id} did not change the recommendations in {LEARNING_SECONDS} s"
    )


def is_scored_otherwise(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> bool:
    """Say whether the model knows more of the user in one answer than in the other.

    Other items alone do not say so: exploration draws some at random for each answer. Scores move only with
    what the user did.
    """
    scores = {item["itemId"]: item["score"] for item in before}
    both = [item for item in after if item["itemId"] in scores]
    return not both or any(item["score"] != scores[item["itemId"]] for item in both)


def _quoted(identifier: str) -> str:
    return quote(identifier, safe="")
