"""Many customers at once: tables, threads and samples change no digit that counts."""

from __future__ import annotations

from functools import lru_cache

import mpmath as mp
import numpy as np
import pytest

from tests.stats.btyd.summaries import simulate_bg
from wayfare.stats.btyd import BGNBD, MBGNBD, ParetoNBD
from wayfare.stats.btyd.count_model import CountModel
from wayfare.stats.btyd.summary import distinct_rows, fewer_rows, read_rows

BG = {"r": 0.6, "alpha": 6.0, "a": 0.7, "b": 3.0}
POINTS = [
    (0.6, 6.3, 0.7, 3.0),
    (1.5, 0.2, 2.0, 0.3),
    (20.0, 200.0, 0.01, 1e3),
    (0.05, 1e-3, 1e-3, 1e-3),
    (0.6, 6.3, 1e-4, 1e6),
    (300.0, 6.3, 1e4, 1e-4),
]


@lru_cache
def many(whole_days):
    """Thirty thousand customers of two years; recencies and ages in whole days, or no two the same."""
    rng = np.random.default_rng(3)
    days = rng.integers(1, 728, 30_000) if whole_days else rng.uniform(1, 728, 30_000)
    table = simulate_bg(rng, BG, days / 7.0, 1.0)[0]
    if whole_days:
        table["recency"] = np.minimum(np.ceil(table["recency"] * 7) / 7, table["age"])
    return table


@pytest.mark.parametrize("whole_days", [True, False])
@pytest.mark.parametrize("kind", [BGNBD, MBGNBD, ParetoNBD])
@pytest.mark.parametrize("point", POINTS)
def test_added_up_like_row_by_row(kind, point, whole_days):
    rows = read_rows(many(whole_days))
    assert (rows.times is not None) == whole_days
    theta = tuple(map(np.float64, point))
    value, slopes = kind()._totals(theta, rows)
    # The likelihood of each row by itself, which test_extremes holds against mpmath.
    expected, by_row = CountModel._totals(kind(), theta, rows)
    assert value == pytest.approx(expected, rel=1e-12)
    assert slopes == pytest.approx(by_row, rel=1e-8, abs=1e-6)


@pytest.mark.parametrize("point", POINTS)
def test_alive_by_table(point):
    rows = read_rows(many(whole_days=True))
    theta = tuple(map(np.float64, point))
    model = ParetoNBD()
    assert model._alive(theta, rows) == pytest.approx(model._alive_each(theta, rows), abs=1e-12)


@pytest.mark.parametrize("whole_days", [True, False])
def test_fewer_rows_stand_for_the_same_customers(whole_days):
    table = dict(many(whole_days))
    table["weight"] = np.random.default_rng(1).integers(0, 3, table["age"].size).astype(float)
    rows = read_rows(table)
    for reduce in (distinct_rows, fewer_rows):
        fewer, first = reduce(rows)
        for name in ("frequency", "recency", "age"):
            assert (getattr(fewer, name) == getattr(rows, name)[first]).all()
        assert fewer.customers == rows.customers
        assert fewer.weight @ fewer.age == pytest.approx(rows.weight @ rows.age, rel=1e-12)
        assert fewer.counts.tolist() == pytest.approx(
            np.bincount(rows.level, weights=rows.weight, minlength=rows.levels.size)[
                np.isin(rows.levels, fewer.levels)
            ].tolist()
        )


@pytest.mark.parametrize("kind", [BGNBD, MBGNBD])
@pytest.mark.parametrize(("x", "recency", "age"), [(400, 1e-6, 1e4), (3000, 1.0, 1e6), (1, 1e-9, 1e9)])
def test_who_has_left_for_certain_has_a_likelihood(kind, x, recency, age):
    """The chance of having left rounds to 1 here, so that ln(1 − it) would be infinite."""
    params = {"r": 0.25, "alpha": 4.0, "a": 0.8, "b": 2.5}
    model = kind().at(params)
    rows = read_rows({"frequency": [x], "recency": [recency], "age": [age]})
    with mp.workdps(50):
        r, alpha, a, b = (mp.mpf(value) for value in params.values())
        k, m = r + x, x + model.first_chances
        stayed = (alpha + mp.mpf(age)) ** -k + a / (b + m - 1) * (alpha + mp.mpf(recency)) ** -k
        exact = mp.loggamma(k) - mp.loggamma(r) + r * mp.log(alpha) + mp.log(stayed)
        exact += mp.log(mp.beta(a, b + m)) - mp.log(mp.beta(a, b))
    theta = model._theta()
    assert model._log_likelihood(theta, rows)[0][0] == pytest.approx(float(exact), rel=1e-12)
    value, slopes = model._totals(theta, rows)
    assert value == pytest.approx(float(exact), rel=1e-12)
    assert np.isfinite(slopes).all()
