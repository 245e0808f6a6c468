"""What is known, at the moment a campaign's coupons are issued to a user, of whether they will be redeemed.

Everything is counted strictly before that moment. Counts are taken as log(1 + count) over several windows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from targeting.history import Catalogue, History
from targeting.windows import Before, Floats, Ints, before

REDEMPTION_DAYS = (60, 120, 365)
NOT_NUMBERS = {"user_id", "timestamp", "is_outcome"}


@dataclass(frozen=True)
class PairFeatures:
    """The features of pairs, a row each, and how often their coupons' items were bought before.

    `covered` has `pair` (row of `columns`), `coupon` (row of the catalogue) and `occasions`.
    """

    columns: pd.DataFrame
    covered: pd.DataFrame


def pair_features(pairs: pd.DataFrame, history: History, catalogue: Catalogue) -> PairFeatures:
    """Return the features of `pairs` (user_id, campaign_id, as_of, coupons), of their users' history."""
    users = pd.Index(pairs["user_id"].unique())
    moments = pairs[["user_id", "as_of"]].drop_duplicates().reset_index(drop=True)
    moment_of_pair = pd.MultiIndex.from_frame(moments).get_indexer(
        pd.MultiIndex.from_frame(pairs[["user_id", "as_of"]])
    )
    parts = History(
        *(_of_users(part, users) for part in (history.interactions, history.issues, history.redemptions))
    )
    moment_key, moment_time = users.get_indexer(moments["user_id"]), moments["as_of"].to_numpy()
    of_user = _activity(parts.interactions, moment_key, moment_time)
    of_user |= _coupon_history(parts, catalogue, moment_key, moment_time)
    coverage, covered = _coverage(pairs, users.get_indexer(pairs["user_id"]), parts.interactions, catalogue)
    columns = {name: values[moment_of_pair] for name, values in of_user.items()}
    columns |= coverage
    columns |= _same_category(pairs, users.get_indexer(pairs["user_id"]), parts.redemptions, catalogue)
    columns |= _campaign(pairs, catalogue)
    return PairFeatures(pd.DataFrame(columns, dtype=np.float32), covered)


def number_attributes(interactions: pd.DataFrame) -> list[str]:
    """Return the columns whose values can be summed, such as prices and discounts."""
    return [
        name
        for name in sorted(interactions.columns)
        if name not in NOT_NUMBERS and is_numeric_dtype(interactions[name])
    ]


def _of_users(rows: pd.DataFrame, users: pd.Index) -> pd.DataFrame:
    user = users.get_indexer(rows["user_id"])
    return rows.assign(user=user)[user >= 0].reset_index(drop=True)


def _measures(interactions: pd.DataFrame) -> dict[str, Floats]:
    is_outcome = interactions["is_outcome"].to_numpy(dtype=np.float64)
    is_first = ~interactions[interactions["is_outcome"]].duplicated(["user", "timestamp"])
    occasion = is_first.reindex(interactions.index, fill_value=False).to_numpy(dtype=np.float64)
    measures = {"bought": is_outcome, "looked": 1 - is_outcome, "occasions": occasion}
    for name in number_attributes(interactions.drop(columns="user")):
        value = np.nan_to_num(interactions[name].to_numpy(dtype=np.float64)).clip(min=0) * is_outcome
        measures |= {name: value, f"with_{name}": (value > 0).astype(np.float64)}
    return measures


def _activity(interactions: pd.DataFrame, moment_key: Ints, moment_time: Ints) -> dict[str, Floats]:
    """Return what the user bought and looked at, and when last."""
    seen = before(
        interactions["user"].to_numpy(), interactions["timestamp"].to_numpy(), moment_key, moment_time
    )
    measures = _measures(interactions)
    columns = seen.columns("activity", measures)
    for name, values in measures.items():
        if name in {"bought", "looked"} or name.startswith("with_"):
            columns |= seen.recency(f"activity_{name}", values > 0)
    return columns


def _coupon_history(
    parts: History, catalogue: Catalogue, moment_key: Ints, moment_time: Ints
) -> dict[str, Floats]:
    """Return what the user was issued and what of it was redeemed, in all and by kind."""
    issued = before(
        parts.issues["user"].to_numpy(), parts.issues["timestamp"].to_numpy(), moment_key, moment_time
    )
    redeemed = before(
        parts.redemptions["user"].to_numpy(),
        parts.redemptions["timestamp"].to_numpy(),
        moment_key,
        moment_time,
    )
    place = catalogue.coupons.set_index("coupon_id")
    of_coupon = place.reindex(parts.redemptions["coupon_id"])
    kind_of_campaign = catalogue.coupons.groupby("campaign_id")["kind"].agg(
        lambda kinds: kinds.mode().iloc[0]
    )
    issued_kind = parts.issues["campaign_id"].map(kind_of_campaign).to_numpy()
    campaigns = pd.Index(catalogue.coupons["campaign_id"].unique())
    received = issued.distinct(campaigns.get_indexer(parts.issues["campaign_id"]) + 1)
    redeeming = redeemed.distinct(campaigns.get_indexer(of_coupon["campaign_id"]) + 1)
    days = (parts.redemptions["timestamp"].to_numpy() // 86_400).astype(np.int64)
    totals = {
        "received": received,
        "redeeming": redeeming,
        "redeemed": redeemed.total(),
        "redeemed_days": redeemed.distinct(days - days.min(initial=0)),
        "issued_coupons": issued.total(parts.issues["coupons"].to_numpy(dtype=np.float64)),
    }
    for kind in catalogue.kinds:
        totals[f"received_{kind}"] = issued.total((issued_kind == kind).astype(np.float64))
        totals[f"redeemed_{kind}"] = redeemed.total((of_coupon["kind"] == kind).to_numpy(dtype=np.float64))
    columns = {f"coupons_{name}": np.log1p(values) for name, values in totals.items()}
    columns |= redeemed.columns("coupons", {"redeemed": np.ones(len(days))}, REDEMPTION_DAYS)
    columns |= issued.recency("coupons_received") | redeemed.recency("coupons_redeemed")
    columns["coupons_redeeming_share"] = (redeeming + 0.1) / (received + 1)
    columns["coupons_redeemed_each"] = np.log((totals["redeemed"] + 0.3) / (received + 1))
    return columns


def _coverage(
    pairs: pd.DataFrame, user_of_pair: Ints, interactions: pd.DataFrame, catalogue: Catalogue
) -> tuple[dict[str, Floats], pd.DataFrame]:
    """Return what the user did before with items that the campaign's coupons cover, in all and by coupon."""
    row, coupon = covering(interactions, catalogue)
    campaigns = pd.Index(catalogue.coupons["campaign_id"].unique())
    campaign_of_coupon = campaigns.get_indexer(catalogue.coupons["campaign_id"])
    user = interactions["user"].to_numpy()
    time = interactions["timestamp"].to_numpy()
    seen = before(
        user[row] * len(campaigns) + campaign_of_coupon[coupon],
        time[row],
        user_of_pair * len(campaigns) + campaigns.get_indexer(pairs["campaign_id"]),
        pairs["as_of"].to_numpy(),
    )
    measures = {name: values[row] for name, values in _measures(interactions).items()}
    counted = {
        name: values
        for name, values in measures.items()
        if name in {"bought", "looked"} or name.startswith("with_")
    }
    columns = seen.columns("covered", counted)
    bought = seen.some(measures["bought"][seen.row] > 0)
    columns |= bought.recency("covered_bought")
    columns["covered_coupons"] = np.log1p(bought.distinct(coupon))
    return columns, _occasions(bought, coupon, time[row])


def covering(interactions: pd.DataFrame, catalogue: Catalogue) -> tuple[Ints, Ints]:
    """Return which coupon covers which interaction: rows of `interactions` and of the catalogue."""
    found = []
    for attribute, scope in catalogue.scope.items():
        if attribute in interactions:
            rows = pd.DataFrame(
                {"value": interactions[attribute].to_numpy(), "row": np.arange(len(interactions))}
            )
            found.append(rows.merge(scope, on="value")[["row", "coupon"]].to_numpy(dtype=np.int64))
    both = np.concatenate(found) if found else np.zeros((0, 2), dtype=np.int64)
    return both[:, 0], both[:, 1]


def _occasions(bought: Before, coupon: Ints, time: Ints) -> pd.DataFrame:
    rows = pd.DataFrame({"pair": bought.moment, "coupon": coupon[bought.row], "time": time[bought.row]})
    counts = rows.drop_duplicates().groupby(["pair", "coupon"], sort=True).size()
    return counts.rename("occasions").reset_index()


def _same_category(
    pairs: pd.DataFrame, user_of_pair: Ints, redemptions: pd.DataFrame, catalogue: Catalogue
) -> dict[str, Floats]:
    """Return how many coupons of the campaign's categories the user redeemed before."""
    coupons = catalogue.coupons
    of_category = coupons[["campaign_id", "category"]].drop_duplicates()
    redeemed = redemptions[["user", "coupon_id", "timestamp"]].merge(
        coupons[["coupon_id", "category"]], on="coupon_id"
    )
    redeemed = redeemed.merge(of_category, on="category")
    campaigns = pd.Index(coupons["campaign_id"].unique())
    seen = before(
        redeemed["user"].to_numpy() * len(campaigns) + campaigns.get_indexer(redeemed["campaign_id"]),
        redeemed["timestamp"].to_numpy(),
        user_of_pair * len(campaigns) + campaigns.get_indexer(pairs["campaign_id"]),
        pairs["as_of"].to_numpy(),
    )
    return {"coupons_redeemed_category": np.log1p(seen.total())}


def _campaign(pairs: pd.DataFrame, catalogue: Catalogue) -> dict[str, Floats]:
    """Return the size and the kind of the campaign."""
    coupons = catalogue.coupons.assign(breadth=catalogue.breadth)
    campaign = coupons.groupby("campaign_id").agg(
        kind=("kind", lambda kinds: kinds.mode().iloc[0]),
        breadth=("breadth", "sum"),
        discount=("discount_value", "mean"),
        valid_days=("valid_days", "mean"),
    )
    of_pair = campaign.reindex(pairs["campaign_id"])
    numbers = of_pair[["breadth", "discount", "valid_days"]].fillna(0.0).clip(lower=0)
    columns = {f"campaign_{name}": np.log1p(numbers[name].to_numpy()) for name in numbers}
    columns["campaign_coupons"] = np.log1p(pairs["coupons"].to_numpy(dtype=np.float64))
    for kind in catalogue.kinds:
        columns[f"campaign_is_{kind}"] = (of_pair["kind"] == kind).to_numpy(dtype=np.float64)
    return columns
