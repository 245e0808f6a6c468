"""Pairs as numpy arrays, some thousands of users together: what Spark hands to the allocation."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame

from targeting.limits import CampaignError

NO_COUPON = -1
BLOCK_SCHEMA = "users bigint, pairs bigint, block binary"
PAIR_COLUMNS = ("user_id", "coupon_id", "probability", "organic_probability")
_FLOATS = ("probability", "organic")


@dataclass(frozen=True)
class Block:
    """Users (users,), their draws (users,) in [0, 1), and their pairs (users, slots).

    `coupon` is the place in the campaign's list of coupons, NO_COUPON in a slot without a pair.
    """

    users: list[str]
    draw: NDArray[np.float64]
    coupon: NDArray[np.int16]
    probability: NDArray[np.float32]
    organic: NDArray[np.float32]

    @property
    def pairs(self) -> int:
        """How many pairs there are."""
        return int(np.count_nonzero(self.coupon != NO_COUPON))

    def to_bytes(self) -> bytes:
        """Return the block as bytes."""
        file = io.BytesIO()
        names = np.frombuffer(json.dumps(self.users).encode(), dtype=np.uint8)
        np.savez(
            file,
            names=names,
            draw=self.draw,
            coupon=self.coupon,
            probability=self.probability,
            organic=self.organic,
        )
        return file.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Block:
        """Read what `to_bytes` wrote."""
        with np.load(io.BytesIO(content)) as arrays:
            users = json.loads(arrays["names"].tobytes())
            return cls(users, *(arrays[name] for name in ("draw", "coupon", *_FLOATS)))

    def of(self, users: NDArray[np.integer] | NDArray[np.bool_]) -> Block:
        """Return the block of some of its users."""
        chosen = np.arange(len(self.users))[users]
        return Block(
            [self.users[user] for user in chosen.tolist()],
            self.draw[chosen],
            self.coupon[chosen],
            self.probability[chosen],
            self.organic[chosen],
        )

    def slots(self, best: NDArray[np.integer]) -> Block:
        """Return the block with some slots (users, fewer slots) of each user."""
        values = (self.coupon, self.probability, self.organic)
        return Block(self.users, self.draw, *(np.take_along_axis(of, best, axis=1) for of in values))


def joined(blocks: Iterable[Block]) -> Block:
    """Return one block of all users of some blocks."""
    all_blocks = list(blocks)
    slots = max((block.coupon.shape[1] for block in all_blocks), default=1)

    def padded(name: str, fill: float, kind: type) -> NDArray[np.generic]:
        rows = sum(len(block.users) for block in all_blocks)
        whole = np.full((rows, slots), fill, dtype=kind)
        start = 0
        for block in all_blocks:
            part = getattr(block, name)
            whole[start : start + len(part), : part.shape[1]] = part
            start += len(part)
        return whole

    return Block(
        [user for block in all_blocks for user in block.users],
        np.concatenate([block.draw for block in all_blocks]) if all_blocks else np.zeros(0),
        padded("coupon", NO_COUPON, np.int16),
        padded("probability", 0, np.float32),
        padded("organic", 0, np.float32),
    )


def draws(users: Iterable[str], seed: int) -> NDArray[np.float64]:
    """Return for each user a number in [0, 1) that the seed and the user's id alone decide."""
    key = str(seed).encode()[:64]
    numbers = [
        int.from_bytes(hashlib.blake2b(user.encode(), digest_size=6, key=key).digest()) for user in users
    ]
    return np.array(numbers, dtype=np.float64) / 2.0**48


def packed(pairs: DataFrame, coupon_ids: list[str], seed: int) -> DataFrame:
    """Return a block a partition of pairs (PAIR_COLUMNS), which has all pairs of its users."""

    def pack(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        filled = [batch for batch in batches if batch.num_rows]
        if not filled:
            return
        block = block_of(pa.Table.from_batches(filled), coupon_ids, seed)
        yield pa.RecordBatch.from_pydict(
            {"users": [len(block.users)], "pairs": [block.pairs], "block": [block.to_bytes()]}
        )

    return pairs.select(*PAIR_COLUMNS).mapInArrow(pack, BLOCK_SCHEMA)


def block_of(table: pa.Table, coupon_ids: list[str], seed: int) -> Block:
    """Return the block of a table of pairs (PAIR_COLUMNS), users and their coupons in order."""
    user_column = table["user_id"].combine_chunks().dictionary_encode()
    coupon_column = table["coupon_id"].combine_chunks().dictionary_encode()
    place = {coupon: index for index, coupon in enumerate(coupon_ids)}
    names = user_column.dictionary.to_pylist()
    order_of_names = sorted(range(len(names)), key=names.__getitem__)
    rank = np.empty(len(names), dtype=np.int64)
    rank[order_of_names] = np.arange(len(names))
    user = rank[user_column.indices.to_numpy()]
    ranked = coupon_column.dictionary.to_pylist()
    if not place.keys() >= set(ranked):
        raise CampaignError(f"ranked, but not among the input's coupons: {sorted(set(ranked) - set(place))}")
    coupons = np.array([place[coupon] for coupon in ranked], dtype=np.int16)
    coupon = coupons[coupon_column.indices.to_numpy()]
    order = np.lexsort((coupon, user))
    user = user[order]
    slot = np.arange(len(user)) - np.searchsorted(user, np.arange(len(names)))[user]
    shape = (len(names), int(slot.max()) + 1)
    users = [names[index] for index in order_of_names]
    filled = [
        np.full(shape, NO_COUPON, dtype=np.int16),
        *(np.zeros(shape, dtype=np.float32) for _ in _FLOATS),
    ]
    values = [coupon, table["probability"].to_numpy(), table["organic_probability"].to_numpy()]
    for into, of in zip(filled, values, strict=True):
        into[user, slot] = of[order]
    return Block(users, draws(users, seed), *filled)
