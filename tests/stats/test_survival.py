"""Waiting times with censoring, against the leukaemia trial that every textbook prints."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wayfare.errors import InvalidParameter
from wayfare.stats.survival import kaplan_meier, log_rank

# Freireich et al. (1963), Blood 21; as printed in Cox & Oakes (1984), Analysis of Survival Data, table 1.1.
TREATED = np.array([6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35])
RELAPSED = np.array([1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0], dtype=bool)
PLACEBO = np.array([1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23])
WAITS = st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=40)


def test_the_leukaemia_curve_is_the_published_one():
    curve = kaplan_meier(TREATED, RELAPSED)
    # Kleinbaum & Klein (2012), Survival Analysis, chapter 2 (same figures in Cox & Oakes).
    published = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
    assert {t: round(curve.at(t), 3) for t in published} == published
    at_event = curve.events > 0
    assert curve.at_risk[at_event].tolist() == [21, 17, 15, 12, 11, 7, 6]
    assert curve.events[at_event].tolist() == [3, 1, 1, 1, 1, 1, 1]


def test_the_log_log_bounds_by_hand():
    curve = kaplan_meier(TREATED, RELAPSED)
    # At 6: S = 18/21, Greenwood sum = 3/(21·18) = .0079365, ln S = -.1541507,
    # spread = 1.959964·.0890871/.1541507 = 1.132716; bounds S^(e^±1.132716) = .6197 and .9516.
    assert curve.low[0] == pytest.approx(0.6197, abs=1e-4)
    assert curve.high[0] == pytest.approx(0.9516, abs=1e-4)


def test_quantiles_of_the_leukaemia_trial():
    curve = kaplan_meier(TREATED, RELAPSED)
    # Kleinbaum & Klein (2012), chapter 2: median 23 weeks with 6-MP, 8 weeks with placebo.
    assert curve.quantile(0.5) == 23
    assert kaplan_meier(PLACEBO, np.ones(21)).quantile(0.5) == 8
    assert np.isnan(curve.quantile(0.9))


def test_the_median_interval_equals_a_peers():
    peer = pytest.importorskip("statsmodels.api")
    for durations, observed in ((TREATED, RELAPSED), (PLACEBO, np.ones(21, dtype=bool))):
        interval = kaplan_meier(durations, observed).quantile_interval(0.5)
        with np.errstate(divide="ignore", invalid="ignore"):
            low, high = peer.SurvfuncRight(durations, observed.astype(int)).quantile_ci(0.5, method="cloglog")
        assert interval.low == low
        assert interval.high == high or (np.isnan(interval.high) and np.isinf(high))


def test_log_rank_gives_the_published_chi_square():
    result = log_rank([(TREATED, RELAPSED), (PLACEBO, np.ones(21))])
    # Kleinbaum & Klein (2012), chapter 2: log-rank statistic 16.79, one degree of freedom.
    assert result.statistic == pytest.approx(16.79, abs=0.005)
    assert result.degrees_of_freedom == 1
    assert result.p == pytest.approx(4.17e-5, abs=1e-7)


def test_log_rank_of_three_groups_equals_a_peers():
    duration = pytest.importorskip("statsmodels.duration.survfunc")
    rng = np.random.default_rng(3)
    groups = [(np.ceil(rng.exponential(scale, 40)), rng.random(40) < 0.7) for scale in (5.0, 6.0, 9.0)]
    label = np.repeat([0, 1, 2], 40)
    time, status = (np.concatenate([group[part] for group in groups]) for part in (0, 1))
    statistic, p = duration.survdiff(time, status.astype(int), label)
    result = log_rank(groups)
    assert (result.statistic, result.p) == (pytest.approx(statistic), pytest.approx(p))
    assert result.degrees_of_freedom == 2


def test_groups_that_never_meet_compare_nothing():
    assert np.isnan(log_rank([(TREATED, RELAPSED)]).p)
    assert np.isnan(log_rank([]).p)
    assert np.isnan(log_rank([(TREATED, RELAPSED), ([], [])]).p)


def test_an_event_comes_before_a_censoring_at_the_same_time():
    # By hand: of two at risk at 1, one event, one censored: the censored one still counts at risk.
    curve = kaplan_meier([1, 1], [True, False])
    assert (curve.at_risk[0], curve.survival[0], curve.censored[0]) == (2, 0.5, 1)
    assert curve.quantile(0.5) == 1


def test_the_curve_beyond_its_data_is_unknown_unless_all_are_through():
    censored = kaplan_meier([1, 2], [True, False])
    assert censored.at(0.5) == 1.0
    assert censored.at(2) == 0.5
    assert np.isnan(censored.at(3))
    through = kaplan_meier([1, 2], [True, True])
    assert through.at([0, 1, 9]).tolist() == [1.0, 0.5, 0.0]
    assert through.low[-1] == 0.0
    assert through.high[-1] == through.high[-2]


def test_nobody_gives_an_empty_curve():
    curve = kaplan_meier([], [])
    assert curve.times.size == 0
    assert np.isnan(curve.quantile(0.5))
    assert np.isnan(curve.at(1.0))


@given(WAITS)
def test_without_censoring_the_curve_is_the_share_still_waiting(waits):
    durations = np.array([duration for duration, _ in waits])
    curve = kaplan_meier(durations, np.ones(durations.size))
    assert curve.survival == pytest.approx([(durations > time).mean() for time in curve.times], abs=1e-12)


@given(WAITS)
def test_weights_stand_for_repeated_customers(waits):
    durations, observed = (np.array(part) for part in zip(*waits, strict=True))
    weights = np.arange(durations.size) % 4
    weighted = kaplan_meier(durations, observed, weights)
    repeated = kaplan_meier(np.repeat(durations, weights), np.repeat(observed, weights))
    for part in ("times", "at_risk", "events", "censored", "survival", "low", "high"):
        assert getattr(weighted, part) == pytest.approx(getattr(repeated, part))


@given(WAITS)
def test_the_curve_falls_within_its_bounds(waits):
    curve = kaplan_meier(*zip(*waits, strict=True))
    assert (np.diff(curve.survival) <= 0).all()
    assert (curve.low <= curve.survival + 1e-12).all()
    assert (curve.survival <= curve.high + 1e-12).all()


def test_the_bounds_cover_a_planted_share():
    rng = np.random.default_rng(4)
    truth, covered = np.exp(-1.0), 0
    for _ in range(400):
        event, end = rng.exponential(1.0, 80), rng.uniform(0.5, 3.0, 80)
        curve = kaplan_meier(np.minimum(event, end), event <= end)
        index = np.searchsorted(curve.times, 1.0, side="right") - 1
        covered += curve.low[index] <= truth <= curve.high[index]
    assert covered / 400 == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize("wrong", [-1.0, float("nan")])
def test_a_negative_or_unknown_duration_is_refused(wrong):
    with pytest.raises(InvalidParameter, match="duration"):
        kaplan_meier([1.0, wrong], [True, True])


def test_arrays_of_different_lengths_are_refused():
    with pytest.raises(InvalidParameter, match="differ in shape"):
        kaplan_meier([1.0, 2.0], [True])
