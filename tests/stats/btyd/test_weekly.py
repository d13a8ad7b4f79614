"""Orders week by week, under scenarios."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import beta

from tests.stats.btyd.summaries import simulate_bg
from wayfare.errors import InvalidParameter
from wayfare.stats.btyd import BGNBD, MBGNBD

PARAMS = {"r": 0.8, "alpha": 8.0, "a": 0.8, "b": 2.5}


@pytest.fixture(scope="module")
def summary():
    rng = np.random.default_rng(7)
    return simulate_bg(rng, PARAMS, rng.integers(70, 400, 400) / 7.0, 1.0)[0]


@pytest.mark.parametrize("kind", [BGNBD, MBGNBD])
def test_without_change_the_weeks_add_up_to_the_closed_form(kind, summary):
    model = kind().at(PARAMS)
    weeks = model.weekly_orders(summary, 52)
    for end in (1, 13, 52):
        assert weeks[:end].sum() == pytest.approx(model.predict_orders(summary, end).sum(), rel=1e-12)


def test_a_constant_rate_is_a_faster_clock(summary):
    model = BGNBD().at(PARAMS)
    twice = model.weekly_orders(summary, 10, rate=2.0)
    assert twice.sum() == pytest.approx(model.predict_orders(summary, 20).sum(), rel=1e-12)
    # A week without orders moves the others back.
    pause = model.weekly_orders(summary, 3, rate=[1.0, 0.0, 1.0])
    assert pause == pytest.approx(np.insert(model.weekly_orders(summary, 2), 1, 0.0), rel=1e-12)


def test_scenarios_side_by_side_and_weights(summary):
    model = BGNBD().at(PARAMS)
    rates = np.array([np.ones(8), np.linspace(1, 2, 8)])
    both = model.weekly_orders(summary, 8, rate=rates, dropout=0.5)
    assert both.shape == (2, 8)
    assert both[1] == pytest.approx(model.weekly_orders(summary, 8, rate=rates[1], dropout=0.5))
    doubled = model.weekly_orders({**summary, "weight": np.full(400, 2.0)}, 8, rate=rates, dropout=0.5)
    assert doubled == pytest.approx(2 * both, rel=1e-12)


def test_drop_out_multipliers_against_a_simulation():
    # One kind of customer, x = 3, t_x = 20, T = 22, twice as likely to leave from week 5 on: 400,000 futures.
    model, rng, size = BGNBD().at(PARAMS), np.random.default_rng(3), 400_000
    seen = {"frequency": [3], "recency": [20.0], "age": [22.0]}
    dropout = np.where(np.arange(12) < 4, 1.0, 2.0)
    rate, p = rng.gamma(3.8, size=size) / 30.0, rng.beta(0.8, 5.5, size=size)
    alive = rng.random(size) < model.predict_alive(seen)[0]
    simulated = np.zeros(12)
    for week in range(12):
        leaving = np.minimum(dropout[week] * p, 1.0)
        wanted, lasting = rng.poisson(rate), rng.geometric(np.maximum(leaving, 1e-12))
        simulated[week] = (np.minimum(wanted, lasting) * alive).mean()
        alive &= wanted < lasting
    # The simulation's own error is about 1% a week.
    assert model.weekly_orders(seen, 12, dropout=dropout) == pytest.approx(simulated, rel=0.04)
    assert model.weekly_orders(seen, 12, dropout=dropout).sum() == pytest.approx(simulated.sum(), rel=0.01)


def by_quadrature(model, x, recency, age, rate, dropout):
    """The formula of `weekly_orders` for one customer, integrated over p by SciPy."""
    r, alpha, a, b = model.params_.values()
    s, beta_ = r + x, alpha + age
    alive = model.predict_alive({"frequency": [x], "recency": [recency], "age": [age]})[0]

    def week(number, p):
        leaving = np.minimum(dropout * p, 1.0)
        passed = np.cumsum(leaving * rate)
        before = passed[number - 1] if number else 0.0
        if leaving[number] == 0:
            return s * rate[number] * beta_**s / (beta_ + before) ** (s + 1)
        ratio = leaving[number] * rate[number] / (beta_ + before)
        return (beta_ / (beta_ + before)) ** s * -np.expm1(-s * np.log1p(ratio)) / leaving[number]

    def part(number, u):
        # p = u^(1/a) takes the density's pole at 0 away.
        p, c = u ** (1 / a), b + x + model.first_chances
        return week(number, p) * (1 - p) ** (c - 1) / (a * beta(a, c))

    # At these points some probability to leave is cut off at 1.
    ends = [0.0, *sorted({(1 / d) ** a for d in dropout if d > 1}), 1.0]
    return [
        alive * sum(quad(lambda u, w=w: part(w, u), *piece, epsrel=1e-10)[0] for piece in pairwise(ends))
        for w in range(len(rate))
    ]


@pytest.mark.parametrize("kind", [BGNBD, MBGNBD])
def test_any_scenario_against_the_integral(kind):
    model, rng = kind().at(PARAMS), np.random.default_rng(1)
    seen = {"frequency": [2], "recency": [9.0], "age": [14.0]}
    rate = rng.gamma(2.0, 0.5, 6)
    for dropout in (np.ones(6), np.array([1.0, 0.5, 0.0, 0.0, 1e-9, 0.9])):
        found = model.weekly_orders(seen, 6, rate=rate, dropout=dropout)
        assert found == pytest.approx(by_quadrature(model, 2, 9.0, 14.0, rate, dropout), rel=1e-8)
    # Where probabilities are cut off the integrand has a bend, which nodes of a beta distribution see less exactly.
    over = np.array([1.0, 3.0, 0.5, 2.0, 2.0, 0.0])
    found = model.weekly_orders(seen, 6, rate=rate, dropout=over)
    assert found == pytest.approx(by_quadrature(model, 2, 9.0, 14.0, rate, over), rel=2e-3)


def test_tables_and_week_by_week_agree():
    """Twenty scenarios at once, from tables, against each alone and node by node."""
    rng = np.random.default_rng(11)
    for params in (
        PARAMS,
        {"r": 0.3, "alpha": 0.5, "a": 1e-4, "b": 2.5},
        {"r": 3.0, "alpha": 2.5, "a": 30, "b": 25},
    ):
        table = simulate_bg(rng, params, rng.integers(7, 200, 300) / 7.0, 1.0)[0]
        model = MBGNBD().at(params)
        rate, dropout = rng.gamma(2.0, 0.5, (20, 26)), rng.gamma(2.0, 0.5, (20, 26))
        for d in (np.minimum(dropout, 1.0), dropout):
            theta, rows = model._read(table, None, None)
            given = model._given_p(theta, rows.frequency, rows.age, model._alive(theta, rows), rate, d)
            plain = given.one_by_one(rate, d)
            assert model.weekly_orders(table, 26, rate=rate, dropout=d) == pytest.approx(
                plain, rel=1e-9, abs=1e-12 * plain.max()
            )


def test_horizons_far_beyond_the_age_add_up_too():
    # Fifty-two weeks ahead of customers of a few days, at α = .01: where few nodes of p would not do.
    model = BGNBD().at({"r": 0.05, "alpha": 0.01, "a": 0.3, "b": 0.5})
    seen = {"frequency": [0, 1, 4], "recency": [0.0, 0.3, 1.0], "age": [0.2, 0.5, 1.2]}
    assert model.weekly_orders(seen, 52).sum() == pytest.approx(
        model.predict_orders(seen, 52).sum(), rel=1e-12
    )


def test_very_frequent_customers():
    # x = 3000: the tables need many nodes.
    model = BGNBD().at(PARAMS)
    seen = {"frequency": [3000, 0], "recency": [38.0, 0.0], "age": [40.0, 40.0]}
    weeks = model.weekly_orders(seen, 30, rate=np.ones((2, 30)))
    assert weeks[0].sum() == pytest.approx(model.predict_orders(seen, 30).sum(), rel=1e-12)
    assert weeks[0] == pytest.approx(weeks[1])


def test_covariates_of_each_customer(summary):
    model = BGNBD().fit(summary, rate=np.arange(400) % 2.0)
    model = model.at({**PARAMS, "rate_1": 0.4})
    known = np.arange(400) % 2.0
    weeks = model.weekly_orders(summary, 13, rate_covariates=known, dropout=[1.0] * 6 + [1.5] * 7)
    one_by_one = [
        model.weekly_orders(
            {name: values[place : place + 1] for name, values in summary.items()},
            13,
            rate_covariates=known[place : place + 1],
            dropout=[1.0] * 6 + [1.5] * 7,
        )
        for place in range(0, 400, 40)
    ]
    some = {name: values[::40] for name, values in summary.items()}
    both = model.weekly_orders(some, 13, rate_covariates=known[::40], dropout=[1.0] * 6 + [1.5] * 7)
    assert both == pytest.approx(np.sum(one_by_one, axis=0), rel=1e-9)
    assert weeks.sum() > both.sum()


def test_nobody_and_no_weeks():
    model = BGNBD().at(PARAMS)
    none = {"frequency": [], "recency": [], "age": []}
    assert model.weekly_orders(none, 3).tolist() == [0.0, 0.0, 0.0]


def test_multipliers_must_fit_the_weeks(summary):
    model = BGNBD().at(PARAMS)
    with pytest.raises(InvalidParameter, match="4 numbers"):
        model.weekly_orders(summary, 4, rate=[1.0, 2.0])
    with pytest.raises(InvalidParameter, match="multipliers of the dropout"):
        model.weekly_orders(summary, 4, dropout=-1.0)
