"""Driver analysis against R's published figures, brute force over orders, and planted truths."""

from __future__ import annotations

import csv
from itertools import permutations
from math import factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wayfare.errors import InvalidParameter
from wayfare.stats.drivers import QUADRANTS, drivers_of, importance_performance, johnson, lmg
from wayfare.stats.moments import moments_of

# R's mtcars (Motor Trend 1974; Henderson & Velleman 1981, Biometrics 37): mpg, cyl, disp, hp, gear.
MTCARS = np.array(
    [
        *(
            [21.0, 6, 160.0, 110, 4],
            [21.0, 6, 160.0, 110, 4],
            [22.8, 4, 108.0, 93, 4],
            [21.4, 6, 258.0, 110, 3],
        ),
        *(
            [18.7, 8, 360.0, 175, 3],
            [18.1, 6, 225.0, 105, 3],
            [14.3, 8, 360.0, 245, 3],
            [24.4, 4, 146.7, 62, 4],
        ),
        *(
            [22.8, 4, 140.8, 95, 4],
            [19.2, 6, 167.6, 123, 4],
            [17.8, 6, 167.6, 123, 4],
            [16.4, 8, 275.8, 180, 3],
        ),
        *(
            [17.3, 8, 275.8, 180, 3],
            [15.2, 8, 275.8, 180, 3],
            [10.4, 8, 472.0, 205, 3],
            [10.4, 8, 460.0, 215, 3],
        ),
        *([14.7, 8, 440.0, 230, 3], [32.4, 4, 78.7, 66, 4], [30.4, 4, 75.7, 52, 4], [33.9, 4, 71.1, 65, 4]),
        *(
            [21.5, 4, 120.1, 97, 3],
            [15.5, 8, 318.0, 150, 3],
            [15.2, 8, 304.0, 150, 3],
            [13.3, 8, 350.0, 245, 3],
        ),
        *([19.2, 8, 400.0, 175, 3], [27.3, 4, 79.0, 66, 4], [26.0, 4, 120.3, 91, 5], [30.4, 4, 95.1, 113, 5]),
        *(
            [15.8, 8, 351.0, 264, 5],
            [19.7, 6, 145.0, 175, 5],
            [15.0, 8, 301.0, 335, 5],
            [21.4, 4, 121.0, 109, 4],
        ),
    ]
)


def correlated(x, y):
    matrix = np.corrcoef(np.column_stack([x, y]).T)
    return matrix[:-1, :-1], matrix[:-1, -1]


def explained(matrix, outer, subset):
    chosen = list(subset)
    return (
        float(outer[chosen] @ np.linalg.solve(matrix[np.ix_(chosen, chosen)], outer[chosen]))
        if chosen
        else 0.0
    )


def lmg_by_all_orders(matrix, outer):
    """The definition: the mean over all orders of what a driver adds when it enters."""
    k, gain = len(outer), np.zeros(len(outer))
    known = {}

    def worth(subset):
        return known.setdefault(subset, explained(matrix, outer, sorted(subset)))

    for order in permutations(range(k)):
        before = frozenset()
        for driver in order:
            gain[driver] += worth(before | {driver}) - worth(before)
            before |= {driver}
    return gain / factorial(k)


def planted(rows, k, seed, common=1.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, k)) + common * rng.normal(size=(rows, 1))
    return x, x @ np.linspace(0, 1, k) + rng.normal(size=rows) * 2


def test_mtcars_gives_the_published_weights():
    # Published for mpg on cyl, disp, hp, gear: R² .7791896, Johnson's weights in % of it (R package rwa), LMG.
    drivers = drivers_of(moments_of(MTCARS[:, 1:], MTCARS[:, 0]))
    assert drivers.r_squared == pytest.approx(0.7791896, abs=5e-8)
    rescaled = 100 * drivers.johnson / drivers.r_squared
    assert rescaled == pytest.approx([29.32274, 28.50999, 29.79691, 12.37037], abs=5e-6)
    assert drivers.lmg == pytest.approx([0.2471, 0.2435, 0.2109, 0.0777], abs=5e-5)
    assert drivers.exact
    assert drivers.performance == pytest.approx(MTCARS[:, 1:].mean(axis=0))
    assert (drivers.correlation[:3] < 0).all()
    assert (drivers.johnson_interval.low < drivers.johnson).all()
    assert (drivers.lmg_interval.high > drivers.lmg).all()


def test_satisfaction_ecsi_drivers(shared_data):
    with (shared_data / "satisfaction_ecsi" / "mobi.csv").open() as file:
        rows = list(csv.DictReader(file))
    quality = [f"PERQ{index}" for index in range(1, 8)]
    x = np.array([[float(row[name]) for name in quality] for row in rows])
    y = np.array([float(row["CUSA1"]) for row in rows])
    drivers = drivers_of(moments_of(x, y), quality)
    assert (drivers.n, drivers.left_out, drivers.draws) == (250, 0, 1_000)
    # The definition over all 5,040 orders.
    assert drivers.lmg == pytest.approx(lmg_by_all_orders(*correlated(x, y)))
    # Overall perceived quality of the provider comes first by both, as the questionnaire means it to.
    assert quality[drivers.lmg.argmax()] == quality[drivers.johnson.argmax()] == "PERQ1"
    least_squares = np.linalg.lstsq(np.column_stack([np.ones(250), x]), y, rcond=None)[1][0]
    assert drivers.r_squared == pytest.approx(1 - least_squares / ((y - y.mean()) ** 2).sum())
    assert drivers.lmg.sum() == pytest.approx(drivers.r_squared)
    assert drivers.johnson == pytest.approx(drivers.lmg, abs=0.02)


@given(st.integers(1, 6), st.integers(0, 10_000))
def test_lmg_is_the_mean_over_all_orders(k, seed):
    matrix, outer = correlated(*planted(40, k, seed))
    shared, relative = lmg(matrix, outer), johnson(matrix, outer)
    assert shared.weight == pytest.approx(lmg_by_all_orders(matrix, outer), abs=1e-9)
    assert shared.weight.sum() == pytest.approx(explained(matrix, outer, range(k)), abs=1e-9)
    assert relative.sum() == pytest.approx(shared.weight.sum(), abs=1e-9)
    assert (relative >= 0).all()


def test_uncorrelated_drivers_have_their_squared_correlation():
    outer = np.array([0.6, 0.3, -0.5])
    assert johnson(np.eye(3), outer) == pytest.approx(outer**2)
    assert lmg(np.eye(3), outer).weight == pytest.approx(outer**2)


def test_two_drivers_share_johnson_and_lmg_alike():
    # With two drivers both decompositions are the same (Johnson 2000).
    matrix = np.array([[1.0, 0.7], [0.7, 1.0]])
    assert johnson(matrix, [0.6, 0.5]) == pytest.approx(lmg(matrix, [0.6, 0.5]).weight)


def test_sampled_orders_find_the_exact_weights_within_their_error():
    # Two unrelated halves of seven drivers: each half's weights are those it has alone, which are exact.
    halves = [correlated(*planted(500, 7, seed)) for seed in (1, 2)]
    outer = np.concatenate([part[1] for part in halves]) / 1.5
    matrix = np.block([[halves[0][0], np.zeros((7, 7))], [np.zeros((7, 7)), halves[1][0]]])
    exact = np.concatenate([lmg(part[0], part[1] / 1.5).weight for part in halves])
    sampled = lmg(matrix, outer, orders=4_000, seed=3)
    assert not sampled.exact
    assert sampled.weight.sum() == pytest.approx(exact.sum())
    away = (sampled.weight - exact) / sampled.standard_error
    assert np.abs(away).max() < 4
    assert away.std() < 1.6
    with pytest.raises(InvalidParameter, match="orders"):
        lmg(matrix, outer, orders=3)


def test_fourteen_drivers_have_intervals_too():
    x, y = planted(400, 14, 5)
    drivers = drivers_of(moments_of(x, y), draws=60)
    assert not drivers.exact
    assert (drivers.lmg_error > 0).all()
    assert (drivers.lmg_interval.low <= drivers.lmg).all()
    assert (drivers.lmg <= drivers.lmg_interval.high).all()
    assert drivers.lmg_draws.shape == (60, 14)


@pytest.mark.parametrize("max_cells", [2_000, 200])
def test_bootstrap_intervals_cover_the_planted_weights(max_cells):
    # Simulated: four correlated drivers, 400 customers; with 200 cells two customers are redrawn together.
    rng = np.random.default_rng(6)
    mix = np.linalg.cholesky(0.5 * np.eye(4) + 0.5)
    slope = np.array([0.2, 0.4, 0.6, 0.8])
    covariance = np.block(
        [[mix @ mix.T, (mix @ mix.T @ slope)[:, None]], [(slope @ mix @ mix.T)[None], np.eye(1)]]
    )
    covariance[-1, -1] = slope @ mix @ mix.T @ slope + 4.0
    scale = np.sqrt(np.diag(covariance))
    truth = covariance / np.outer(scale, scale)
    right = {
        "johnson": johnson(truth[:-1, :-1], truth[:-1, -1]),
        "lmg": lmg(truth[:-1, :-1], truth[:-1, -1]).weight,
    }
    runs, covered = 200, {"johnson": np.zeros(4), "lmg": np.zeros(4)}
    for run in range(runs):
        x = rng.normal(size=(400, 4)) @ mix.T
        y = x @ slope + 2 * rng.normal(size=400)
        drivers = drivers_of(moments_of(x, y, max_cells=max_cells, seed=run), draws=150, seed=run)
        for kind, interval in (("johnson", drivers.johnson_interval), ("lmg", drivers.lmg_interval)):
            covered[kind] += (interval.low <= right[kind]) & (right[kind] <= interval.high)
    for times in covered.values():
        assert (times / runs).mean() == pytest.approx(0.94, abs=0.03)


def test_a_perfect_fit_is_shared_out_in_full():
    x, _ = planted(60, 3, 7)
    drivers = drivers_of(moments_of(x, x.sum(axis=1)), draws=50)
    assert drivers.r_squared == pytest.approx(1.0)
    assert drivers.lmg.sum() == pytest.approx(1.0)


def test_more_answers_make_narrower_intervals_at_the_same_cost():
    narrow, wide = (drivers_of(moments_of(*planted(rows, 3, 8)), draws=200) for rows in (50_000, 500))
    widths = [(d.lmg_interval.high - d.lmg_interval.low).mean() for d in (narrow, wide)]
    assert widths[0] < 0.2 * widths[1]
    assert moments_of(*planted(50_000, 3, 8)).cells.shape[0] == 2_000


def test_drivers_that_cannot_be_told_apart_are_named():
    x, y = planted(50, 2, 9)
    with pytest.raises(InvalidParameter, match="each of a, c follows exactly"):
        drivers_of(moments_of(np.column_stack([x, 2 * x[:, 0]]), y), ["a", "b", "c"])
    with pytest.raises(InvalidParameter, match="say the same thing"):
        johnson([[1, 1], [1, 1]], [0.5, 0.5])
    with pytest.raises(InvalidParameter, match="2 drivers"):
        drivers_of(moments_of(x[:2], y[:2]))
    with pytest.raises(InvalidParameter, match="0 answers"):
        drivers_of(moments_of(np.empty((0, 2)), np.empty(0)))
    with pytest.raises(InvalidParameter, match="fit together"):
        lmg(np.eye(3), [0.1, 0.2])


def test_quadrants_by_hand():
    # Means .25 and 5: important and bad, important and good, neither, good alone.
    draws = np.tile([[0.4, 0.4, 0.1, 0.1]], (3, 1)), np.tile([[4.0, 6.0, 3.0, 7.0]], (3, 1))
    picture = importance_performance(draws[0][0], draws[1][0], *draws)
    assert [QUADRANTS[index] for index in picture.quadrant] == list(QUADRANTS)
    assert picture.probability == pytest.approx(np.eye(4))
    assert (picture.importance_line, picture.performance_line) == (0.25, 5.0)
    target = importance_performance(draws[0][0], draws[1][0], *draws, performance_line=6.5)
    assert target.quadrant.tolist() == [0, 0, 2, 3]


def test_quadrant_probabilities_mean_what_they_say():
    # Simulated: surveys of 150 on three drivers, whose slopes and levels differ from survey to survey.
    rng = np.random.default_rng(10)
    said, hit = [], []
    for run in range(300):
        slope, level = rng.random(3), 0.2 * rng.normal(size=3)
        # Uncorrelated drivers: the order of squared slopes is that of the weights, up to their common scale.
        right = importance_performance(slope**2, level, [slope**2], [level]).quadrant
        x = rng.normal(size=(150, 3)) + level
        y = x @ slope + rng.normal(size=150) * 1.5
        drivers = drivers_of(moments_of(x, y), draws=150, seed=run)
        picture = importance_performance(
            drivers.lmg, drivers.performance, drivers.lmg_draws, drivers.performance_draws
        )
        said.append(picture.probability.max(axis=1))
        hit.append(picture.probability.argmax(axis=1) == right)
    assert np.mean(hit) == pytest.approx(np.mean(said), abs=0.05)


def test_quadrants_refuse_what_does_not_belong_together():
    with pytest.raises(InvalidParameter, match="differ"):
        importance_performance([1, 2], [1, 2, 3], [[1, 2]], [[1, 2]])
    with pytest.raises(InvalidParameter, match="belong together"):
        importance_performance([1, 2], [1, 2], [[1, 2]], [[1, 2], [3, 4]])
    picture = importance_performance([1, 2], [1, 2], np.empty((0, 2)), np.empty((0, 2)))
    assert np.isnan(picture.probability).all()
