"""Raise the NDCG of lists from the likeliest weights on: by its gradient, or by one weight after the other.

Measured on twelve data sets, the gradient finds better weights for the many views of histories (3.8% in the
mean), most of all where data is thin. For the few views of one item the coordinate ascent, which takes large
steps only, was as good or better on seven of eleven, by up to a tenth; worse by up to a twentieth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

Views = npt.NDArray[np.float32]
Weights = npt.NDArray[np.float64]
# Of weights, lists of views (lists, places, views) with the target in the first place, how many items each
# place stands for (lists, places), and of which views the weight is not below 0.
Climb = Callable[[Weights, Views, Views, Sequence[bool]], Weights]

# How far above a target a rival must be to count nearly whole, in logits.
_TEMPERATURE = 0.25
_RIDGE = 1e-4
_ROUNDS = 2
# Near ones: what is held out is a sample, and by 0 or 4 it has thrown out views that others needed.
_FACTORS = (0.5, 0.75, 1.33, 2.0)
# A change must gain this share, so that chance does not decide.
_LEAST_GAIN = 0.004
_DEPTH = 10


def by_gradient(likeliest: Weights, lists: Views, stands_for: Views, positive: Sequence[bool]) -> Weights:
    """Maximise the mean ApproxNDCG, the weights drawn to the likeliest ones (`Climb`).

    ApproxNDCG (Qin, Liu and Li 2010) counts a rival above the target by the logistic function of how far it
    is above, here as often as the rival stands for: 1 / log2(2 + rank) then has a gradient.
    """
    count, places, width = lists.shape
    ahead = (lists[:, 1:, :] - lists[:, :1, :]).reshape(-1, width)
    times = stands_for[:, 1:]

    def loss(weights: Weights) -> tuple[float, Weights]:
        distances = (ahead @ weights.astype(np.float32)).reshape(count, places - 1) / _TEMPERATURE
        above = expit(distances)
        ranks = (above * times).sum(axis=1)
        gains = 1.0 / np.log2(ranks + 2.0)
        slopes = gains * gains / ((ranks + 2.0) * np.log(2.0))
        of_rivals = (slopes[:, None] * times * above * (1.0 - above)).reshape(-1).astype(np.float32)
        return -float(gains.mean()), (of_rivals @ ahead) / (count * _TEMPERATURE)

    return least_loss(loss, likeliest, likeliest, _RIDGE, positive)


def by_coordinates(likeliest: Weights, lists: Views, stands_for: Views, positive: Sequence[bool]) -> Weights:
    """Multiply one weight after the other by what raises the NDCG at 10 (Metzler and Croft 2007; `Climb`).

    No weight changes its sign: `positive` holds by itself.
    """
    del positive
    best = likeliest.copy()
    scores = lists @ best.astype(np.float32)
    gain = _ndcg(scores, stands_for)
    for _ in range(_ROUNDS):
        before = gain
        for view in range(len(best)):
            part = lists[:, :, view] * np.float32(best[view])
            gains = [_ndcg(scores + np.float32(factor - 1.0) * part, stands_for) for factor in _FACTORS]
            winner = int(np.argmax(gains))
            if gains[winner] > gain * (1.0 + _LEAST_GAIN):
                gain = gains[winner]
                scores = scores + np.float32(_FACTORS[winner] - 1.0) * part
                best[view] *= _FACTORS[winner]
        if gain == before:
            break
    return best


def least_loss(
    loss: Callable[[Weights], tuple[float, Weights]],
    start: Weights,
    prior: Weights,
    ridge: float,
    positive: Sequence[bool],
) -> Weights:
    """Return where a loss, given with its gradient, plus ridge * |weights - prior|^2 is least.

    `positive`: of which weights no value below 0 is tried.
    """

    def drawn(weights: Weights) -> tuple[float, Weights]:
        value, gradient = loss(weights)
        apart = weights - prior
        return value + ridge * float(apart @ apart), gradient + 2 * ridge * apart

    bounds = [(0.0 if one else None, None) for one in positive]
    found = minimize(drawn, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 60})
    return np.asarray(found.x, dtype=np.float64)


def _ndcg(scores: Views, stands_for: Views) -> float:
    """Return the mean NDCG at 10 of the first places, rivals counted as often as they stand for."""
    rivals = scores[:, 1:]
    above = (rivals > scores[:, :1]) + 0.5 * (rivals == scores[:, :1])
    ranks = (above * stands_for[:, 1:]).sum(axis=1)
    return float(np.where(ranks < _DEPTH, 1.0 / np.log2(ranks + 2.0), 0.0).mean())
