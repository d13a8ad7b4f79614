"""Simulated customers: parameters recovered, and intervals that hold as often as they say."""

from __future__ import annotations

import numpy as np
import pytest

from tests.stats.btyd.summaries import simulate_bg
from wayfare.stats.btyd import BGNBD, MBGNBD, ParetoNBD

PARAMS = {"r": 0.8, "alpha": 8.0, "a": 0.8, "b": 2.5}
PARETO = {"r": 0.8, "alpha": 8.0, "s": 0.9, "beta": 20.0}


@pytest.mark.parametrize(("kind", "chances"), [(BGNBD, 0), (MBGNBD, 1)])
def test_beta_geometric_worlds_are_recovered(kind, chances):
    rng = np.random.default_rng(21)
    table, _ = simulate_bg(rng, PARAMS, rng.integers(140, 560, 8000) / 7.0, 1, chances)
    model = kind().fit(table)
    within(model, PARAMS)
    assert model.boundary_ is None


def test_a_pareto_world_is_recovered():
    rng = np.random.default_rng(23)
    ages = rng.integers(140, 560, 8000) / 7.0
    rate = rng.gamma(PARETO["r"], size=8000) / PARETO["alpha"]
    lasting = rng.standard_exponential(8000) * PARETO["beta"] / rng.gamma(PARETO["s"], size=8000)
    active = np.minimum(ages, lasting)
    frequency = rng.poisson(rate * active).astype(float)
    # The latest of x uniform times.
    recency = np.where(frequency > 0, active * rng.random(8000) ** (1 / np.maximum(frequency, 1)), 0.0)
    within(ParetoNBD().fit({"frequency": frequency, "recency": recency, "age": ages}), PARETO)


def within(model, truth):
    for name, value in truth.items():
        error = model.standard_errors_[name]
        assert abs(model.params_[name] - value) < 3 * error, name
        assert error < value / 3, name


def test_simulated_futures_have_the_expected_mean():
    rng = np.random.default_rng(23)
    table, _ = simulate_bg(rng, PARAMS, rng.integers(70, 400, 20_000) / 7.0, 1)
    for model in (BGNBD().at(PARAMS), MBGNBD().at(PARAMS), ParetoNBD().at(PARETO)):
        futures = np.array([model.simulate(table, 20.0, seed) for seed in range(3)])
        assert futures.mean() == pytest.approx(model.predict_orders(table, 20.0).mean(), rel=0.02)
        assert (futures > 0).mean() == pytest.approx(model.predict_buy(table, 20.0).mean(), rel=0.02)


def held(worlds, customers, futures, draws):
    """For each world whether its 80% intervals held the true parameters, and the total that came.

    The worlds' seeds are their numbers from 0 on: nobody chose them.
    """
    truth, parameters, totals = np.array(list(PARAMS.values())), [], []
    for world in range(worlds):
        rng = np.random.default_rng(world)
        table, later = simulate_bg(rng, PARAMS, rng.integers(210, 420, customers) / 7.0, futures)
        model = BGNBD().fit(table)
        low, high = np.quantile(model.draws(400, seed=world), [0.1, 0.9], axis=0)
        parameters.append((low <= truth) & (truth <= high))
        low, high = np.quantile(model.total_draws(table, futures, draws=draws, seed=world), [0.1, 0.9])
        totals.append(low <= later.sum() <= high)
    return np.array(parameters), np.array(totals)


def test_eighty_per_cent_intervals_hold_in_about_four_of_five():
    """Few worlds, so that no more is asked than three of their own standard errors: whatever the seeds, it passes."""
    worlds = 25
    parameters, totals = held(worlds, 700, 26.0, 40)
    by_world = parameters.mean(axis=1)
    assert abs(by_world.mean() - 0.8) < 3 * by_world.std(ddof=1) / np.sqrt(worlds)
    assert abs(totals.mean() - 0.8) < 3 * np.sqrt(0.8 * 0.2 / worlds)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_eighty_per_cent_intervals_cover_75_to_85():
    """Three hundred worlds of 1,500 customers: the standard error of a coverage is .023.

    Measured: .797 of the parameters (.78 to .80 of each) and .803 of the totals. Worlds of 700 customers are too small
    for the likelihood's curvature: there it is .813 and .755.
    """
    parameters, totals = held(300, 1500, 26.0, 60)
    assert 0.75 <= parameters.mean() <= 0.85
    assert 0.75 <= totals.mean() <= 0.85
    assert parameters.mean(axis=0) == pytest.approx(np.full(4, 0.8), abs=0.06)
