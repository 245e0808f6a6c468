"""Redemption probabilities of all pairs: learnt from a sample of users, then told for every user by Spark.

Python sees a user once, not a pair: the JVM makes the pairs' probabilities of what it says of the user.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

from targeting.history import Catalogue, History, catalogue_of
from targeting.learning import Learnt, Offer, expectations, learn, of_nobody
from targeting.sharing import purchase_priors

DAY = 86_400
OUTCOME = "purchase"
WINDOW_DAYS = 365
# What is learnt from: enough for the model, little enough for the driver. A row counts once for each past
# campaign of its user, whose features it is in.
SAMPLE_USERS = 20_000
SAMPLE_ROWS = 6_000_000
BUCKETS = 100_000
ROWS_PER_TASK = 500_000
HISTORY_COLUMNS = (
    "user_id string, what string, timestamp bigint, is_outcome boolean, coupons double, id string"
)
EXPECTED_SCHEMA = (
    "user_id string, expected map<string,double>, per_weight map<string,double>, occasions map<string,int>"
)


@dataclass(frozen=True)
class Curated:
    """The curated tables that targeting reads."""

    interactions: DataFrame
    coupons: DataFrame
    coupon_scope: DataFrame
    coupon_events: DataFrame


def last_moment(curated: Curated) -> int:
    """Return the second after the newest interaction or coupon event: the `as_of` of a decision now."""
    tables = (curated.interactions, curated.coupon_events)
    newest = [table.agg(F.max("timestamp")).first() for table in tables]
    return max([int(row[0]) for row in newest if row and row[0] is not None], default=0) + 1


def redemption_probabilities(pairs: DataFrame, curated: Curated, *, as_of: int, seed: int) -> DataFrame:
    """Return user_id, coupon_id, score, probability and organic_probability, one row a pair.

    `pairs`: user_id, coupon_id, score, ranked (how many were ranked together; scores of a ranking sum to 1).
    `probability` is the redemptions expected of the pair, calibrated on past campaigns: what the campaign
    brings of the user, shared out half by the ranking and half by what the user bought of what coupons cover.
    `organic_probability` is that the user buys what the coupon covers while it is valid without any coupon.
    Both are 0 for a coupon that is unknown or no longer valid. Nothing at or after `as_of` is read. All pairs
    of a user are in one partition.
    """
    catalogue = catalogue_of(curated.coupons.toPandas(), curated.coupon_scope.toPandas())
    offer = Offer(catalogue, as_of)
    if offer.sizes.empty:
        nothing = F.lit(0.0)
        return pairs.select(
            "user_id",
            "coupon_id",
            "score",
            nothing.alias("probability"),
            nothing.alias("organic_probability"),
        )
    rows = _history_rows(curated, catalogue, as_of)
    sample = _sample(rows, curated, seed)
    learnt = learn(sample, catalogue, as_of=as_of)
    told = _told(rows, learnt, offer, _tasks(curated))
    return _pair_probabilities(pairs, told, _constants(learnt, sample, offer), learnt)


def _history_rows(curated: Curated, catalogue: Catalogue, as_of: int) -> DataFrame:
    """Return all that is known of users before `as_of` in one frame: one shuffle brings it together."""
    interactions = curated.interactions
    numbers = [name for name, kind in interactions.dtypes if kind == "double" and name != "event_value"]
    covering = [name for name in catalogue.scope if name in interactions.columns]
    bought = interactions.select(
        "user_id",
        F.lit("interaction").alias("what"),
        "timestamp",
        (F.col("event_type") == OUTCOME).alias("is_outcome"),
        *numbers,
        *[F.col(name).cast("string").alias(name) for name in covering if name not in numbers],
    )
    campaign = curated.coupons.sparkSession.createDataFrame(
        catalogue.coupons[["coupon_id", "campaign_id"]].to_numpy().tolist(),
        "coupon_id string, campaign_id string",
    )
    events = curated.coupon_events.join(F.broadcast(campaign), "coupon_id")
    issued = events.where("event_type = 'issued'").groupBy("user_id", "campaign_id", "timestamp").count()
    issues = issued.select(
        "user_id",
        F.lit("issue").alias("what"),
        "timestamp",
        F.col("count").cast("double").alias("coupons"),
        F.col("campaign_id").alias("id"),
    )
    redemptions = events.where("event_type = 'redeemed'").select(
        "user_id", F.lit("redemption").alias("what"), "timestamp", F.col("coupon_id").alias("id")
    )
    every = bought.unionByName(issues, allowMissingColumns=True).unionByName(
        redemptions, allowMissingColumns=True
    )
    return every.where((F.col("timestamp") < as_of) & F.col("user_id").isNotNull())


def _sample(rows: DataFrame, curated: Curated, seed: int) -> History:
    """Return the history of users that the seed picks, as many as the driver can learn from."""
    issued = curated.coupon_events.where("event_type = 'issued'")
    counts = issued.agg(
        F.approx_count_distinct("user_id").alias("users"),
        F.approx_count_distinct(F.xxhash64("user_id", "timestamp")).alias("moments"),
    ).first()
    users, moments = (counts["users"], counts["moments"]) if counts else (0, 0)
    seen = curated.interactions.count() * moments / max(users, 1)
    many = max(seen / SAMPLE_ROWS, users / SAMPLE_USERS, 1.0)
    bucket = F.pmod(F.xxhash64(F.lit(seed), "user_id"), F.lit(BUCKETS))
    return _history(rows.where(bucket < int(BUCKETS / many)).toPandas())


def _history(rows: pd.DataFrame) -> History:
    parts = {what: rows[rows["what"] == what] for what in ("interaction", "issue", "redemption")}
    interactions = parts["interaction"].drop(columns=["what", "coupons", "id"])
    return History(
        interactions.assign(is_outcome=interactions["is_outcome"].astype(bool)),
        parts["issue"].rename(columns={"id": "campaign_id"})[
            ["user_id", "campaign_id", "timestamp", "coupons"]
        ],
        parts["redemption"].rename(columns={"id": "coupon_id"})[["user_id", "coupon_id", "timestamp"]],
    )


def _tasks(curated: Curated) -> int:
    """Return into how many parts users are divided so that each part's history fits into memory."""
    rows = curated.interactions.count() + curated.coupon_events.count()
    shuffles = int(curated.interactions.sparkSession.conf.get("spark.sql.shuffle.partitions"))
    return int(max(shuffles, rows // ROWS_PER_TASK))


def _told(rows: DataFrame, learnt: Learnt, offer: Offer, tasks: int) -> DataFrame:
    """Return what the model says of every user that anything is known of (EXPECTED_SCHEMA)."""
    names = offer.catalogue.coupons["coupon_id"].to_numpy(dtype=object)
    sizes = offer.sizes

    def tell(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        read = list(batches)
        if not sum(batch.num_rows for batch in read):
            return
        history = _history(pa.Table.from_batches(read).to_pandas())
        known = [part["user_id"] for part in (history.interactions, history.issues, history.redemptions)]
        users = sorted(set().union(*known))
        said = expectations(learnt, history, offer, users)
        covered = said.covered.assign(user=said.covered["pair"] // len(sizes)).sort_values(["user", "coupon"])
        ends = np.searchsorted(covered["user"].to_numpy(), np.arange(len(users) + 1))
        each = np.arange(len(users) + 1) * len(sizes)
        campaigns = pa.array(np.tile(sizes.index.to_numpy(dtype=object), len(users)), pa.string())
        yield pa.RecordBatch.from_arrays(
            [
                pa.array(users, pa.string()),
                _maps(each, campaigns, pa.array(said.expected, pa.float64())),
                _maps(each, campaigns, pa.array(said.per_weight, pa.float64())),
                _maps(
                    ends,
                    pa.array(names[covered["coupon"]], pa.string()),
                    pa.array(covered["occasions"], pa.int32()),
                ),
            ],
            names=["user_id", "expected", "per_weight", "occasions"],
        )

    return rows.repartition(tasks, "user_id").mapInArrow(tell, EXPECTED_SCHEMA)


def _maps(offsets: np.ndarray, keys: pa.Array, items: pa.Array) -> pa.MapArray:
    return pa.MapArray.from_arrays(pa.array(offsets, pa.int32()), keys, items)


def _constants(learnt: Learnt, sample: History, offer: Offer) -> pd.DataFrame:
    """Return what the pairs' formula takes of each coupon that is valid, a row a coupon."""
    coupons, sizes = offer.catalogue.coupons, offer.sizes
    nobody = of_nobody(learnt, sample, offer)
    users = sorted(set(sample.interactions["user_id"]) | set(sample.issues["user_id"]))
    covered = expectations(learnt, sample, offer, users).covered if users else nobody.covered
    mean, shape = purchase_priors(covered, len(users), len(coupons))
    oldest = sample.interactions["timestamp"].min() if len(sample.interactions) else offer.as_of - DAY
    seen_days = float(np.clip((offer.as_of - oldest) / DAY, 1, WINDOW_DAYS))
    campaign = coupons["campaign_id"]
    of_campaign = pd.DataFrame(
        {"expected": nobody.expected, "per_weight": nobody.per_weight}, index=sizes.index
    )
    rows = pd.DataFrame(
        {
            "coupon_id": coupons["coupon_id"],
            "campaign_id": campaign,
            "campaign_coupons": campaign.map(sizes).astype(float),
            "weight": learnt.weights.base(offer.catalogue),
            "nobody_expected": campaign.map(of_campaign["expected"]).astype(float),
            "nobody_per_weight": campaign.map(of_campaign["per_weight"]).astype(float),
            "shape": shape,
            # (seen + scale) / (seen + valid + scale), the NBD's chance of no purchase for each past one
            "none_bought": (seen_days + shape * seen_days / mean)
            / (seen_days + coupons["valid_days"].to_numpy() + shape * seen_days / mean),
        }
    )
    return rows[offer.is_valid]


def _pair_probabilities(
    pairs: DataFrame, told: DataFrame, constants: pd.DataFrame, learnt: Learnt
) -> DataFrame:
    schema = ", ".join(
        f"{name} {'string' if name in {'coupon_id', 'campaign_id'} else 'double'}"
        for name in constants.columns
    )
    rows = [tuple(row) for row in constants.itertuples(index=False)]
    known = pairs.sparkSession.createDataFrame(rows, schema)
    joined = pairs.join(F.broadcast(known), "coupon_id", "left").join(
        told.hint("shuffle_hash"), "user_id", "left"
    )
    occasions = F.coalesce(F.col("occasions")[F.col("coupon_id")], F.lit(0))
    weight = F.col("weight") * F.pow(1.0 + occasions, F.lit(learnt.weights.bought))
    by_history = weight * _of_campaign("per_weight")
    by_ranking = _of_campaign("expected") * F.col("score") * F.col("ranked") / F.col("campaign_coupons")
    # A coupon that is not valid is not redeemed.
    is_valid = F.col("weight").isNotNull()
    probability = F.when(is_valid, F.least(F.lit(1.0), (by_history + by_ranking) / 2)).otherwise(0.0)
    organic = F.coalesce(1 - F.pow(F.col("none_bought"), occasions + F.col("shape")), F.lit(0.0))
    return joined.select(
        "user_id",
        "coupon_id",
        "score",
        probability.alias("probability"),
        organic.alias("organic_probability"),
    )


def _of_campaign(name: str) -> Column:
    return F.coalesce(F.col(name)[F.col("campaign_id")], F.col(f"nobody_{name}"))
