"""Trends by hand, against published figures and a peer, and on planted slopes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wayfare.stats.trend import mann_kendall_sen

VALUES = st.lists(st.integers(-20, 20), min_size=3, max_size=24)


def test_five_periods_by_hand():
    # 1 3 2 5 6: ten pairs, nine up, one down: S = 8; variance 5·4·15/18 = 16.6667; z = 7/4.08248 = 1.71464,
    # p = .08641. Slopes sorted: -1, .5, 1, 1, 1, 1.25, 4/3, 2, 2, 3: the median is (1 + 1.25) / 2.
    trend = mann_kendall_sen([1, 3, 2, 5, 6])
    assert trend.slope_per_period == pytest.approx(1.125)
    assert trend.p == pytest.approx(0.08641, abs=1e-5)


def test_ties_lower_the_variance():
    # 1 1 2 2 3: S = 8; variance (5·4·15 - 2·(2·1·9))/18 = 264/18 = 14.6667; z = 7/3.82971 = 1.82782, p .06758.
    assert mann_kendall_sen([1, 1, 2, 2, 3]).p == pytest.approx(0.06758, abs=1e-5)


def test_a_missing_period_keeps_its_place():
    trend = mann_kendall_sen([1.0, np.nan, 3.0, 4.0, np.nan, 6.0])
    assert trend.slope_per_period == pytest.approx(1.0)


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0], [1.0, np.nan, 2.0, np.nan]])
def test_fewer_than_three_periods_are_too_few_to_say(values):
    trend = mann_kendall_sen(values)
    assert np.isnan([trend.slope_per_period, trend.low, trend.high, trend.p]).all()


def test_a_constant_metric_has_no_trend():
    trend = mann_kendall_sen([5.0] * 12)
    assert (trend.slope_per_period, trend.p) == (0.0, 1.0)


def test_the_p_value_is_near_kendalls():
    stats = pytest.importorskip("scipy.stats")
    values = np.random.default_rng(7).normal(size=30) + 0.05 * np.arange(30)
    # SciPy's asymptotic Kendall test has no continuity correction, so the p values are close, not equal.
    peer = stats.kendalltau(np.arange(30), values, method="asymptotic").pvalue
    assert mann_kendall_sen(values).p == pytest.approx(peer, rel=0.1)


def test_the_slope_is_a_peers():
    stats = pytest.importorskip("scipy.stats")
    values = np.random.default_rng(8).normal(size=25).cumsum()
    peer = stats.theilslopes(values, np.arange(25))
    trend = mann_kendall_sen(values)
    assert trend.slope_per_period == pytest.approx(peer.slope)
    # SciPy rounds the ranks that are interpolated here.
    assert (trend.low, trend.high) == (
        pytest.approx(peer.low_slope, abs=0.02),
        pytest.approx(peer.high_slope, abs=0.02),
    )


def test_the_interval_covers_a_planted_slope():
    rng = np.random.default_rng(9)
    trends = [mann_kendall_sen(0.3 * np.arange(18) + rng.normal(size=18)) for _ in range(600)]
    assert np.mean([trend.low <= 0.3 <= trend.high for trend in trends]) == pytest.approx(0.95, abs=0.025)


@given(VALUES, st.integers(-5, 5))
def test_a_tilt_adds_to_the_slope(values, tilt):
    plain = mann_kendall_sen(values)
    tilted = mann_kendall_sen(np.array(values) + tilt * np.arange(len(values)))
    assert tilted.slope_per_period == pytest.approx(plain.slope_per_period + tilt, abs=1e-9)


@given(VALUES)
def test_backwards_turns_the_sign(values):
    there, back = mann_kendall_sen(values), mann_kendall_sen(values[::-1])
    assert there.slope_per_period == pytest.approx(-back.slope_per_period)
    assert (there.low, there.p) == (pytest.approx(-back.high, nan_ok=True), pytest.approx(back.p))
