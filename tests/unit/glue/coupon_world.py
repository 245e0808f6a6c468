"""A small made-up world in which some users like coupons and most redeem what they buy anyway."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from targeting.history import Catalogue, History, catalogue_of

DAY = 86_400
START = 1_700_000_000
USERS, CAMPAIGNS, COUPONS, PRODUCTS = 300, 8, 4, 12
EVERY_DAYS = 14


@dataclass(frozen=True)
class World:
    """The tables, and the start (epoch seconds) of each campaign; the last one is still to be decided."""

    interactions: pd.DataFrame
    coupons: pd.DataFrame
    coupon_scope: pd.DataFrame
    issues: pd.DataFrame
    redemptions: pd.DataFrame
    starts: dict[str, int]

    @property
    def history(self) -> History:
        """All that ever happens."""
        return History(self.interactions, self.issues, self.redemptions)

    @property
    def catalogue(self) -> Catalogue:
        """The coupons."""
        return catalogue_of(self.coupons, self.coupon_scope)

    @property
    def last(self) -> str:
        """The campaign to decide."""
        return f"P{CAMPAIGNS - 1}"


def made_world(seed: int = 3) -> World:
    """Return the world that the seed makes."""
    rng = np.random.default_rng(seed)
    liking = rng.normal(size=USERS)
    taste = rng.dirichlet(np.full(PRODUCTS, 0.3), size=USERS)
    bought = rng.poisson(taste[:, :, None] * 2.0, size=(USERS, PRODUCTS, CAMPAIGNS + 1))
    user, product, period = (np.repeat(of, bought.ravel()) for of in _grid(*bought.shape))
    interactions = pd.DataFrame(
        {
            "user_id": _users(user),
            "timestamp": START + (period * EVERY_DAYS * DAY + rng.integers(0, EVERY_DAYS * DAY, len(user))),
            "is_outcome": True,
            "product": np.char.add("p", product.astype(str)),
            "price": rng.uniform(1, 5, len(user)),
        }
    )
    names = [f"C{number:02d}" for number in range(CAMPAIGNS * COUPONS)]
    covers = rng.integers(0, PRODUCTS, len(names))
    starts = {f"P{one}": START + (one + 1) * EVERY_DAYS * DAY for one in range(CAMPAIGNS)}
    campaign = np.repeat(list(starts), COUPONS)
    begins = pd.to_datetime([starts[one] for one in campaign], unit="s").normalize()
    coupons = pd.DataFrame(
        {
            "coupon_id": names,
            "campaign_id": campaign,
            "discount_type": "flat",
            "discount_value": 10.0,
            "category": "any",
            "valid_from": begins.date,
            "valid_until": (begins + pd.Timedelta(days=EVERY_DAYS - 1)).date,
        }
    )
    scope = pd.DataFrame({"coupon_id": names, "attribute": "product", "value": [f"p{one}" for one in covers]})
    issued_user, issued_campaign = np.nonzero(rng.random((USERS, CAMPAIGNS)) < 0.7)
    moments = np.array(list(starts.values()))
    issues = pd.DataFrame(
        {
            "user_id": _users(issued_user),
            "campaign_id": np.array(list(starts))[issued_campaign],
            "timestamp": moments[issued_campaign],
            "coupons": float(COUPONS),
        }
    )
    coupon = issued_campaign[:, None] * COUPONS + np.arange(COUPONS)
    odds = -3.5 + 0.8 * liking[issued_user, None] + 5.0 * taste[issued_user[:, None], covers[coupon]]
    who, which = np.nonzero(rng.random(odds.shape) < 1 / (1 + np.exp(-odds)))
    redemptions = pd.DataFrame(
        {
            "user_id": _users(issued_user[who]),
            "coupon_id": np.array(names)[coupon[who, which]],
            "timestamp": moments[issued_campaign[who]] + rng.integers(DAY, EVERY_DAYS * DAY, len(who)),
        }
    )
    return World(interactions, coupons, scope, issues, redemptions, starts)


def _grid(*shape: int) -> list[np.ndarray]:
    return [axis.ravel() for axis in np.meshgrid(*(np.arange(size) for size in shape), indexing="ij")]


def _users(numbers: np.ndarray) -> np.ndarray:
    return np.char.add("u", np.char.zfill(numbers.astype(str), 4))
