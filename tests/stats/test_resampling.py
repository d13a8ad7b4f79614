"""Redrawn tables of counts, and the intervals read from draws."""

from __future__ import annotations

import numpy as np
import pytest

from wayfare.errors import InvalidParameter
from wayfare.stats.resampling import bootstrap_counts, percentile_interval


def test_draws_keep_the_total_and_centre_on_the_table():
    counts = np.array([10, 0, 30, 60])
    draws = bootstrap_counts(counts, 4_000, seed=1)
    assert draws.shape == (4_000, 4)
    assert (draws.sum(axis=1) == 100).all()
    assert draws.mean(axis=0) == pytest.approx(counts, abs=0.5)
    # A multinomial count has variance n p (1 - p): 9, 0, 21, 24.
    assert draws.var(axis=0) == pytest.approx([9, 0, 21, 24], rel=0.1)


def test_the_same_seed_gives_the_same_draws():
    assert (bootstrap_counts([3, 4], 50, seed=2) == bootstrap_counts([3, 4], 50, seed=2)).all()


def test_an_empty_table_gives_empty_draws():
    assert bootstrap_counts([0, 0], 5, seed=1).sum() == 0
    assert bootstrap_counts([], 5, seed=1).shape == (5, 0)


@pytest.mark.parametrize(("counts", "draws"), [([-1, 2], 10), ([1, 2], 0)])
def test_what_cannot_be_drawn_is_refused(counts, draws):
    with pytest.raises(InvalidParameter):
        bootstrap_counts(counts, draws, seed=1)


def test_the_middle_of_the_draws_by_hand():
    # 0, 1, ..., 100: the middle 90% run from 5 to 95.
    interval = percentile_interval(np.arange(101), 0.9)
    assert (interval.low, interval.high) == pytest.approx((5.0, 95.0))


def test_unknown_draws_are_left_out():
    interval = percentile_interval(np.array([[1.0, np.nan], [np.nan, np.nan], [3.0, np.nan]]), 0.5)
    assert interval.low[0] == pytest.approx(1.5)
    assert np.isnan([interval.low[1], interval.high[1]]).all()


def test_no_draws_are_too_few_to_say():
    interval = percentile_interval(np.empty((0, 2)))
    assert np.isnan(interval.low).all()
    assert interval.high.shape == (2,)


def test_the_interval_covers_a_planted_share():
    rng = np.random.default_rng(10)
    covered = 0
    for seed in range(300):
        yes = rng.binomial(200, 0.3)
        shares = bootstrap_counts([yes, 200 - yes], 300, seed=seed)[:, 0] / 200
        interval = percentile_interval(shares)
        covered += interval.low <= 0.3 <= interval.high
    assert covered / 300 == pytest.approx(0.95, abs=0.035)
