"""A generated travel history: seeded, any size, and as messy as real exports."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sample_data.travel.channels import write_clickstream, write_transactions
from sample_data.travel.events import Events, click, crawl
from sample_data.travel.references import write_availability, write_coupons, write_customers
from sample_data.travel.travellers import build_travellers, travel
from sample_data.travel.world import CITIES, build_world

USERS_PER_CITY = 150
FEWEST_CITIES = 12


@dataclass(frozen=True)
class TravelOptions:
    """Size and seed of a history of `days` days ending with `until`."""

    users: int
    seed: int
    days: int
    until: datetime.date


def generate(folder: Path, options: TravelOptions) -> dict[str, int]:
    """Write a travel history's raw files below `folder`; return rows by prefix. Same options, same files."""
    rng = np.random.default_rng(options.seed)
    world = build_world(min(len(CITIES), max(FEWEST_CITIES, options.users // USERS_PER_CITY)), rng)
    travellers = build_travellers(options.users, world, rng)
    legs = travel(travellers, world, rng)
    end = datetime.datetime.combine(options.until, datetime.time(), datetime.UTC)
    starts_at = int(end.timestamp()) - options.days * 86400
    seconds = options.days * 86400 - 7200
    clicks = click(travellers, legs, world, starts_at=starts_at, seconds=seconds, rng=rng)
    crawled = crawl(options.users, len(legs.traveller), world, starts_at=starts_at, seconds=seconds, rng=rng)
    events = Events(
        *(
            np.concatenate([getattr(clicks, name), getattr(crawled, name)])
            for name in clicks.__dataclass_fields__
        )
    )
    rows = write_clickstream(folder, events, world, rng)
    rows |= write_transactions(folder, clicks, world, rng)
    rows["customers/"] = write_customers(folder, travellers, world)
    rows |= write_coupons(folder, travellers, legs, world, starts_at=starts_at, days=options.days, rng=rng)
    rows["availability/"] = write_availability(folder, world, rng)
    return rows
