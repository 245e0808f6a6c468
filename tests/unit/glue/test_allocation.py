"""No campaign breaks a limit, and none is worth less than 99% of the best one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import LinearConstraint, milp
from targeting.allocation import Allocation, allocate
from targeting.dual import bound_at, lowest_bound
from targeting.market import Market, Prices

ONLY_PRICES = -1
PROPERTY = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}


def market(
    *, users: int, coupons: int, cap: int, seed: int, budget_share: float = 0.2, stock_share: float = 0.1
) -> Market:
    """A random campaign: users like coupons more or less, coupons differ in cost, some pairs are missing."""
    random = np.random.default_rng(seed)
    liking = random.normal(size=(users, 1)) + random.normal(size=(1, coupons)) / 2
    value = 1 / (1 + np.exp(3 - liking - random.normal(size=(users, coupons))))
    value[random.random(value.shape) < 0.1] = -np.inf
    cost = random.choice([0.1, 1.0, 50.0, 99.9], size=coupons)
    stock = np.ceil(random.uniform(0, 2 * stock_share, coupons) * users)
    stock[random.random(coupons) < 0.3] = np.inf
    return Market(
        value=value.astype(np.float32),
        coupon=np.tile(np.arange(coupons, dtype=np.int16), (users, 1)),
        cost=cost,
        stock=np.maximum(stock, 1),
        cap=cap,
        budget=max(0.1, budget_share * users * cap * float(cost.mean())),
    )


small_markets = st.builds(
    market,
    users=st.integers(1, 14),
    coupons=st.integers(1, 5),
    cap=st.integers(1, 3),
    seed=st.integers(0, 2**32 - 1),
    budget_share=st.floats(0.001, 1.2),
    stock_share=st.floats(0.01, 1),
)
markets = st.builds(
    market,
    users=st.integers(60, 250),
    coupons=st.integers(2, 8),
    cap=st.integers(1, 3),
    seed=st.integers(0, 2**32 - 1),
    budget_share=st.floats(0.05, 1),
    stock_share=st.floats(0.02, 0.5),
)


def check_limits(asked: Market, found: Allocation) -> None:
    chosen = found.chosen
    assert np.all(asked.value[chosen] > 0), "no pair that is missing or worth nothing"
    assert float(asked.cost[asked.coupon[chosen]].sum()) <= asked.budget * (1 + 1e-9)
    assert np.all(np.bincount(asked.coupon[chosen], minlength=len(asked.cost)) <= asked.stock)
    assert np.all(chosen.sum(axis=1) <= asked.cap)
    assert found.worth == pytest.approx(float(asked.value[chosen].sum()), rel=1e-5, abs=1e-6)
    assert found.worth <= found.bound * (1 + 1e-6) + 1e-9


def optimum(asked: Market, proved_within: float = 0) -> float | None:
    """What the best campaign is worth, by a formulation of its own: all pairs are in, missing ones at 0."""
    users, coupons = asked.value.shape
    value = np.where(np.isfinite(asked.value), asked.value, 0).astype(float).ravel()
    of_user = sparse.kron(sparse.eye(users), np.ones((1, coupons)))
    of_coupon = sparse.kron(np.ones((1, users)), sparse.eye(coupons))
    result = milp(
        -value / value.max() if value.max() > 0 else -value,
        integrality=np.ones(value.size),
        bounds=(0, 1),
        constraints=[
            LinearConstraint(sparse.csr_array(of_user), ub=asked.cap),
            LinearConstraint(sparse.csr_array(of_coupon), ub=asked.stock),
            LinearConstraint(np.tile(asked.cost, users)[None, :] / asked.budget, ub=1),
        ],
        options={"time_limit": 5, "mip_rel_gap": proved_within},
    )
    return float(value @ np.round(result.x)) if result.status == 0 else None


@settings(max_examples=1000, **PROPERTY)
@given(small_markets)
def test_a_thousand_campaigns_stay_within_their_limits_and_are_the_best_there_are(asked: Market) -> None:
    found = allocate(asked)
    check_limits(asked, found)
    best = optimum(asked)
    assert best is None or found.worth >= 0.99 * best - 1e-6


@settings(max_examples=100, **PROPERTY)
@given(small_markets)
def test_what_is_made_from_prices_stays_within_limits_and_bound_however_small(asked: Market) -> None:
    found = allocate(asked, exact_pairs=ONLY_PRICES)
    assert found.method == "lagrangian"
    check_limits(asked, found)
    best = optimum(asked)
    assert best is None or found.bound >= best * (1 - 1e-6) - 1e-6


@settings(max_examples=40, **PROPERTY)
@given(markets)
def test_what_is_made_from_prices_is_within_the_gap_that_it_claims(asked: Market) -> None:
    found = allocate(asked, exact_pairs=ONLY_PRICES)
    check_limits(asked, found)
    best = optimum(asked)
    if best is not None:
        assert best * (1 - 1e-6) <= found.bound
        assert found.worth >= best * (1 - found.gap) * (1 - 1e-6)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("cap", [1, 3])
def test_a_campaign_beyond_the_exact_method_is_within_one_percent_of_the_optimum(seed: int, cap: int) -> None:
    asked = market(users=800, coupons=8, cap=cap, seed=seed)
    assert asked.pairs > 5000
    found = allocate(asked)
    check_limits(asked, found)
    best = optimum(asked, proved_within=0.001)
    assert best is not None
    assert found.method == "lagrangian"
    assert found.gap <= 0.01
    assert found.worth >= 0.99 * best / (1 - 0.001)


def test_the_same_campaign_is_chosen_again() -> None:
    for exact_pairs in (ONLY_PRICES, 5000):
        first, second = (
            allocate(market(users=80, coupons=6, cap=2, seed=5), exact_pairs=exact_pairs) for _ in range(2)
        )
        assert np.array_equal(first.chosen, second.chosen)
        assert first.prices.of_budget == second.prices.of_budget


def test_prices_of_a_sample_are_near_those_of_all() -> None:
    asked = market(users=20_000, coupons=12, cap=2, seed=3)
    sample = lowest_bound(asked.some(np.arange(0, 20_000, 10), 0.1))
    at_sample_prices, _ = bound_at(asked, sample.prices)
    assert at_sample_prices <= 1.02 * lowest_bound(asked).value


def test_any_prices_give_a_bound() -> None:
    asked = market(users=12, coupons=4, cap=2, seed=8)
    best = allocate(asked).worth
    random = np.random.default_rng(1)
    stock_price = np.where(np.isfinite(asked.stock), random.random(4) / 10, 0)
    for of_budget in (0.0, 0.001, 0.1, 5.0):
        assert bound_at(asked, Prices(of_budget, stock_price))[0] >= best


def test_nobody_worth_a_coupon_is_an_empty_campaign() -> None:
    asked = market(users=4, coupons=2, cap=1, seed=1)
    nothing = Market(np.full_like(asked.value, -np.inf), asked.coupon, asked.cost, asked.stock, 1, 10.0)
    found = allocate(nothing)
    assert (found.worth, found.bound, found.gap, found.chosen.any()) == (0.0, 0.0, 0.0, False)
