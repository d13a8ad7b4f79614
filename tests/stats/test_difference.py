"""Difference in differences: a published figure, cases by hand, an independent oracle, and planted truths."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from wayfare.errors import InvalidParameter
from wayfare.stats.difference import (
    Cells,
    difference_in_differences,
    overall_effect,
    staggered_effects,
)


def test_proposition_99(shared_data):
    # The published difference in differences is −27.349 packs (shared REFERENCE): 1970–1988 against 1989–2000.
    table = pd.read_csv(shared_data / "causal_series" / "causalpy_california_prop99.csv").set_index("Year")
    found = difference_in_differences(table.T, table.columns == "California", table.index >= 1989)
    assert found.estimate == pytest.approx(-27.349, abs=5e-4)
    # One treated state borrows the others' variance, on 37 degrees of freedom.
    change = (table[table.index >= 1989].mean() - table[table.index < 1989].mean()).drop("California")
    error = change.std(ddof=1) * np.sqrt(1 + 1 / 38)
    assert found.high - found.estimate == pytest.approx(stats.t.ppf(0.975, 37) * error)


def test_two_by_two_by_hand():
    values = [[10, 14], [20, 26], [1, 2], [3, 2], [5, 8]]
    found = difference_in_differences(values, [1, 1, 0, 0, 0], [0, 1])
    # Changes 4 and 6 (mean 5) against 1, −1, 3 (mean 1).
    assert found.estimate == pytest.approx(4)
    welch = stats.ttest_ind([4, 6], [1, -1, 3], equal_var=False)
    assert found.p == pytest.approx(welch.pvalue)
    interval = welch.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_it_is_the_regression_with_unit_and_period_effects():
    rng = np.random.default_rng(3)
    values, treated, after = rng.normal(size=(9, 6)), np.arange(9) < 4, np.arange(6) >= 4
    found = difference_in_differences(values, treated, after)
    units, periods = np.eye(9), np.eye(6)
    design = np.array(
        [[*units[u], *periods[p][1:], treated[u] * after[p]] for u in range(9) for p in range(6)], dtype=float
    )
    assert found.estimate == pytest.approx(np.linalg.lstsq(design, values.ravel(), rcond=None)[0][-1])


@pytest.mark.parametrize(
    ("values", "treated", "after"),
    [
        (np.ones((2, 2)), [1, 1], [0, 1]),
        (np.ones((2, 2)), [1, 0], [1, 1]),
        (np.ones((2, 2)), [1, 0, 0], [0, 1]),
    ],
)
def test_what_cannot_be_compared_is_refused(values, treated, after):
    with pytest.raises(InvalidParameter):
        difference_in_differences(values, treated, after)


def test_one_unit_to_compare_with_gives_no_interval():
    found = difference_in_differences([[1, 3], [1, 2]], [1, 0], [0, 1])
    assert found.estimate == 1
    assert np.isnan(found.low)


def cells_of(group, n, y, groups):
    """Sums of customers' own rows: n and y are (customers, periods)."""
    parts = [(n[group == g], y[group == g]) for g in range(groups)]
    return Cells(
        np.array([a.sum(axis=0) for a, _ in parts]),
        np.array([b.sum(axis=0) for _, b in parts]),
        *(
            np.array([f(a, b) for a, b in parts])
            for f in (lambda a, _: a.T @ a, lambda a, b: a.T @ b, lambda _, b: b.T @ b)
        ),
    )


def panel(means, size=10, noise=None):
    """`size` customers of each group who are there in every period, with the group's means (groups, periods)."""
    means = np.asarray(means, dtype=float)
    group = np.repeat(np.arange(len(means)), size)
    y = means[group] + (0 if noise is None else noise)
    return cells_of(group, np.ones_like(y), y, len(means))


def test_group_time_effects_by_hand():
    # Group 0 is reached from period 2 on, group 1 from 3 on, group 2 never. Without a change all rise by 1 a period.
    means = [[0, 1, 7, 10], [5, 6, 7, 18], [2, 3, 4, 5]]
    first, second = staggered_effects(panel(means), before=[2, 3, 4], since=[2, 3, 4])
    # ATT(0, 2) = (7 − .5) − (7 − 5.5 and 4 − 2.5 → 1.5) = 5; ATT(0, 3) against group 2 alone = (10 − .5) − (5 − 2.5) = 7.
    assert first.effect.estimate == pytest.approx(6)
    assert first.controls == 2
    # ATT(1, 3) = (18 − 6) − (5 − 3) = 10.
    assert second.effect.estimate == pytest.approx(10)
    assert second.controls == 1
    assert (first.n_before, first.n_after, second.n_after) == (20, 20, 10)
    # Over 20, 10 customers' periods: (6 · 20 + 10 · 10) / 30.
    assert overall_effect(panel(means), (first, second)).estimate == pytest.approx(22 / 3)


def test_periods_that_reach_into_the_change_are_left_out():
    means = [[0, 1, 99, 7], [2, 3, 4, 5]]
    (only,) = staggered_effects(panel(means), before=[2, 4], since=[3, 4])
    # (7 − .5) − (5 − 2.5)
    assert only.effect.estimate == pytest.approx(4)


def test_a_change_that_reached_everybody_is_a_plain_before_and_after():
    (only,) = staggered_effects(panel([[1, 2, 3, 9]]), before=[3], since=[3])
    assert only.controls == 0
    assert only.effect.estimate == pytest.approx(7)
    assert only.trend.estimate == pytest.approx(1)


def test_a_trend_before_the_change_is_shown():
    means = [[0, 2, 4, 6, 20], [0, 1, 2, 3, 4]]
    found = staggered_effects(panel(means), before=[4, 5], since=[4, 5])[0]
    assert found.trend.estimate == pytest.approx(1)


def test_nobody_before_or_after_says_nothing():
    nothing = Cells(np.zeros((2, 3)), np.zeros((2, 3)), *np.zeros((3, 2, 3, 3)))
    (found,) = staggered_effects(nothing, before=[1, 3], since=[1, 3])
    assert np.isnan(found.effect.estimate)
    assert np.isnan(overall_effect(nothing, (found,)).estimate)


def test_customers_are_the_clusters():
    # Independent oracle: influence of each customer on the estimate, customer by customer, from the definition.
    rng = np.random.default_rng(8)
    group = rng.integers(0, 2, 200)
    n = (rng.random((200, 5)) < 0.7).astype(float)
    y = n * (rng.random((200, 1)) + rng.random((200, 5)))
    cells = cells_of(group, n, y, 2)
    found = staggered_effects(cells, before=[3, 5], since=[3, 5])[0]
    total = 0.0
    for i in range(200):
        influence = 0.0
        for t in range(5):
            mine = group == group[i]
            mean = y[mine, t].sum() / n[mine, t].sum()
            influence += found.weights[group[i], t] * (y[i, t] - mean * n[i, t]) / n[mine, t].sum()
        total += influence**2
    half = found.effect.high - found.effect.estimate
    assert half == pytest.approx(1.959964 * np.sqrt(total) * found.scatter, rel=1e-6)


def simulate(rng, shock=0.0):
    """Three groups, effects .3 and .1 from periods 5 and 7 on; customers differ for good, come or stay away."""
    size, periods = 150, 10
    group = np.repeat([0, 1, 2], size)
    person = rng.normal(0, 0.5, group.size)
    level = 0.1 * np.sin(np.arange(periods)) + np.array([0.0, 0.4, -0.2])[group][:, None]
    moved = rng.normal(0, shock, (3, periods))[group]
    effect = 0.3 * (group == 0)[:, None] * (np.arange(periods) >= 5)
    effect = effect + 0.1 * (group == 1)[:, None] * (np.arange(periods) >= 7)
    y = level + person[:, None] + moved + effect + rng.normal(0, 0.5, (group.size, periods))
    n = (rng.random(y.shape) < 0.6).astype(float)
    return cells_of(group, n, n * y, 3)


@pytest.mark.slow
@pytest.mark.parametrize("shock", [0.0, 0.15])
def test_the_interval_holds_the_planted_effect_as_often_as_it_says(shock):
    rng = np.random.default_rng(12)
    held, fooled, runs = np.zeros(2), 0, 600
    for _ in range(runs):
        found = staggered_effects(simulate(rng, shock), before=[5, 7, 10], since=[5, 7, 10])
        for place, (effect, truth) in enumerate(zip(found, (0.3, 0.1), strict=True)):
            held[place] += effect.effect.low <= truth <= effect.effect.high
        fooled += not found[0].trend.low <= 0 <= found[0].trend.high
    # 95% ± three standard errors of 600 runs; with shocks to whole groups the widened interval is not far off.
    assert (held / runs >= (0.92 if not shock else 0.85)).all()
    # A chance trend is called one as often as it says, so that a true one can be seen.
    assert (0.02 if not shock else 0.0) <= fooled / runs <= (0.08 if not shock else 0.2)
