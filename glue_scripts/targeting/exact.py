"""The optimum itself, by branch and bound (HiGHS), where there are few pairs."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from targeting.market import Bools, Market

# A limit on nodes, not on time: the same input must give the same campaign on any machine.
MOST_NODES = 5_000
_SOLVED = 0


def best_choice(market: Market) -> Bools | None:
    """Return the best choice (users, slots), or None when it is not proved within the limit of nodes."""
    users, slots = np.nonzero(market.value > 0)
    chosen = np.zeros(market.value.shape, dtype=bool)
    if not len(users):
        return chosen
    value = market.value[users, slots].astype(np.float64)
    result = milp(
        # The solver's tolerances are absolute: probabilities of a thousandth would be lost in them.
        c=-value / value.max(),
        constraints=_limits(market, users, market.coupon[users, slots]),
        integrality=np.ones(len(users)),
        bounds=Bounds(0, 1),
        options={"node_limit": MOST_NODES, "mip_rel_gap": 0},
    )
    if result.status != _SOLVED:
        return None
    taken = result.x > 0.5  # noqa: PLR2004 - the solver's ones and zeros are floats
    chosen[users[taken], slots[taken]] = True
    return chosen if market.spent(chosen) <= market.spendable else None


def _limits(market: Market, users: np.ndarray, coupons: np.ndarray) -> list[LinearConstraint]:
    pairs = np.arange(len(users))
    cost = market.cost[coupons]
    limits = [LinearConstraint(sparse.csr_array(cost[None, :] / market.budget), ub=1 + 1e-9)]
    limited, coupon_row = np.unique(coupons, return_inverse=True)
    for row, ub in ((users, np.full(market.users, market.cap)), (coupon_row, market.stock[limited])):
        counted = sparse.csr_array((np.ones(len(pairs)), (row, pairs)), shape=(len(ub), len(pairs)))
        limits.append(LinearConstraint(counted, ub=ub))
    return limits
