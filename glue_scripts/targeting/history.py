"""What is known of coupons and users, as pandas frames: the input of the features of redemption."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MOST_KINDS = 8
MOST_LABEL_DAYS = 45.0


@dataclass(frozen=True)
class Catalogue:
    """The coupons, one row each in the order of their ids, and what they cover.

    `coupons` has coupon_id, campaign_id, kind, category, discount_value, valid_days and valid_until; `scope`
    has, for each attribute, the frame of `value` and `coupon` (the row in `coupons`).
    """

    coupons: pd.DataFrame
    scope: dict[str, pd.DataFrame]

    @property
    def kinds(self) -> list[str]:
        """The commonest kinds of discount."""
        counts = self.coupons["kind"].value_counts()
        return sorted(counts.index[:MOST_KINDS])

    @property
    def breadth(self) -> NDArray[np.float64]:
        """How many attribute values each coupon covers."""
        covered = [part["coupon"].to_numpy() for part in self.scope.values()]
        every = np.concatenate(covered) if covered else np.zeros(0, dtype=np.int64)
        return np.bincount(every, minlength=len(self.coupons)).astype(np.float64)

    @property
    def label_days(self) -> float:
        """After how many days it is known what became of a coupon: its longest validity, at most 45 days."""
        longest = float(self.coupons["valid_days"].max()) if len(self.coupons) else 0.0
        return min(longest, MOST_LABEL_DAYS) if longest > 0 else MOST_LABEL_DAYS

    def of_campaigns(self, campaigns: set[str]) -> Catalogue:
        """Return the catalogue whose scope knows only the coupons of some campaigns."""
        wanted = self.coupons["campaign_id"].isin(campaigns).to_numpy()
        return Catalogue(
            self.coupons, {name: part[wanted[part["coupon"]]] for name, part in self.scope.items()}
        )


@dataclass(frozen=True)
class History:
    """What some users did, each frame with user_id and timestamp (epoch seconds).

    `interactions` also has is_outcome (bought), the number attributes, and the attributes that coupons cover
    items by; `issues` campaign_id and coupons (how many at once); `redemptions` coupon_id.
    """

    interactions: pd.DataFrame
    issues: pd.DataFrame
    redemptions: pd.DataFrame

    def before(self, as_of: int) -> History:
        """Return only what happened before a moment."""
        return History(*(part[part["timestamp"] < as_of] for part in self._parts))

    @property
    def _parts(self) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        return self.interactions, self.issues, self.redemptions


def catalogue_of(coupons: pd.DataFrame, coupon_scope: pd.DataFrame) -> Catalogue:
    """Return the catalogue of the curated tables `coupons` and `coupon_scope`; columns may be missing.

    A coupon of no campaign is a campaign of its own.
    """
    ordered = coupons.sort_values("coupon_id").drop_duplicates("coupon_id").reset_index(drop=True)
    absent = pd.Series(np.nan, index=ordered.index)
    starts, ends = (pd.to_datetime(ordered.get(name, absent)) for name in ("valid_from", "valid_until"))
    rows = pd.DataFrame(
        {
            "coupon_id": ordered["coupon_id"].astype(str),
            "campaign_id": ordered.get("campaign_id", absent)
            .astype(object)
            .fillna(ordered["coupon_id"])
            .astype(str),
            "kind": ordered.get("discount_type", absent).astype(object).fillna("").astype(str),
            "category": ordered.get("category", absent).astype(object).fillna("").astype(str),
            "discount_value": ordered.get("discount_value", absent).astype(float).fillna(0.0),
            "valid_until": ends,
            "valid_days": (ends - starts).dt.total_seconds().fillna(0.0) / 86_400,
        }
    )
    place = pd.Series(rows.index, index=rows["coupon_id"])
    known = coupon_scope[coupon_scope["coupon_id"].isin(place.index)]
    scope = {
        str(name): pd.DataFrame({"value": part["value"], "coupon": place[part["coupon_id"]].to_numpy()})
        for name, part in known.groupby("attribute")
    }
    return Catalogue(rows, scope)


def past_pairs(history: History, *, as_of: int, label_days: float) -> pd.DataFrame:
    """Return the users' past campaigns whose outcome is known: the rows to learn from.

    One row a user and campaign issued at least `label_days` before `as_of`: user_id, campaign_id, as_of (when
    it was first issued), coupons (how many) and nothing yet of how it ended.
    """
    issues = history.issues[history.issues["timestamp"] < as_of]
    grouped = issues.groupby(["user_id", "campaign_id"], as_index=False, sort=True)
    pairs = grouped.agg(as_of=("timestamp", "min"), coupons=("coupons", "sum"))
    return pairs[pairs["as_of"] <= as_of - label_days * 86_400].reset_index(drop=True)


def redemptions_of(
    pairs: pd.DataFrame, history: History, catalogue: Catalogue, *, as_of: int, label_days: float
) -> pd.DataFrame:
    """Return the redemptions that pairs ended in: `pair` (row of `pairs`), `coupon` (row of the catalogue).

    Only those of the first `label_days`, and none at or after `as_of`.
    """
    place = pd.Series(catalogue.coupons.index, index=catalogue.coupons["coupon_id"])
    redeemed = history.redemptions[history.redemptions["timestamp"] < as_of]
    redeemed = redeemed[redeemed["coupon_id"].isin(place.index)]
    coupon = place[redeemed["coupon_id"]].to_numpy()
    rows = pd.DataFrame(
        {
            "user_id": redeemed["user_id"].to_numpy(),
            "campaign_id": catalogue.coupons["campaign_id"].to_numpy()[coupon],
            "timestamp": redeemed["timestamp"].to_numpy(),
            "coupon": coupon,
        }
    )
    numbered = pairs[["user_id", "campaign_id", "as_of"]].assign(pair=np.arange(len(pairs)))
    found = rows.merge(numbered, on=["user_id", "campaign_id"])
    age_days = (found["timestamp"] - found["as_of"]) / 86_400
    return found.loc[(age_days >= 0) & (age_days <= label_days), ["pair", "coupon"]]
