"""The reference tables: customers, coupons, what they cover, who was issued and redeemed them; seats."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sample_data.travel.travellers import AGE_BANDS, TIERS, Legs, Travellers
from sample_data.travel.world import KINDS, PRODUCTS, World

COUPONS_PER_CAMPAIGN = 6
CAMPAIGN_DAYS = 14
ISSUED_SHARE = 0.2
DAY = 86400
MODES = sorted({product[0] for product in PRODUCTS})
SOLD_OUT_SHARE = 0.1


def write_customers(folder: Path, travellers: Travellers, world: World) -> int:
    """Write the customer master data; some have no age band."""
    number = np.arange(len(travellers))
    table = pa.table(
        {
            "customer_id": np.char.add("U", np.char.zfill(number.astype(str), 7)),
            "home_city": world.codes[travellers.home],
            "age_band": pa.array(np.array(AGE_BANDS)[travellers.age], mask=number % 11 == 0),
            "tier": np.array(TIERS)[travellers.tier],
        }
    )
    return _csv(folder / "customers" / "customers.csv.gz", table)


def write_coupons(
    folder: Path,
    travellers: Travellers,
    legs: Legs,
    world: World,
    *,
    starts_at: int,
    days: int,
    rng: np.random.Generator,
) -> dict[str, int]:
    """Write past campaigns with their coupons and history, and one campaign about to start.

    Whether a coupon is redeemed depends on the traveller's liking of coupons, on the discount and on how
    often the
    traveller has been drawn to what the coupon covers.
    """
    campaigns = max(2, days // CAMPAIGN_DAYS)
    count = campaigns * COUPONS_PER_CAMPAIGN
    by_destination = rng.random(count) < 0.7  # noqa: PLR2004
    place = rng.choice(len(world.codes), size=count, p=world.popularity / world.popularity.sum())
    mode = rng.integers(0, len(MODES), size=count)
    discount = rng.choice([5, 10, 15, 20, 30], size=count)
    starts = starts_at + (1 + np.arange(count) // COUPONS_PER_CAMPAIGN) * CAMPAIGN_DAYS * DAY
    coupons = pa.table(
        {
            "coupon_code": [f"C{n:04d}" for n in range(count)],
            "campaign": [f"P{n // COUPONS_PER_CAMPAIGN:03d}" for n in range(count)],
            "discount_type": np.where(discount >= 20, "percent", "flat"),  # noqa: PLR2004
            "discount_value": discount,
            "cost_inr": discount * 10,
            "starts_on": _dates(starts),
            "ends_on": _dates(starts + CAMPAIGN_DAYS * DAY),
            "category": np.where(by_destination, np.array(KINDS)[world.kind[place]], np.array(MODES)[mode]),
        }
    )
    scope = pa.table(
        {
            "coupon_code": coupons["coupon_code"],
            "attribute": np.where(by_destination, "destination", "transport_mode"),
            "value": np.where(by_destination, world.codes[place], np.array(MODES)[mode]),
        }
    )
    affinity = _affinity(travellers, legs, world, place=place, mode=mode, by_destination=by_destination)
    events = _history(
        travellers, affinity, discount=discount, starts=starts, until=starts_at + days * DAY, rng=rng
    )
    return {
        "coupons/": _csv(folder / "coupons" / "coupons.csv.gz", coupons),
        "coupon_scope/": _csv(folder / "coupon_scope" / "coupon_scope.csv.gz", scope),
        "coupon_events/": _csv(folder / "coupon_events" / "coupon_events.csv.gz", events),
    }


def write_availability(folder: Path, world: World, rng: np.random.Generator) -> int:
    """Write what the inventory system knows of each journey, as JSON Lines for `POST /availability`."""
    seats = np.where(
        rng.random(len(world.origin)) < SOLD_OUT_SHARE, 0, rng.integers(1, 60, size=len(world.origin))
    )
    path = folder / "availability" / "availability.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for item_id, left, price in zip(
            world.item_ids, seats.tolist(), world.price_inr.tolist(), strict=True
        ):
            record = {"itemId": item_id, "available": left > 0, "seats": left, "price": round(price)}
            file.write(json.dumps(record) + "\n")
    return len(world.origin)


def _affinity(
    travellers: Travellers,
    legs: Legs,
    world: World,
    *,
    place: NDArray[np.int64],
    mode: NDArray[np.int64],
    by_destination: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return log counts (travellers, coupons) of legs the coupon would have covered."""
    journey = legs.ranked[:, 0]
    modes = np.array([MODES.index(product[0]) for product in PRODUCTS])[world.product[journey]]
    visits = np.zeros((len(travellers), len(world.codes)), dtype=np.float32)
    np.add.at(visits, (legs.traveller, world.destination[journey]), 1)
    uses = np.zeros((len(travellers), len(MODES)), dtype=np.float32)
    np.add.at(uses, (legs.traveller, modes), 1)
    return np.where(by_destination, 2 * np.log1p(visits[:, place]), np.log1p(uses[:, mode]))


def _history(
    travellers: Travellers,
    affinity: NDArray[np.float64],
    *,
    discount: NDArray[np.int64],
    starts: NDArray[np.int64],
    until: int,
    rng: np.random.Generator,
) -> pa.Table:
    issued = (rng.random(affinity.shape) < ISSUED_SHARE) & (starts < until)
    liking = -4.2 + 1.3 * affinity + 1.1 * travellers.coupon_liking[:, None] + 0.05 * discount
    redeemed = issued & (rng.random(affinity.shape) < 1 / (1 + np.exp(-liking)))
    who_issued, what_issued = np.nonzero(issued)
    who_redeemed, what_redeemed = np.nonzero(redeemed)
    moment = starts[what_redeemed] + rng.integers(DAY // 2, CAMPAIGN_DAYS * DAY, size=len(who_redeemed))
    before_now = moment < until
    who_redeemed, what_redeemed, moment = (x[before_now] for x in (who_redeemed, what_redeemed, moment))
    who = np.concatenate([who_issued, who_redeemed])
    what = np.concatenate([what_issued, what_redeemed])
    return pa.table(
        {
            "customer_id": np.char.add("U", np.char.zfill(who.astype(str), 7)),
            "coupon_code": np.char.add("C", np.char.zfill(what.astype(str), 4)),
            "what": np.repeat(["issued", "redeemed"], [len(who_issued), len(who_redeemed)]),
            "happened_at": pa.array(np.concatenate([starts[what_issued], moment]) + 19800)
            .cast(pa.timestamp("s"))
            .cast(pa.string()),
        }
    )


def _dates(moments: NDArray[np.int64]) -> list[str]:
    return [str(np.datetime64(int(moment), "s").astype("datetime64[D]")) for moment in moments]


def _csv(path: Path, table: pa.Table) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.register("rows", table)
        connection.execute(f"COPY rows TO '{path}' (FORMAT csv, HEADER, COMPRESSION gzip)")
    return int(table.num_rows)
