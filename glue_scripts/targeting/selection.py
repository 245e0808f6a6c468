"""From packed pairs to who is sent what, and which of the control group would have been.

Few pairs are all brought together. Of many, a sample of users sets prices first; by these every user keeps no
more pairs than may still be chosen, and those are brought together; the bound is that of all pairs again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import TypeVar

import numpy as np
from pyspark.sql import DataFrame

from targeting.allocation import Allocation, allocate, near
from targeting.blocks import Block, joined
from targeting.dual import Bound, bound_at, lowest_bound
from targeting.limits import CampaignError
from targeting.market import Bools, Market, Prices, demanded
from targeting.offers import Worth
from targeting.survey import Totals, survey

TOGETHER_PAIRS = 2_000_000
SAMPLE_PAIRS = 2_000_000
# What a user may still be given when the prices of a sample turn out a little wrong.
SPARE_SLOTS = 6
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Selection:
    """Users and their kept pairs; of these (users, slots) what is `sent`, what the control `would` get."""

    block: Block
    sent: Bools
    would: Bools
    allocation: Allocation
    totals: Totals


def select(blocks: DataFrame, worth: Worth, *, together_pairs: int = TOGETHER_PAIRS) -> Selection:
    """Choose within the settings' limits. `blocks` is what `packed` returns, kept by the caller.

    Raises CampaignError when there are no pairs.
    """
    pairs = sum(row["pairs"] for row in blocks.select("pairs").collect())
    if not pairs:
        raise CampaignError("no user has a ranked coupon: is the audience empty?")
    if pairs <= together_pairs:
        block = joined(_of_each(blocks, lambda block: block))
        return _selected(block, worth, survey(block, worth), allocate(_treated(block, worth)))
    share = SAMPLE_PAIRS / pairs
    surveyed = _of_each(blocks, lambda block: (survey(block, worth), _sampled(block, share)))
    totals = reduce(add, (one for one, _ in surveyed))
    sample = joined(block for _, block in surveyed)
    sampled_share = len(sample.users) / totals.users
    market = _treated(sample, worth)
    prices = lowest_bound(market.some(np.arange(market.users), sampled_share)).prices
    block = joined(_of_each(blocks, lambda block: pruned(block, worth, prices)))
    return _selected(block, worth, totals, _allocated(blocks, block, worth, prices))


def pruned(block: Block, worth: Worth, prices: Prices, spare: int = SPARE_SLOTS) -> Block:
    """Return a block with the slots of each user that are worth most after the prices."""
    wanted = worth.settings.coupons_per_user + spare
    if block.coupon.shape[1] <= wanted:
        return block
    left = worth.of(block) - prices.of_coupons(worth.offers.cost).astype(np.float32)[block.coupon]
    best = np.sort(np.argpartition(-left, wanted - 1, axis=1)[:, :wanted], axis=1)
    return block.slots(best)


def _allocated(blocks: DataFrame, block: Block, worth: Worth, start: Prices) -> Allocation:
    """Allocate what was kept, and prove it against all that there was."""
    market = _treated(block, worth)
    prices = lowest_bound(market, start).prices

    def taken_alone(part: Block) -> float:
        # Without the limits' own part, which is counted once for all.
        free = replace(_treated(part, worth), budget=0.0, stock=np.full(len(worth.offers.cost), np.inf))
        return bound_at(free, prices)[0]

    limited = np.isfinite(market.stock)
    limits = prices.of_budget * market.budget + float(prices.of_stock[limited] @ market.stock[limited])
    return near(market, Bound(limits + sum(_of_each(blocks, taken_alone)), prices))


def _selected(block: Block, worth: Worth, totals: Totals, allocation: Allocation) -> Selection:
    is_control = worth.is_control(block)
    sent = np.zeros(block.coupon.shape, dtype=bool)
    sent[~is_control] = allocation.chosen
    would = np.zeros(block.coupon.shape, dtype=bool)
    would[is_control] = demanded(worth.market(block.of(is_control)), allocation.prices)
    return Selection(block, sent, would, allocation, totals)


def _treated(block: Block, worth: Worth) -> Market:
    return worth.market(block.of(~worth.is_control(block)))


def _sampled(block: Block, share: float) -> Block:
    """Return the users of a sample that has nothing to do with who is in the control group."""
    return block.of((block.draw * 1e6) % 1 < share)


def _of_each(blocks: DataFrame, task: Callable[[Block], Answer]) -> list[Answer]:
    return list(blocks.select("block").rdd.map(lambda row: task(Block.from_bytes(bytes(row[0])))).collect())
