"""Orders week by week, under scenarios."""

from __future__ import annotations

import numpy as np
import pytest

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


def test_multipliers_must_fit_the_weeks(summary):
    model = BGNBD().at(PARAMS)
    with pytest.raises(InvalidParameter, match="4 numbers"):
        model.weekly_orders(summary, 4, rate=[1.0, 2.0])
    with pytest.raises(InvalidParameter, match="multipliers of the dropout"):
        model.weekly_orders(summary, 4, dropout=-1.0)
