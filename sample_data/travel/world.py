"""The world travelled in: cities, who links to whom, and the journeys that can be booked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# code, latitude, longitude, kind of place
CITIES = [
    ("DEL", 28.6, 77.2, "metro"), ("BOM", 19.1, 72.9, "metro"), ("BLR", 13.0, 77.6, "metro"),
    ("GOI", 15.5, 73.8, "beach"), ("JAI", 26.9, 75.8, "heritage"), ("AGR", 27.2, 78.0, "heritage"),
    ("VNS", 25.3, 83.0, "pilgrimage"), ("KUU", 31.9, 77.1, "hills"), ("COK", 9.9, 76.3, "beach"),
    ("MAA", 13.1, 80.3, "metro"), ("UDR", 24.6, 73.7, "heritage"), ("ATQ", 31.6, 74.9, "pilgrimage"),
    ("HYD", 17.4, 78.5, "metro"), ("CCU", 22.6, 88.4, "metro"), ("IXB", 26.7, 88.4, "hills"),
    ("TIR", 13.6, 79.4, "pilgrimage"), ("TRV", 8.5, 76.9, "beach"), ("PNQ", 18.5, 73.9, "metro"),
    ("DED", 30.3, 78.0, "hills"), ("IXZ", 11.7, 92.7, "beach"), ("JDH", 26.2, 73.0, "heritage"),
    ("AMD", 23.0, 72.6, "metro"), ("BBI", 20.3, 85.8, "pilgrimage"), ("SXR", 34.1, 74.8, "hills"),
]  # fmt: skip
KINDS = ["metro", "beach", "heritage", "pilgrimage", "hills"]
# mode, class, price of 100 km, fixed price, km/h, shortest and longest route in km, operators
PRODUCTS = [
    ("flight", "economy", 350, 1800, 600, 350, 4000, ("IndiAir", "SkyHop")),
    ("flight", "business", 900, 4500, 600, 700, 4000, ("IndiAir",)),
    ("train", "sleeper", 55, 60, 60, 100, 2600, ("Railways",)),
    ("train", "ac", 140, 150, 70, 100, 2600, ("Railways",)),
    ("bus", "seater", 110, 50, 45, 50, 700, ("RoadStar", "NightLine")),
    ("bus", "sleeper", 160, 100, 45, 200, 1100, ("NightLine",)),
]
WINDOWS = ["night", "morning", "afternoon", "evening"]
WINDOW_SHARE = 0.45
KM_PER_DEGREE = 105


@dataclass(frozen=True)
class World:
    """Cities and bookable journeys as arrays; journeys are numbered, `by_route` lists those of a route.

    `by_route` has shape (cities, cities, K), padded with -1. `successors` (cities, cities) is the boost a
    place gets when the traveller's last trip went to the row's place.
    """

    codes: NDArray[np.str_]
    kind: NDArray[np.int64]
    popularity: NDArray[np.float64]
    successors: NDArray[np.float64]
    origin: NDArray[np.int64]
    destination: NDArray[np.int64]
    product: NDArray[np.int64]
    window: NDArray[np.int64]
    price_inr: NDArray[np.float64]
    duration_minutes: NDArray[np.float64]
    operator: NDArray[np.str_]
    by_route: NDArray[np.int64]

    @property
    def item_ids(self) -> list[str]:
        """Return the item id of each journey as `config/travel.yaml` composes it."""
        return [
            f"{self.codes[o]}|{self.codes[d]}|{PRODUCTS[p][0]}|{PRODUCTS[p][1]}|{WINDOWS[w]}"
            for o, d, p, w in zip(self.origin, self.destination, self.product, self.window, strict=True)
        ]


def build_world(cities: int, rng: np.random.Generator) -> World:
    """Lay out the first `cities` cities and offer each route by what suits its length."""
    chosen = CITIES[:cities]
    places = np.array([[latitude, longitude] for _, latitude, longitude, _ in chosen])
    km = KM_PER_DEGREE * np.sqrt(((places[:, None] - places[None]) ** 2).sum(axis=2))
    rows: list[tuple[int, int, int, int, float, float, str]] = []
    for origin, destination in np.argwhere(km > 0):
        rows += _journeys(int(origin), int(destination), float(km[origin, destination]), rng)
    origins, destinations, products, windows, prices, minutes, operators = (
        np.array(c) for c in zip(*rows, strict=True)
    )
    return World(
        codes=np.array([city[0] for city in chosen]),
        kind=np.array([KINDS.index(city[3]) for city in chosen]),
        popularity=1.0 / (1.0 + rng.permutation(cities)) ** 0.6,
        successors=_successors(cities, rng),
        origin=origins,
        destination=destinations,
        product=products,
        window=windows,
        price_inr=prices,
        duration_minutes=minutes,
        operator=operators,
        by_route=_by_route(cities, origins, destinations),
    )


def _journeys(
    origin: int, destination: int, km: float, rng: np.random.Generator
) -> list[tuple[int, int, int, int, float, float, str]]:
    journeys = []
    for number, (_, _, per_100_km, fixed, speed, shortest, longest, operators) in enumerate(PRODUCTS):
        if not shortest <= km <= longest:
            continue
        offered = np.flatnonzero(rng.random(len(WINDOWS)) < WINDOW_SHARE)
        price = (fixed + per_100_km * km / 100) * rng.uniform(0.85, 1.2)
        for window in offered if len(offered) else [1]:
            minutes = 60 * km / speed + 45
            operator = operators[rng.integers(len(operators))]
            journeys.append((origin, destination, number, int(window), price, minutes, operator))
    return journeys or [(origin, destination, 0, 1, 2500.0, 90.0, "IndiAir")]


def _successors(cities: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Give each place three places its visitors favour next."""
    boost = np.zeros((cities, cities))
    for place in range(cities):
        others = np.delete(np.arange(cities), place)
        boost[place, rng.choice(others, size=min(3, len(others)), replace=False)] = [3.0, 2.2, 1.6][
            : len(others)
        ]
    return boost


def _by_route(cities: int, origins: NDArray[np.int64], destinations: NDArray[np.int64]) -> NDArray[np.int64]:
    route = origins * cities + destinations
    widest = int(np.bincount(route).max())
    table = np.full((cities * cities, widest), -1)
    order = np.argsort(route, kind="stable")
    starts = np.searchsorted(route[order], np.arange(cities * cities))
    table[route[order], np.arange(len(order)) - starts[route[order]]] = order
    return table.reshape(cities, cities, widest)
