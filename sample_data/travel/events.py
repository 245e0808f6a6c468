"""From legs to clicks: search, view, cart, checkout and purchase, each with its moment and device."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sample_data.travel.travellers import Legs, Travellers
from sample_data.travel.world import PRODUCTS, World

EVENT_TYPES = ["search", "view", "cart", "checkout", "purchase"]
SEARCH, VIEW, CART, CHECKOUT, PURCHASE = range(5)
# what a leg may consist of: (event type, which choice)
FUNNEL = [(SEARCH, 0), (VIEW, 1), (VIEW, 2), (VIEW, 0), (VIEW, 0), (CART, 0), (CHECKOUT, 0), (PURCHASE, 0)]
SHARE = [0.9, 0.6, 0.35, 1.0, 0.3, 0.6, 0.75, 0.8]
LOGGED_IN_SHARE = 0.7
OTHER_CHANNEL_SHARE = 0.15
WEB = 2


@dataclass(frozen=True)
class Events:
    """One row an event, in no particular order. `moment` is epoch seconds (UTC), `departure` too.

    `channel` is 0 iOS, 1 Android, 2 web; `device` numbers the device; `logged_in` says whether the channel
    knew who it was.
    """

    traveller: NDArray[np.int64]
    journey: NDArray[np.int64]
    event_type: NDArray[np.int64]
    moment: NDArray[np.int64]
    departure: NDArray[np.int64]
    price_inr: NDArray[np.float64]
    channel: NDArray[np.int64]
    device: NDArray[np.int64]
    logged_in: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.traveller)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Events:
        """Return the events of `rows` (indices or a mask)."""
        return Events(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def click(
    travellers: Travellers,
    legs: Legs,
    world: World,
    *,
    starts_at: int,
    seconds: int,
    rng: np.random.Generator,
) -> Events:
    """Walk every leg down the funnel; dear journeys and young tiers convert less."""
    count = len(legs.traveller)
    price = world.price_inr[legs.ranked[:, 0]]
    conversion = np.clip(
        1.15 - 0.09 * np.log1p(price / 1000) + 0.05 * travellers.tier[legs.traveller], 0.3, 1.0
    )
    happens = rng.random((count, len(FUNNEL))) < np.array(SHARE)
    happens[:, 5:] &= rng.random((count, 1)) < conversion[:, None]
    happens[:, 5:] = np.logical_and.accumulate(happens[:, 5:], axis=1)
    leg, step = np.nonzero(happens)
    gaps = rng.integers(130, 260, size=(count, len(FUNNEL)))
    started = starts_at + (legs.when * seconds).astype(np.int64)
    moment = started[leg] + np.cumsum(gaps, axis=1)[leg, step]
    choice = np.array([choice for _, choice in FUNNEL])[step]
    journey = legs.ranked[leg, choice]
    other = rng.random(count) < OTHER_CHANNEL_SHARE
    channel = np.where(other, WEB, travellers.channel[legs.traveller])
    logged_in = (rng.random(count) < LOGGED_IN_SHARE)[leg] | (step >= 6)  # noqa: PLR2004 - from checkout on
    return Events(
        traveller=legs.traveller[leg],
        journey=journey,
        event_type=np.array([event for event, _ in FUNNEL])[step],
        moment=moment,
        departure=_departures(moment, world.window[journey], rng.integers(1, 46, size=count)[leg]),
        price_inr=np.round(world.price_inr[journey] * rng.uniform(0.9, 1.15, size=count)[leg]),
        channel=channel[leg],
        device=legs.traveller[leg] * 3 + channel[leg],
        logged_in=logged_in,
    )


def crawl(
    travellers: int, legs: int, world: World, *, starts_at: int, seconds: int, rng: np.random.Generator
) -> Events:
    """Return the clicks of crawlers: a few devices without a login that view hundreds of journeys an hour."""
    bots = max(1, travellers // 2000)
    per_bot = 400 + legs // 200 // bots
    count = bots * per_bot
    device = np.repeat(np.arange(bots), per_bot)
    moment = starts_at + rng.integers(0, seconds - 7200, size=bots)[device] + np.arange(count) % per_bot * 5
    journey = rng.integers(0, len(world.origin), size=count)
    return Events(
        traveller=np.full(count, -1),
        journey=journey,
        event_type=np.full(count, VIEW),
        moment=moment,
        departure=_departures(moment, world.window[journey], np.full(count, 3)),
        price_inr=np.round(world.price_inr[journey]),
        channel=np.full(count, WEB),
        device=-1 - device,
        logged_in=np.zeros(count, dtype=bool),
    )


def _departures(
    moment: NDArray[np.int64], window: NDArray[np.int64], days_ahead: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return local (India) wall-clock departures as epoch seconds of that wall clock read as UTC."""
    local_day = (moment + 19800) // 86400 + days_ahead
    return local_day * 86400 + window * 21600 + (moment % 24) * 900


def product_columns(journey: NDArray[np.int64], world: World) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """Return mode and class of each journey."""
    mode = np.array([product[0] for product in PRODUCTS])
    travel_class = np.array([product[1] for product in PRODUCTS])
    return mode[world.product[journey]], travel_class[world.product[journey]]
