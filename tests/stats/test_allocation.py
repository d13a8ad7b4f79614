"""Allocation over concave curves: by hand, against scipy's SLSQP, and at the limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from wayfare.errors import InvalidParameter
from wayfare.stats.allocation import Curves, allocate


def curves_of(scale, exponent, today):
    return Curves(*(np.asarray(part, dtype=float) for part in (scale, exponent, today)))


def test_two_square_roots_by_hand():
    # Gains 2a(√x − 1) at today's 1 each: marginals 3/√x and 4/√y are equal at x : y = 9 : 16, of 25.
    found = allocate(curves_of([3, 4], [0.5, 0.5], [1, 1]), 25.0, [0, 0], [100, 100])
    assert found.amounts == pytest.approx([9, 16])
    assert found.multiplier == pytest.approx(1)
    assert found.gain == pytest.approx(2 * 3 * (3 - 1) + 2 * 4 * (4 - 1))
    assert found.unspent == pytest.approx(0)


def test_a_logarithm_and_what_saturates():
    # a·ln(x) has the marginal a/x: shares as the scales. 1 − 1/x never gains more than 1.
    assert allocate(curves_of([1, 3], [0, 0], [1, 1]), 8.0, [0.1] * 2, [9, 9]).amounts == pytest.approx(
        [2, 6]
    )
    saturating = curves_of([2.0], [-2.0], [10.0])
    assert saturating.gain([10.0]) == pytest.approx([0])
    assert saturating.gain([20.0]) == pytest.approx([1 - 0.25])
    assert saturating.gain([1e9]) == pytest.approx([1])


def test_marginals_are_the_slopes_of_the_gains():
    curves = curves_of([2, 3, 4, 0], [0.4, -0.6, 0, 0.5], [5, 6, 7, 8])
    at, step = np.array([4.0, 9.0, 7.5, 3.0]), 1e-6
    slopes = (curves.gain(at + step) - curves.gain(at - step)) / (2 * step)
    assert curves.marginal(at) == pytest.approx(slopes, rel=1e-6)


def test_limits_hold_and_the_rest_goes_on():
    found = allocate(curves_of([3, 4, 1], [0.5] * 3, [1] * 3), 25.0, [0, 0, 2], [100, 10, 100])
    assert found.amounts[1] == 10
    assert found.amounts[2] == 2
    assert found.amounts.sum() == pytest.approx(25)


def test_more_than_can_be_used_stays_unspent():
    found = allocate(curves_of([3, 0], [0.5, 0.5], [1, 1]), 25.0, [0, 1], [10, 10])
    assert found.amounts == pytest.approx([10, 1])
    assert (found.unspent, found.multiplier) == (14, 0)


def test_nothing_to_divide():
    found = allocate(curves_of([], [], []), 5.0, [], [])
    assert (found.gain, found.unspent) == (0, 5)


@pytest.mark.parametrize(
    ("curves", "budget", "low", "high"),
    [
        (curves_of([1, 1], [0.5] * 2, [1, 1]), 1.0, [1, 1], [2, 2]),
        (curves_of([1], [0.5], [1]), 5.0, [2], [1]),
        (curves_of([1], [0.5], [1]), 5.0, [-1], [1]),
        (curves_of([1], [1.0], [1]), 5.0, [0], [1]),
        (curves_of([1], [0.5], [0]), 5.0, [0], [1]),
    ],
)
def test_what_cannot_be_is_refused(curves, budget, low, high):
    with pytest.raises(InvalidParameter):
        allocate(curves, budget, low, high)


def random_problem(seed, n):
    rng = np.random.default_rng(seed)
    today, scale = rng.uniform(1, 10, n), rng.uniform(0.5, 5, n)
    exponent = np.where(rng.random(n) < 0.5, rng.uniform(0.1, 0.8, n), -rng.uniform(0.1, 0.8, n))
    low, high = today * rng.uniform(0.2, 0.8, n), today * rng.uniform(1.2, 3, n)
    return curves_of(scale, exponent, today), today.sum() * rng.uniform(0.9, 1.2), low, high


@given(seed=st.integers(0, 10_000), n=st.integers(2, 25))
@settings(max_examples=25)
def test_it_is_the_optimum_of_slsqp(seed, n):
    curves, budget, low, high = random_problem(seed, n)
    found = allocate(curves, budget, low, high)
    other = minimize(
        lambda x: -curves.gain(x).sum(),
        np.clip(curves.today, low, high),
        jac=lambda x: -curves.marginal(x),
        bounds=list(zip(low, high, strict=True)),
        constraints={"type": "ineq", "fun": lambda x: budget - x.sum(), "jac": lambda x: -np.ones(x.size)},
        method="SLSQP",
        options={"ftol": 1e-13, "maxiter": 1_000},
    )
    assert found.gain == pytest.approx(-other.fun, rel=1e-7, abs=1e-7)
    assert found.gain >= -other.fun - 1e-9
    assert found.amounts.sum() <= budget * (1 + 1e-12)
    assert (found.amounts >= low - 1e-12).all()
    assert (found.amounts <= high + 1e-12).all()


def test_draws_are_solved_together():
    problems = [random_problem(seed, 6) for seed in range(8)]
    budget, low, high = problems[0][1:]
    today = problems[0][0].today
    scale, exponent = (np.array([getattr(p[0], name) for p in problems]) for name in ("scale", "exponent"))
    together = allocate(Curves(scale, exponent, today), budget, low, high)
    for row, (a, k) in enumerate(zip(scale, exponent, strict=True)):
        assert together.amounts[row] == pytest.approx(
            allocate(Curves(a, k, today), budget, low, high).amounts
        )
