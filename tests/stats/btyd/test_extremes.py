"""Where peers lose their digits: far horizons, no orders, thousands of orders, a near 1; against mpmath."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

from wayfare.stats.btyd import BGBB, BGNBD, MBGNBD, ParetoNBD
from wayfare.stats.btyd.falling_powers import log_integral
from wayfare.stats.btyd.purchases import expected_until_leaving
from wayfare.stats.btyd.quadrature import beta_nodes, log_rising

BG = {"r": 0.25, "alpha": 4.0, "a": 0.8, "b": 2.5}
PARETO = {"r": 0.55, "alpha": 10.6, "s": 0.6, "beta": 11.7}
CONTINUOUS = [(BGNBD, BG), (MBGNBD, BG), (ParetoNBD, PARETO)]


@pytest.fixture(autouse=True)
def fifty_digits():
    with mp.workdps(50):
        yield


def exact_orders(k, time, a, c):
    """Fader, Hardie & Lee (2005, eq. 10) given alive, as it stands; at a = 1 by nearly 1."""
    k, time, a, c = (mp.mpf(value) for value in (k, time, a, c))
    a += mp.mpf(10) ** -20 if a == 1 else 0
    series = mp.hyp2f1(k, c, a + c - 1, time / (1 + time), maxterms=10**5)
    return (a + c - 1) / (a - 1) * (1 - (1 + time) ** -k * series)


@pytest.mark.parametrize("a", [1e-5, 0.3, 0.9999, 1.0, 1 + 1e-9, 1.01, 2.5, 7.9, 8.1, 30.0])
@pytest.mark.parametrize(
    ("k", "time"), [(0.25, 1e-8), (0.25, 1.4), (3.0, 4.1), (0.25, 11.9), (2.0, 12.1), (9.0, 1e4)]
)
def test_expected_orders_given_alive(a, k, time):
    for c in (0.05, 2.4, 40.0):
        found = float(expected_until_leaving(k, time, a, c))
        assert found == pytest.approx(float(exact_orders(k, time, a, c)), rel=5e-12)


def test_expected_orders_after_three_thousand():
    # By mpmath's ₂F₁, as above: x = 3000, two horizons.
    for time in (0.05, 1.0):
        found = float(expected_until_leaving(3000.25, time, 0.8, 3002.5))
        assert found == pytest.approx(float(exact_orders(3000.25, time, 0.8, 3002.5)), rel=1e-10)


@pytest.mark.parametrize(
    ("a", "b"), [(0.8, 2.5), (1e-5, 1e5), (1.0, 1.0), (0.5, 0.5), (1e5, 2e5), (2.0, 3000.0)]
)
def test_nodes_give_the_moments_of_the_beta_distribution(a, b):
    p, weights = (values[0] for values in beta_nodes(a, b))
    for power in range(1, 20):
        # E[p^n] = Γ(a+n)Γ(a+b)/(Γ(a)Γ(a+b+n)).
        exact = mp.rf(mp.mpf(a), power) / mp.rf(mp.mpf(a) + mp.mpf(b), power)
        assert weights @ p**power == pytest.approx(float(exact), rel=1e-9, abs=1e-16)


def test_rising_factorials_of_large_numbers():
    for start in (0.3, 9_999.0, 10_001.0, 1e8):
        for count in (1, 40, 3000):
            exact = mp.loggamma(mp.mpf(start) + count) - mp.loggamma(mp.mpf(start))
            assert float(log_rising(start, count)) == pytest.approx(float(exact), rel=1e-11)


@pytest.mark.parametrize(
    "row",
    [
        (0.5, 10.0, 1.6, 11.0, 0.0, 39.0),
        (3000.5, 10.0, 1.6, 11.0, 38.0, 39.0),
        (0.01, 0.01, 1.001, 1e4, 0.0, 1e3),
        (40.0, 1e3, 1.5, 0.1, 5.0, 500.0),
        (2.5, 3.0, 1.2, 3.0, 1.0, 1e7),
        (12.0, 8.0, 30.0, 20.0, 0.0, 60.0),
    ],
)
def test_integrals_of_falling_powers(row):
    k, a, m, b, start, end = (mp.mpf(value) for value in row)
    breaks = [start, *(start + (end - start) * mp.mpf(2) ** -n for n in range(30, 0, -1)), end]
    exact = mp.log(mp.quad(lambda t: (a + t) ** -k * (b + t) ** -m, breaks))
    assert log_integral(*row)[0] == pytest.approx(float(exact), abs=2e-11, rel=1e-14)


@pytest.mark.parametrize(("x", "recency", "age"), [(0, 0, 39), (1, 0.2, 39), (7, 30, 39), (60, 35, 36)])
def test_the_pareto_log_likelihood_is_that_of_the_paper(x, recency, age):
    r, alpha, s, beta = (mp.mpf(value) for value in PARETO.values())
    k, early, late = r + x, mp.mpf(recency), mp.mpf(age)
    left = mp.quad(lambda t: s * (alpha + t) ** -k * (beta + t) ** -(s + 1), mp.linspace(early, late, 9))
    alive = (alpha + late) ** -k * (beta + late) ** -s
    scale = mp.loggamma(k) - mp.loggamma(r) + r * mp.log(alpha) + s * mp.log(beta)
    model = ParetoNBD().at(PARETO)
    table = {"frequency": [x], "recency": [recency], "age": [age]}
    theta, rows = model._read(table, None, None)
    assert model._log_likelihood(theta, rows)[0][0] == pytest.approx(
        float(scale + mp.log(alive + left)), rel=1e-11
    )
    assert model.predict_alive(table)[0] == pytest.approx(float(alive / (alive + left)), rel=1e-9)


def test_the_pareto_chance_to_buy_is_a_double_integral():
    model = ParetoNBD().at(PARETO)
    table = {"frequency": [2], "recency": [30.43], "age": [38.86]}
    k, since = mp.mpf("2.55"), (mp.mpf("49.46"), mp.mpf("50.56"))
    s = mp.mpf("0.6")
    # First order at u, not having left before: E[λ e^(−λu)] E[e^(−μu)] over the gammas given alive.
    density = lambda u: k / since[0] * (1 + u / since[0]) ** -(k + 1) * (1 + u / since[1]) ** -s  # noqa: E731
    exact = float(mp.quad(density, [0, 10, 39])) * model.predict_alive(table)[0]
    assert model.predict_buy(table, 39)[0] == pytest.approx(exact, rel=1e-10)


@pytest.mark.parametrize(("kind", "params"), CONTINUOUS)
def test_horizon_zero_no_orders_and_extreme_customers(kind, params):
    model = kind().at(params)
    odd = {
        "frequency": [0, 0, 1, 3000, 3000, 5],
        "recency": [0, 0, 1e-6, 38.9, 1.0, 1e6],
        "age": [0, 1e6, 1e6, 39, 39, 1e6],
    }
    assert model.predict_orders(odd, 0).tolist() == [0.0] * 6
    assert model.predict_buy(odd, 0).tolist() == pytest.approx([0.0] * 6, abs=1e-14)
    for horizon in (1e-3, 39.0, 1e6):
        alive, buys = model.predict_alive(odd), model.predict_buy(odd, horizon)
        orders = model.predict_orders(odd, horizon)
        assert np.isfinite(orders).all()
        assert ((alive >= 0) & (alive <= 1)).all()
        assert ((buys >= 0) & (buys <= alive + 1e-12) & (buys <= orders + 1e-12)).all()
    assert model.predict_alive(odd)[4] < 1e-100
    assert model.predict_alive(odd)[0] == pytest.approx(1.0 if kind is not MBGNBD else 2.5 / 3.3)


@pytest.mark.parametrize(("kind", "params"), CONTINUOUS)
def test_nobody_to_predict_for(kind, params):
    model, nobody = kind().at(params), {name: np.zeros(0) for name in ("frequency", "recency", "age")}
    for found in (model.predict_alive(nobody), model.predict_orders(nobody, 3), model.predict_buy(nobody, 3)):
        assert found.shape == (0,)
    assert model.predict_next(nobody, [0.1, 0.5]).shape == (0, 2)


@pytest.mark.parametrize(("kind", "params"), CONTINUOUS)
def test_the_counts_of_a_new_customer_are_a_distribution(kind, params):
    model = kind().at(params)
    n = np.arange(600)
    shares = model.p_count(n, 52)
    assert shares.sum() == pytest.approx(1.0, abs=1e-10)
    assert n @ shares == pytest.approx(model.expected_new(52), rel=1e-9)
    new = {"frequency": [0], "recency": [0], "age": [0]}
    assert shares[0] == pytest.approx(1 - model.predict_buy(new, 52)[0], rel=1e-10)
    assert model.p_count(0, 0) == pytest.approx(1.0)


def test_the_counts_of_a_new_donor_are_a_distribution():
    model = BGBB().at({"alpha": 1.204, "beta": 0.750, "gamma": 0.657, "delta": 2.783})
    n = np.arange(7)
    assert model.p_count(n, 6).sum() == pytest.approx(1.0, abs=1e-12)
    assert n @ model.p_count(n, 6) == pytest.approx(model.expected_new(6), rel=1e-11)


@pytest.mark.parametrize(("kind", "params"), CONTINUOUS)
def test_the_next_order_comes_when_the_chance_reaches_the_quantile(kind, params):
    model = kind().at(params)
    seen = {"frequency": [0, 2, 40], "recency": [0, 30.0, 38.5], "age": [39.0, 39.0, 39.0]}
    times, alive = model.predict_next(seen, [0.0, 0.1, 0.5, 1.0]), model.predict_alive(seen)
    assert times[:, 0].tolist() == pytest.approx([0.0] * 3, abs=1e-10)
    assert np.isinf(times[alive <= 0.5, 2]).all()
    assert np.isinf(times[:, 3]).all()
    for place, quantile in enumerate([0.1, 0.5], start=1):
        reached = np.isfinite(times[:, place])
        ends = np.where(reached, times[:, place], 0.0)
        assert model.predict_buy(seen, ends)[reached] == pytest.approx(quantile, rel=1e-9)


@pytest.mark.parametrize(("kind", "params"), CONTINUOUS)
def test_discounted_orders_are_those_of_many_short_weeks(kind, params):
    model = kind().at(params)
    seen = {"frequency": [0, 2, 40], "recency": [0, 30.0, 38.5], "age": [39.0, 39.0, 39.0]}
    steps = np.linspace(0, 52, 1041)
    passed = np.array([model.predict_orders(seen, end) for end in steps])
    by_hand = (np.diff(passed, axis=0) * np.exp(-0.01 * (steps[1:] + steps[:-1]) / 2)[:, None]).sum(axis=0)
    assert model.predict_discounted(seen, 0.01, 52.0) == pytest.approx(by_hand, rel=1e-6)
    assert model.predict_discounted(seen, 0.0, 52.0) == pytest.approx(
        model.predict_orders(seen, 52), rel=1e-12
    )
