"""Factors of items that are learned to predict the next one: a Markov chain of high order, factorised.

What a history says is x = sum over lags of decay[lag] * of_histories[item that far back], each dimension with
decays of its own; the next item is j with the probability softmax(x . of_items[j] + bias[j]). Fossil (He and
McAuley 2016) has the form, with one weight a lag; here it is learned by the softmax over sampled items,
corrected for how often each is in a sample (Bengio and Senecal 2008), and Adam (Kingma and Ba 2015), of which
only the rows that a batch touches are moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from localcloud.personalize.interactions import Float32s, Int32s, Int64s, InteractionLog

# Interactions further back are read by other views.
_MOST_LAGS = 20
_FIRST_DECAY = 5.0
_SPREAD = 0.05
_EPOCHS = 3
# Bounds the time; ten million interactions are not needed to learn some thousand items' factors.
_MOST_EXAMPLES = 2_000_000
_BATCH = 1_024
_SMALLEST_BATCH = 64
_BATCHES_OF_EPOCH = 64
_SAMPLED = 512
# The share of a history that an example does without: what is learned must not hang on a single item.
_DROPPED = 0.1
_RATE = 0.01
_LEAST_RATE = 0.02
# An update goes over the newest interactions once.
_UPDATE_EXAMPLES = 500_000
# Adam's own defaults.
_DECAY_OF_MEANS = (0.9, 0.999)
_LEAST_SIZE = 1e-8
_RIDGE = 1e-5


@dataclass(frozen=True)
class NextFactors:
    """`of_histories` (items, rank), `of_items` (items, rank + 1), the bias last, and `lags` (lags, rank)."""

    of_histories: Float32s
    of_items: Float32s
    lags: Float32s


def next_profiles(histories: Sequence[Int32s], of_histories: Float32s, lags: Float32s) -> Float32s:
    """Return x of each history, oldest item first, and 1 for the bias: shape (histories, rank + 1)."""
    items = np.full((len(histories), len(lags)), -1, dtype=np.int32)
    for row, history in zip(items, histories, strict=True):
        newest = history[-len(lags) :][::-1]
        row[: len(newest)] = newest
    return _with_one(items, of_histories, lags)


def learn_next_factors(
    log: InteractionLog, weights: Float32s, item_count: int, *, rank: int, lags: int, seed: int
) -> NextFactors:
    """Return factors that read at most `lags` interactions; `weights`: how much each counts as a target."""
    random = np.random.default_rng(seed)
    lags = min(lags, _MOST_LAGS)
    learner = _Learner(
        random.normal(0, _SPREAD, (item_count, rank)).astype(np.float32),
        np.hstack([random.normal(0, _SPREAD, (item_count, rank)), np.zeros((item_count, 1))]),
        np.repeat(-np.arange(lags)[:, None] / _FIRST_DECAY, rank, axis=1),
    )
    examples = _Examples(log, weights, item_count, lags)
    learner.learn(examples, min(_EPOCHS * len(examples.rows), _MOST_EXAMPLES), random)
    return learner.found()


def update_next_factors(
    known: NextFactors, new: npt.NDArray[np.bool_], log: InteractionLog, weights: Float32s, seed: int
) -> NextFactors:
    """Return known factors with those of the marked new items learned from the newest interactions.

    The other items stay where they are: going over some interactions once more made them worse (by 1 to 7% on
    two data sets).
    """
    if not new.any():
        return known
    of_items = np.array(known.of_items)
    if not new.all():
        of_items[new, -1] = np.median(of_items[~new, -1])
    learner = _Learner(known.of_histories, of_items, np.log(np.maximum(known.lags, 1e-9)), new)
    newest = np.argsort(log.timestamps, kind="stable")[-_UPDATE_EXAMPLES:]
    examples = _Examples(log, weights, len(known.of_items), len(known.lags), among=newest)
    learner.learn(examples, len(examples.rows), np.random.default_rng(seed))
    return learner.found()


class _Examples:
    """Interactions that have one before them, as what is to be predicted."""

    def __init__(
        self,
        log: InteractionLog,
        weights: Float32s,
        item_count: int,
        lags: int,
        among: Int64s | None = None,
    ) -> None:
        self._items = np.asarray(log.items, dtype=np.int32)
        self._starts = log.offsets[:-1][log.users]
        self._lags = np.arange(1, lags + 1)
        rows = np.arange(len(log)) if among is None else among
        self.rows: Int64s = rows[rows > self._starts[rows]]
        self.weights = weights / max(float(weights[self.rows].mean()), 1e-9) if len(self.rows) else weights
        self.batch = int(np.clip(len(self.rows) // _BATCHES_OF_EPOCH, _SMALLEST_BATCH, _BATCH))
        self.batch = min(self.batch, len(self.rows))
        self.item_count = item_count

    def batches(self, count: int, random: np.random.Generator) -> Iterator[Int64s]:
        """Yield `count` batches of rows: all of them in a random order, then in another one."""
        order, place = random.permutation(self.rows), 0
        for _ in range(count):
            if place + self.batch > len(order):
                order, place = random.permutation(self.rows), 0
            yield order[place : place + self.batch]
            place += self.batch

    def histories(self, rows: Int64s, random: np.random.Generator) -> Int32s:
        """Return the items before each row, the newest first, -1 where there is none or it is left out."""
        places = rows[:, None] - self._lags
        read = places >= self._starts[rows][:, None]
        read &= random.random(places.shape) >= _DROPPED
        return np.where(read, self._items[np.maximum(places, 0)], np.int32(-1))

    def targets(self, rows: Int64s) -> Int32s:
        """Return the item of each row."""
        return self._items[rows]

    def log_inclusion(self) -> Float32s:
        """Return the logarithm of each item's chance to be among those of a batch: its targets and others."""
        shares = np.bincount(self._items[self.rows], minlength=self.item_count) / len(self.rows)
        missed = self.batch * np.log1p(-np.minimum(shares, 1 - 1e-9))
        missed += _SAMPLED * np.log1p(-1 / max(self.item_count, 2))
        result: Float32s = np.log(-np.expm1(missed)).astype(np.float32)
        return result


class _Learner:
    """The parameters, and how a batch moves them: all, or only those of the items that `moving` marks."""

    def __init__(
        self,
        of_histories: Float32s,
        of_items: npt.ArrayLike,
        log_lags: npt.ArrayLike,
        moving: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        self._moving = moving
        self._histories = _Moved(of_histories)
        self._items = _Moved(of_items)
        self._lags = _Moved(log_lags)
        self._slopes = np.zeros_like(self._histories.values)

    def found(self) -> NextFactors:
        """Return the factors learned so far."""
        return NextFactors(self._histories.values, self._items.values, np.exp(self._lags.values))

    def learn(self, examples: _Examples, count: int, random: np.random.Generator) -> None:
        """Go over `count` examples, in steps that grow smaller."""
        if len(examples.rows) == 0 or examples.item_count < 2:  # noqa: PLR2004 - nothing to tell apart
            return
        log_inclusion = examples.log_inclusion()
        batches = max(count // examples.batch, 1)
        for step, rows in enumerate(examples.batches(batches, random)):
            rate = _RATE * max(1 - step / batches, _LEAST_RATE)
            drawn = random.integers(0, examples.item_count, _SAMPLED, dtype=np.int32)
            self._step(examples, rows, drawn, log_inclusion, rate, random)

    def _step(  # noqa: PLR0917 - the parts of one batch
        self,
        examples: _Examples,
        rows: Int64s,
        drawn: Int32s,
        log_inclusion: Float32s,
        rate: float,
        random: np.random.Generator,
    ) -> None:
        """Move the parameters along the gradient of the mean log likelihood of the rows' items."""
        histories, targets = examples.histories(rows, random), examples.targets(rows)
        competing, own = np.unique(np.concatenate([targets, drawn]), return_inverse=True)
        own = own[: len(targets)]
        lags = np.exp(self._lags.values)
        profiles = _with_one(histories, self._histories.values, lags)
        of_items = self._items.values[competing]
        surplus = _surplus(profiles @ of_items.T, own, log_inclusion[competing])
        surplus *= (examples.weights[rows] / np.float32(len(rows)))[:, None]
        of_profiles = np.ascontiguousarray((surplus @ of_items)[:, :-1])
        of_lags = np.zeros_like(lags)
        touched = _slopes(histories, self._histories.values, lags, of_profiles, self._slopes, of_lags)
        of_competing = surplus.T @ profiles
        if self._moving is None:
            self._lags.move(np.arange(len(lags)), of_lags * lags, rate, 0.0)
        else:
            touched, moved = touched[self._moving[touched]], self._moving[competing]
            competing, of_competing = competing[moved], of_competing[moved]
        self._histories.move(touched, self._slopes[touched], rate, _RIDGE)
        self._items.move(competing, of_competing, rate, _RIDGE)


class _Moved:
    """A parameter and the running means of its slopes and of their squares."""

    def __init__(self, values: npt.ArrayLike) -> None:
        self.values = np.array(values, dtype=np.float32)
        self._mean = np.zeros_like(self.values)
        self._square = np.zeros_like(self.values)
        self._steps = 0

    def move(self, rows: npt.NDArray[np.integer[Any]], slopes: Float32s, rate: float, ridge: float) -> None:
        """Move some rows by Adam, against their slopes."""
        self._steps += 1
        unbiased = [1 - decay**self._steps for decay in _DECAY_OF_MEANS]
        size = np.float32(rate / unbiased[0] * np.sqrt(unbiased[1]))
        _move(self.values, self._mean, self._square, rows, slopes, size, np.float32(ridge))


def _with_one(histories: Int32s, of_histories: Float32s, lags: Float32s) -> Float32s:
    """Return x of each history, and 1."""
    result = np.ones((len(histories), lags.shape[1] + 1), dtype=np.float32)
    _read(histories, of_histories, lags, result)
    return result


def _surplus(logits: Float32s, own: npt.NDArray[np.intp], log_inclusion: Float32s) -> Float32s:
    """Return the softmax of each row less 1 at its own item, in the place of the logits.

    An item stands for all that were left out as seldom as it; the own one was sure to be there.
    """
    rows = np.arange(len(own))
    logits -= log_inclusion
    logits[rows, own] += log_inclusion[own]
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=1, keepdims=True)
    logits[rows, own] -= 1
    return logits


def _read_histories(histories: Int32s, of_histories: Float32s, lags: Float32s, result: Float32s) -> None:
    """Write x of each history (rows, lags), -1 being no item."""
    for row in range(len(histories)):
        result[row, : lags.shape[1]] = 0
        for lag in range(lags.shape[0]):
            item = histories[row, lag]
            if item >= 0:
                for place in range(lags.shape[1]):
                    result[row, place] += lags[lag, place] * of_histories[item, place]


def _slopes_of_histories(  # noqa: PLR0917 - a compiled loop over arrays
    histories: Int32s,
    of_histories: Float32s,
    lags: Float32s,
    of_profiles: Float32s,
    slopes: Float32s,
    of_lags: Float32s,
) -> Int32s:
    """Write the slopes of the histories' items, add up those of the lags; return the items."""
    seen = np.zeros(len(of_histories), dtype=np.bool_)
    touched = np.empty(min(histories.size, len(of_histories)), dtype=np.int32)
    number = 0
    for row in range(len(histories)):
        for lag in range(lags.shape[0]):
            item = histories[row, lag]
            if item < 0:
                continue
            if not seen[item]:
                seen[item] = True
                touched[number] = item
                number += 1
                slopes[item] = 0
            for place in range(lags.shape[1]):
                slopes[item, place] += lags[lag, place] * of_profiles[row, place]
                of_lags[lag, place] += of_histories[item, place] * of_profiles[row, place]
    return touched[:number]


def _move_rows(  # noqa: PLR0917 - a compiled loop over arrays
    values: Float32s,
    mean: Float32s,
    square: Float32s,
    rows: npt.NDArray[np.integer[Any]],
    slopes: Float32s,
    size: np.float32,
    ridge: np.float32,
) -> None:
    first, second = np.float32(_DECAY_OF_MEANS[0]), np.float32(_DECAY_OF_MEANS[1])
    least = np.float32(_LEAST_SIZE)
    for place in range(len(rows)):
        row = rows[place]
        for column in range(values.shape[1]):
            slope = slopes[place, column] + ridge * values[row, column]
            mean[row, column] = first * mean[row, column] + (np.float32(1) - first) * slope
            square[row, column] = second * square[row, column] + (np.float32(1) - second) * slope * slope
            values[row, column] -= size * mean[row, column] / (np.sqrt(square[row, column]) + least)


_compile = numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
_read: Callable[..., None] = _compile(_read_histories)
_slopes: Callable[..., Int32s] = _compile(_slopes_of_histories)
_move: Callable[..., None] = _compile(_move_rows)
