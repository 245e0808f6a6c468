"""Write events as each source would: own field names, clock and format, and what goes wrong in between."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sample_data.travel.events import EVENT_TYPES, PURCHASE, Events, product_columns
from sample_data.travel.world import World

ROWS_PER_FILE = 250_000
MALFORMED_SHARE = 0.003
REDELIVERED_SHARE = 0.01
BOTH_CHANNELS_SHARE = 0.02
OFFLINE_SHARE = 0.15

_IOS = """to_json({{
    id: 'i-' || number, name: {event}, ts: moment * 1000 + number % 1000,
    "user": {{id: user_id}}, device: {{idfv: device_id, os: '17.4'}},
    trip: {{"from": origin, "to": destination, mode: mode, cabin: travel_class, carrier: operator, fare:
    price_inr,
            departs: strftime(departure, '%Y-%m-%dT%H:%M:%S'), minutes: duration}}}})"""
_ANDROID = """to_json({{
    event_uuid: 'a-' || number, event: {event},
    event_time: strftime(make_timestamp((moment + 19800) * 1000000), '%Y-%m-%dT%H:%M:%S+05:30'),
    uid: user_id, android_id: device_id, origin_code: origin, dest_code: destination, transport: mode,
    seat_class: travel_class, operator_name: operator, price: price_inr,
    departure_time: strftime(departure, '%Y-%m-%dT%H:%M:%S+05:30'), duration: duration}})"""
_WEB = """to_json({{
    hit_id: 'w-' || number, action: {event},
    "at": strftime(make_timestamp((moment + 19800) * 1000000), '%d/%m/%Y %H:%M:%S'), login: user_id,
    cookie: device_id,
    q_from: origin, q_to: destination, q_mode: mode, q_class: travel_class, q_operator: operator, q_price:
    price_inr, q_departure: strftime(departure, '%Y-%m-%dT%H:%M:%S'), q_duration: duration}})"""
_CHANNELS = [
    ("ios", _IOS, ["searched", "screen_view", "add_to_trip", "begin_checkout", "booked"]),
    ("android", _ANDROID, ["SEARCH", "VIEW_ITEM", "ADD_TO_CART", "CHECKOUT_START", "PURCHASE"]),
    ("web", _WEB, ["search", "product", "basket", "checkout", "confirmation"]),
]
_BOOKING = """concat_ws(',', 'B' || number, user_id, origin, destination, mode, travel_class, operator,
price_inr,
    strftime(departure, '%Y-%m-%d %H:%M:%S'), duration,
    strftime(make_timestamp((moment + 19800 + number % 30) * 1000000), '%Y-%m-%d %H:%M:%S'), 'CONFIRMED')"""
_BOOKING_HEADER = (
    "booking_ref,customer_id,from_city,to_city,mode,class,operator,fare_inr,departs_at,duration_min,"
    "booked_at,status"
)
# What goes wrong with a row on its way, by the row's number; the raw line is `line`.
_MANGLED = """CASE damage
    WHEN 0 THEN left(line, length(line) // 2)
    WHEN 1 THEN replace(line, {time_from}, {time_to})
    WHEN 2 THEN replace(line, origin, '')
    WHEN 3 THEN replace(line, price_inr::VARCHAR, '-' || price_inr)
    WHEN 4 THEN '\u0000\u0001garbage'
    ELSE line END"""


def write_clickstream(folder: Path, events: Events, world: World, rng: np.random.Generator) -> dict[str, int]:
    """Write the three channels' JSON Lines; return rows by prefix.

    A share of events is delivered twice by its channel, and a share is logged by the web view inside the
    app as well, up to a minute off.
    """
    seen_twice = events.take((rng.random(len(events)) < BOTH_CHANNELS_SHARE) & (events.channel < 2))  # noqa: PLR2004
    shifted = Events(
        **{
            **seen_twice.__dict__,
            "moment": seen_twice.moment + rng.integers(-60, 61, size=len(seen_twice)),
            "channel": np.full(len(seen_twice), 2),
        }
    )
    rows: dict[str, int] = {}
    for number, (name, template, labels) in enumerate(_CHANNELS):
        of_channel = events.take(events.channel == number)
        if number == 2:  # noqa: PLR2004 - the web, which also logs what the apps' web views show
            of_channel = _joined(of_channel, shifted)
        event = "[" + ", ".join(f"'{label}'" for label in labels) + "][event_type + 1]"
        prefix = f"clickstream/{name}/"
        line = template.format(event=event)
        rows[prefix] = _write(
            folder / prefix,
            of_channel,
            world,
            line=line,
            header=None,
            rng=rng,
            time_digits=name == "ios",
        )
    return rows


def write_transactions(
    folder: Path, events: Events, world: World, rng: np.random.Generator
) -> dict[str, int]:
    """Write the bookings export: every purchase of the channels, and some made by telephone only."""
    purchases = events.take(events.event_type == PURCHASE)
    by_telephone = purchases.take(rng.random(len(purchases)) < OFFLINE_SHARE)
    later = Events(**{**by_telephone.__dict__, "moment": by_telephone.moment + rng.integers(3600, 86400)})
    prefix = "transactions/"
    rows = _write(
        folder / prefix,
        _joined(purchases, later),
        world,
        line=_BOOKING,
        header=_BOOKING_HEADER,
        rng=rng,
        time_digits=False,
    )
    return {prefix: rows}


def _joined(first: Events, second: Events) -> Events:
    return Events(
        *(
            np.concatenate([getattr(first, name), getattr(second, name)])
            for name in first.__dataclass_fields__
        )
    )


def _write(
    folder: Path,
    events: Events,
    world: World,
    *,
    line: str,
    header: str | None,
    rng: np.random.Generator,
    time_digits: bool,
) -> int:
    """Write `events` as several gzipped files, roughly by time, some late, some twice, some damaged."""
    folder.mkdir(parents=True, exist_ok=True)
    redelivered = np.flatnonzero(rng.random(len(events)) < REDELIVERED_SHARE)
    number = np.concatenate([np.arange(len(events)), redelivered])
    order = np.argsort(events.moment[number] + (rng.exponential(20_000, size=len(number))).astype(np.int64))
    number = number[order]
    files = max(2, -(-len(number) // ROWS_PER_FILE))
    time_from, time_to = ("'\"ts\":'", "'\"ts\":-'") if time_digits else ("':'", "'h'")
    mangled = _MANGLED.format(time_from=time_from, time_to=time_to)
    suffix = "csv" if header else "jsonl"
    for part, rows in enumerate(np.array_split(number, files)):
        table = _table(events, world, rows, rng)
        # the header is a row of its own: the text goes out unquoted, one column wide
        head = f"SELECT '{header}' AS text UNION ALL " if header else ""
        with duckdb.connect() as connection:
            connection.register("events", table)
            connection.execute(
                f"COPY ({head}SELECT {mangled} AS text FROM (SELECT *, {line}::VARCHAR AS line FROM events))"  # noqa: S608
                f" TO '{folder / f'part-{part:04d}.{suffix}.gz'}'"
                " (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x07', COMPRESSION gzip)"
            )
    return len(number)


def _table(events: Events, world: World, rows: NDArray[np.int64], rng: np.random.Generator) -> pa.Table:
    chosen = events.take(rows)
    mode, travel_class = product_columns(chosen.journey, world)
    users = np.char.add("U", np.char.zfill(chosen.traveller.astype(str), 7))
    damage = np.where(rng.random(len(rows)) < MALFORMED_SHARE, rng.integers(0, 5, size=len(rows)), -1)
    return pa.table(
        {
            "number": rows,
            "event_type": chosen.event_type,
            "moment": chosen.moment,
            "departure": pa.array(chosen.departure).cast(pa.timestamp("s")),
            "user_id": pa.array(users, mask=~chosen.logged_in),
            "device_id": np.char.add("d", chosen.device.astype(str)),
            "origin": world.codes[world.origin[chosen.journey]],
            "destination": world.codes[world.destination[chosen.journey]],
            "mode": mode,
            "travel_class": travel_class,
            "operator": world.operator[chosen.journey],
            "price_inr": chosen.price_inr.astype(np.int64),
            "duration": world.duration_minutes[chosen.journey].astype(np.int64),
            "damage": damage,
        }
    )


__all__ = ["EVENT_TYPES", "write_clickstream", "write_transactions"]
