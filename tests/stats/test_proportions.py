"""Intervals of shares, means, ratios and counts against published figures, peers and planted truths."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wayfare.errors import InvalidParameter
from wayfare.stats.proportions import (
    difference_of_proportions,
    mean_interval,
    poisson_interval,
    ratio_interval,
    wilson,
)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        # Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3 (score without correction).
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_newcombes_published_intervals(successes, trials, low, high):
    interval = wilson(successes, trials)
    assert (interval.low, interval.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_wilson_takes_arrays_and_says_nan_without_trials():
    interval = wilson(np.array([0, 5, 0]), np.array([10, 5, 0]))
    assert interval.low[0] == 0.0
    assert interval.high[1] == 1.0
    assert np.isnan([interval.low[2], interval.high[2]]).all()


@given(st.integers(1, 10_000), st.floats(0, 1), st.floats(0.5, 0.99))
def test_wilson_holds_the_observed_share_and_stays_within_0_and_1(trials, share, confidence):
    successes = round(share * trials)
    interval = wilson(successes, trials, confidence)
    assert 0.0 <= interval.low <= successes / trials <= interval.high <= 1.0


def test_wilson_covers_planted_shares():
    # Coverage of one share jumps with the discreteness of counts (Brown, Cai & DasGupta 2001); its mean doesn't.
    rng = np.random.default_rng(1)
    truth = rng.random(40_000)
    interval = wilson(rng.binomial(60, truth), 60)
    assert ((interval.low <= truth) & (interval.high >= truth)).mean() == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0, float("nan")])
def test_a_confidence_outside_0_and_1_is_refused(confidence):
    with pytest.raises(InvalidParameter, match=r"0\.95"):
        wilson(1, 2, confidence)


@pytest.mark.parametrize("successes", [-1, 3])
def test_more_successes_than_trials_are_refused(successes):
    with pytest.raises(InvalidParameter, match="trials"):
        wilson(successes, 2)


def test_mean_interval_is_students():
    # By hand: values 1, 2, 3, 4, 5 have mean 3, s² 2.5, se 0.70711; t(0.975, 4) = 2.77645 (any t table).
    interval = mean_interval(15, 55, 5)
    assert interval.low == pytest.approx(3 - 2.77645 * 0.707107, abs=1e-5)
    assert interval.high == pytest.approx(3 + 2.77645 * 0.707107, abs=1e-5)


@pytest.mark.parametrize("n", [0, 1])
def test_mean_interval_of_fewer_than_two_is_too_few_to_say(n):
    interval = mean_interval(3.0 * n, 9.0 * n, n)
    assert np.isnan([interval.low, interval.high]).all()


def test_ratio_interval_by_hand():
    # Revenue 10, 20, 60 over orders 1, 2, 3: R = 15, residuals -5, -10, 15, sum of squares 350;
    # s² = 175, variance of R = 3 · 175 / 36 = 14.5833, se 3.81881, t(0.975, 2) = 4.30265.
    interval = ratio_interval(90, 6, 4100, 230, 14, 3)
    assert interval.high - 15 == pytest.approx(4.30265 * 3.81881, abs=1e-4)
    assert 15 - interval.low == pytest.approx(4.30265 * 3.81881, abs=1e-4)


def test_ratio_interval_covers_a_planted_average_order_value():
    rng = np.random.default_rng(2)
    orders = 1 + rng.poisson(1.0, (4_000, 150))
    revenue = rng.gamma(2.0 * orders, 10.0)  # 20 an order, whatever the number of orders
    x, y = revenue.sum(1), orders.sum(1)
    interval = ratio_interval(x, y, (revenue**2).sum(1), (revenue * orders).sum(1), (orders**2).sum(1), 150)
    assert ((interval.low <= 20) & (interval.high >= 20)).mean() == pytest.approx(0.95, abs=0.015)


def test_ratio_interval_without_a_denominator_is_too_few_to_say():
    interval = ratio_interval(0, 0, 0, 0, 0, 5)
    assert np.isnan([interval.low, interval.high]).all()


@pytest.mark.parametrize(
    ("count", "low", "high"),
    # Garwood's table, as printed in Ulm (1990), American Journal of Epidemiology 131, 373-375.
    [(0, 0.0, 3.689), (1, 0.025, 5.572), (5, 1.623, 11.668), (10, 4.795, 18.390), (100, 81.364, 121.627)],
)
def test_poisson_interval_is_garwoods(count, low, high):
    interval = poisson_interval(count)
    assert (interval.low, interval.high) == (pytest.approx(low, abs=1e-3), pytest.approx(high, abs=1e-3))


@pytest.mark.parametrize(
    ("cells", "low", "high"),
    [
        # Newcombe (1998), Statistics in Medicine 17, 873-890, table II, method 10.
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((10, 10, 0, 10), 0.6075, 1.0),
    ],
)
def test_difference_gives_newcombes_published_intervals(cells, low, high):
    difference = difference_of_proportions(*cells)
    assert difference.low == pytest.approx(low, abs=5e-5)
    assert difference.high == pytest.approx(high, abs=5e-5)


def test_difference_tests_with_pooled_z_where_cells_are_large():
    # 56/70 against 48/80, by hand: pooled 104/150, se 0.075467, z 2.65017, p 0.00805.
    assert difference_of_proportions(56, 70, 48, 80).p == pytest.approx(0.00805, abs=1e-5)


def test_difference_tests_exactly_where_cells_are_small():
    # Fisher's tea tasting, 3 of 4 against 1 of 4: two-sided p = 34/70 (Fisher 1935; Agresti 2002, section 3.5).
    assert difference_of_proportions(3, 4, 1, 4).p == pytest.approx(34 / 70)


def test_difference_takes_arrays_and_says_nan_without_trials():
    difference = difference_of_proportions([50, 3, 0], [100, 4, 0], [40, 1, 5], [100, 4, 10])
    assert difference.estimate[0] == pytest.approx(0.1)
    assert difference.p[1] == pytest.approx(34 / 70)
    assert np.isnan([difference.estimate[2], difference.low[2], difference.high[2], difference.p[2]]).all()


@given(st.integers(1, 300), st.integers(1, 300), st.floats(0, 1), st.floats(0, 1))
def test_difference_turns_its_sign_with_its_sides(n_a, n_b, share_a, share_b):
    x_a, x_b = round(n_a * share_a), round(n_b * share_b)
    there, back = difference_of_proportions(x_a, n_a, x_b, n_b), difference_of_proportions(x_b, n_b, x_a, n_a)
    assert there.low <= there.estimate <= there.high
    assert (there.estimate, there.low, there.high) == pytest.approx((-back.estimate, -back.high, -back.low))
    assert there.p == pytest.approx(back.p, nan_ok=True)


def test_equal_certain_shares_are_no_difference():
    assert difference_of_proportions(100, 100, 50, 50).p == 1.0
