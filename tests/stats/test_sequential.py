"""Confidence sequences against GrowthBook's vector, a hand calculation, and a thousand experiments watched all along."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wayfare.errors import InvalidParameter
from wayfare.stats.intervals import z_of
from wayfare.stats.proportions import wilson
from wayfare.stats.sequential import (
    Sums,
    count_sequence,
    difference_sequence,
    mean_sequence,
    rate_sequence,
    ratio_sequence,
)

# GrowthBook, packages/stats/tests/frequentist/test_tests.py, test_sequential_test_runs.
A, B = Sums(1396.87, 52377.9767, 3000), Sums(2422.7, 134698.29, 3461)


def test_the_relative_difference_is_growthbooks():
    found = difference_sequence(A, B, relative=True, tuned_at=1000)
    assert [round(part, 5) for part in (found.estimate, found.low, found.high)] == [
        0.50336,
        -0.55844,
        1.56516,
    ]


def test_the_absolute_difference_is_the_formula_of_the_paper():
    found = difference_sequence(A, B, tuned_at=1000)
    variance = A.variance / A.n + B.variance / B.n
    n, rho2 = 6461, (-2 * math.log(0.05) + math.log(1 - 2 * math.log(0.05))) / 1000
    half = math.sqrt(variance * n) * math.sqrt(
        2 * (n * rho2 + 1) / (n**2 * rho2) * math.log(math.sqrt(n * rho2 + 1) / 0.05)
    )
    assert found.estimate == pytest.approx(2422.7 / 3461 - 1396.87 / 3000)
    assert (found.low, found.high) == pytest.approx((found.estimate - half, found.estimate + half))


def test_a_difference_that_cannot_be_said_is_nan():
    for a, b in ((Sums(1, 1, 1), B), (Sums(10, 10, 10), Sums(20, 40, 10))):
        assert math.isnan(difference_sequence(a, b).low)
    nothing = difference_sequence(Sums(0, 10, 10), B, relative=True)
    assert math.isnan(nothing.estimate)


def test_a_mean_by_hand():
    # Values 1, 2, 3, 4: mean 2.5, variance 5/3. Tuned at 4 with alpha .05: rho² = (5.99146 + log 6.99146)/4 = 1.98399;
    # half = √(5/3) · √(2·8.93597/(16·1.98399) · log(√8.93597/.05)) = 1.290994 · √(.563008·4.090681) = 1.959214.
    found = mean_sequence(10, 30, 4, tuned_at=4)
    assert (found.low, found.high) == pytest.approx((2.5 - 1.959214, 2.5 + 1.959214), abs=2e-5)


def test_the_ratio_with_one_for_each_is_the_mean_and_follows_units():
    rng = np.random.default_rng(3)
    x, y = rng.gamma(2, 20, 500), rng.integers(1, 5, 500).astype(float)
    mean = mean_sequence(x.sum(), (x**2).sum(), 500)
    ones = ratio_sequence(x.sum(), 500, (x**2).sum(), x.sum(), 500, 500)
    assert (ones.low, ones.high) == pytest.approx((mean.low, mean.high))
    moments = (x.sum(), y.sum(), (x**2).sum(), (x * y).sum(), (y**2).sum(), 500)
    influence = (x - x.sum() / y.sum() * y) / y.mean()
    apart = mean_sequence(influence.sum(), (influence**2).sum(), 500)
    found = ratio_sequence(*moments)
    assert found.high - found.low == pytest.approx(apart.high - apart.low)
    assert (found.low + found.high) / 2 == pytest.approx(x.sum() / y.sum())


def test_nothing_is_said_of_too_few_or_equal_values():
    for total, squares, n in ((5, 25, 1), (0, 0, 0), (50, 50, 50), (70 * 10.1, 70 * 10.1**2, 70)):
        assert math.isnan(mean_sequence(total, squares, n).low), (total, n)
    assert math.isnan(rate_sequence(0, 0).low)
    assert math.isnan(count_sequence(0, 0).high)


def test_a_rate_without_successes_by_hand():
    # M(p) = 1/((n + 1)(1 − p)^n) stays below 20 while p < 1 − (20·31)^(−1/30) = .192929.
    found = rate_sequence(0, 30)
    assert (found.low, found.high) == pytest.approx((0, 1 - 620 ** (-1 / 30)))
    assert rate_sequence(30, 30).high == 1


def test_a_count_of_nothing_by_hand():
    # M = e^Λ/(N + 1) stays below 20 while Λ < log(20·201) = 8.29904.
    assert count_sequence(0, 200).high == pytest.approx(math.log(20 * 201))
    assert count_sequence(0, 200).low == 0


@given(n=st.integers(1, 5_000), share=st.floats(0, 1), confidence=st.sampled_from([0.8, 0.95, 0.99]))
def test_a_rate_holds_its_share_and_is_wider_than_at_one_look(n, share, confidence):
    hits = round(n * share)
    found, once = rate_sequence(hits, n, confidence), wilson(hits, n, confidence)
    assert 0 <= found.low <= hits / n <= found.high <= 1
    assert found.high - found.low > once.high - once.low
    other = rate_sequence(n - hits, n, confidence)
    assert (1 - other.high, 1 - other.low) == pytest.approx((found.low, found.high), abs=1e-9)


@given(count=st.integers(0, 10_000), exposure=st.integers(1, 10_000))
def test_a_count_lies_within_its_sequence(count, exposure):
    found = count_sequence(count, exposure)
    assert 0 <= found.low <= count <= found.high


def test_arrays_give_what_numbers_give():
    hits, n = np.array([0, 3, 40]), np.array([10, 10, 80])
    found = rate_sequence(hits, n)
    for index in range(3):
        alone = rate_sequence(int(hits[index]), int(n[index]))
        assert (found.low[index], found.high[index]) == pytest.approx((alone.low, alone.high))


def test_a_sequence_is_narrowest_where_it_is_tuned():
    def width(tuned_at):
        found = mean_sequence(0, 999, 1000, tuned_at=tuned_at)
        return found.high - found.low

    assert width(1000) < min(width(100), width(10_000))


@pytest.mark.parametrize("call", [
    lambda: mean_sequence(1, 1, 5, confidence=1.0),
    lambda: mean_sequence(1, 1, 5, tuned_at=0),
    lambda: rate_sequence(3, 2),
    lambda: count_sequence(-1, 2),
])  # fmt: skip
def test_what_cannot_be_is_refused(call):
    with pytest.raises(InvalidParameter):
        call()


# A hundred looks at equal distances. Two-sided tests at .05 are then wrong in .374 of normal experiments (Armitage,
# McPherson & Rowe 1969, JRSS A 132, table 2); REFERENCE.md has .389 for its simulation, and .025 for always-valid ones.
LOOKS = np.arange(1, 101) * 50


def peeked(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums at each look (experiments, looks)."""
    return values.cumsum(axis=1)[:, LOOKS - 1], (values**2).cumsum(axis=1)[:, LOOKS - 1]


def test_peeking_misleads_a_fixed_test_and_no_sequence():
    rng = np.random.default_rng(11)
    total, squares = peeked(rng.normal(0, 1, (2_000, LOOKS[-1])))
    fixed = np.abs(total / LOOKS) > z_of(0.95) * np.sqrt(squares / LOOKS - (total / LOOKS) ** 2) / np.sqrt(
        LOOKS
    )
    found = mean_sequence(total, squares, LOOKS)
    wrong = ((found.low > 0) | (found.high < 0)).any(axis=1).mean()
    assert fixed.any(axis=1).mean() == pytest.approx(0.374, abs=0.03)
    assert wrong <= 0.05


def test_peeking_at_a_rate_is_safe_from_the_first_customer_on():
    rng = np.random.default_rng(12)
    looks = np.unique(np.geomspace(1, 5_000, 100).astype(int))
    for share in (0.02, 0.25):
        hits = (rng.random((1_000, 5_000)) < share).cumsum(axis=1)[:, looks - 1]
        found = rate_sequence(hits, looks)
        assert ((found.low > share) | (found.high < share)).any(axis=1).mean() <= 0.05


def test_peeking_at_skewed_money_is_safe_from_thirty_customers_on():
    rng = np.random.default_rng(13)
    values = rng.gamma(0.8, 30, (1_000, LOOKS[-1]))
    total, squares = peeked(values)
    found = mean_sequence(total, squares, LOOKS)
    assert ((found.low > 24) | (found.high < 24)).any(axis=1).mean() <= 0.05
