"""Season and trend: the clock, and their estimation with the model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wayfare.errors import BadInput, InvalidParameter
from wayfare.stats.btyd import BGNBD, MBGNBD, Calendar, estimate_calendar

RATES = st.lists(st.floats(0.05, 5.0), min_size=1, max_size=12)
PARAMS = {"r": 0.8, "alpha": 8.0, "a": 0.8, "b": 2.5}
SEASON = np.array([0.7, 0.8, 0.9, 1.0, 1.0, 0.9, 0.8, 0.8, 0.9, 1.1, 1.4, 1.7])
END = 156.0


def world(seed, customers, calendar, arrivals=(0.0, 140.0), end=END):
    """Orders of a BG/NBD world on the clock of a calendar: customer and absolute time of each."""
    rng = np.random.default_rng(seed)
    first = rng.uniform(*arrivals, customers)
    rate = rng.gamma(PARAMS["r"], size=customers) / PARAMS["alpha"]
    lasting = rng.geometric(rng.beta(PARAMS["a"], PARAMS["b"], size=customers))
    waits = np.cumsum(rng.standard_exponential((customers, 300)), axis=1) / np.maximum(rate, 1e-9)[:, None]
    times = calendar.after(first[:, None], np.minimum(waits, 1e6))
    kept = (times <= end) & (np.arange(1, 301) <= lasting[:, None])
    who = np.broadcast_to(np.arange(customers)[:, None], kept.shape)
    return np.concatenate((np.arange(customers), who[kept])), np.concatenate((first, times[kept]))


def seasonal(trend=0.0):
    edges = np.arange(0.0, 4 * 52 + 1e-9, 52 / 12)
    growth = np.exp(trend * np.minimum((edges[1:] + edges[:-1]) / 2 - END, 0) / 52)
    return Calendar.of_rates(edges, np.tile(SEASON / SEASON.mean(), 4) * growth)


def test_a_calendar_by_hand():
    calendar = Calendar.of_rates([0, 2, 3, 5], [1.0, 3.0, 0.5])
    assert calendar.elapsed(1, 2.5) == pytest.approx(1 + 1.5)
    assert calendar.elapsed([0, 2], [5, 4]).tolist() == [6.0, 3.5]
    # Beyond the knots time runs as usual.
    assert calendar.elapsed(-2, 7) == pytest.approx(2 + 6 + 2)
    assert calendar.after(1, 2.5) == pytest.approx(2.5)
    assert calendar.covers(0, 5)
    assert not calendar.covers(0, 5.1)


@given(rates=RATES, start=st.floats(-3, 15), wait=st.floats(0, 40))
def test_after_undoes_elapsed(rates, start, wait):
    calendar = Calendar.of_rates(np.arange(len(rates) + 1.0), rates)
    assert calendar.elapsed(start, calendar.after(start, wait)) == pytest.approx(wait, abs=1e-9)
    again = Calendar.from_dict(calendar.to_dict())
    assert again.at([0.3, 9.0]) == pytest.approx(calendar.at([0.3, 9.0]), rel=1e-12)


@pytest.mark.parametrize(
    ("edges", "rates"), [([0, 1], [1, 1]), ([0, 0, 1], [1, 1]), ([0, 1], [-1]), ([0, 1], [np.nan])]
)
def test_no_calendar(edges, rates):
    with pytest.raises(BadInput):
        Calendar.of_rates(edges, rates)


@pytest.mark.parametrize("kind", [BGNBD, MBGNBD])
def test_season_and_trend_are_found_beside_the_customers(kind):
    customer, time = world(1, 4000, seasonal(trend=0.2))
    fit = estimate_calendar(customer, time, end=END, cycle=52.0, model=kind)
    assert fit.notes == ()
    assert fit.season == pytest.approx(SEASON / SEASON.mean(), abs=0.12)
    # Planted: e^.2 − 1 a cycle.
    assert fit.trend == pytest.approx(np.expm1(0.2), abs=0.08)
    assert fit.calendar.covers(0, END + 52)
    flat = estimate_calendar(customer, time, end=END, cycle=1e4, model=kind)
    assert fit.log_likelihood > flat.log_likelihood + 100
    if kind is BGNBD:
        for name, value in PARAMS.items():
            assert abs(fit.model.params_[name] - value) < 3.5 * fit.model.standard_errors_[name]


def test_without_a_season_none_is_made_up():
    edges = np.arange(0.0, 4 * 52 + 1e-9, 52 / 12)
    customer, time = world(2, 2500, Calendar.of_rates(edges, np.ones(edges.size - 1)))
    fit = estimate_calendar(customer, time, end=END, cycle=52.0)
    assert fit.season == pytest.approx(np.ones(12), abs=0.08)
    assert abs(fit.trend) < 0.1


@pytest.mark.parametrize("years", [1.6, 1.75, 2.0, 2.25])
def test_a_season_is_found_before_every_month_was_seen_twice(years):
    # Up to two years most months are seen in one or two spaces of the grid: the season must not pass for noise.
    end = 52 * years
    customer, time = world(6, 4000, seasonal(), (0.0, end - 10), end)
    fit = estimate_calendar(customer, time, end=end, cycle=52.0)
    # Planted; at 1.6 years some 700 orders a month are seen, half of the months once.
    assert fit.season == pytest.approx(SEASON / SEASON.mean(), abs=0.15)
    assert np.corrcoef(fit.season, SEASON)[0, 1] > 0.97
    assert abs(fit.trend) < 0.15


@pytest.mark.parametrize("years", [1.6, 1.75, 2.0])
def test_without_a_season_none_is_made_up_from_few_months(years):
    edges, end = np.arange(0.0, 4 * 52 + 1e-9, 52 / 12), 52 * years
    customer, time = world(7, 2500, Calendar.of_rates(edges, np.ones(edges.size - 1)), (0.0, end - 10), end)
    fit = estimate_calendar(customer, time, end=end, cycle=52.0)
    assert fit.season == pytest.approx(np.ones(12), abs=0.1)


def test_the_calendar_forecasts_the_season_ahead_better():
    calendar = seasonal()
    customer, time = world(3, 4000, calendar)
    cut = END - 17.0
    seen, first = time <= cut, np.full(4000, np.inf)
    np.minimum.at(first, customer, time)
    later = np.sum((time > cut) & (first[customer] <= cut))
    fit = estimate_calendar(customer[seen], time[seen], end=cut, cycle=52.0, until=END)
    known, table, clock = np.flatnonzero(first <= cut), {}, {}
    last = np.zeros(4000)
    np.maximum.at(last, customer[seen], time[seen])
    table["frequency"] = clock["frequency"] = np.bincount(customer[seen], minlength=4000)[known] - 1.0
    table["recency"], table["age"] = (last - first)[known], cut - first[known]
    clock["recency"] = fit.calendar.elapsed(first[known], last[known])
    clock["age"] = fit.calendar.elapsed(first[known], np.full(known.size, cut))
    on_the_clock = fit.model.predict_orders(clock, fit.calendar.elapsed(cut, END)).sum()
    plain = BGNBD().fit(table).predict_orders(table, END - cut).sum()
    # The last four months are planted at 1.4 times the usual rate.
    assert abs(on_the_clock / later - 1) < 0.06
    assert abs(plain / later - 1) > 0.2


def test_what_can_not_be_estimated_is_said():
    customer, time = world(4, 600, seasonal(), arrivals=(90.0, 140.0))
    short = estimate_calendar(customer, time, end=END, cycle=52.0)
    assert "the season is unknown" in short.notes[0]
    assert short.trend == 0.0
    assert short.calendar.elapsed(100, 180) == pytest.approx(80)
    customer, time = world(5, 1500, seasonal(), arrivals=(0.0, 10.0))
    cohort = estimate_calendar(customer, time, end=END, cycle=52.0)
    assert "trend can't be told from their leaving" in cohort.notes[0]
    assert cohort.trend == 0.0


def test_orders_that_make_no_record():
    with pytest.raises(BadInput, match="after the end"):
        estimate_calendar([1, 1], [0.0, 9.0], end=5.0, cycle=2.0)
    with pytest.raises(BadInput, match="one customer and one time"):
        estimate_calendar([1], [0.0, 9.0], end=9.0, cycle=2.0)
    with pytest.raises(BadInput, match="at one moment"):
        estimate_calendar([1, 1], [3.0, 3.0], end=9.0, cycle=2.0)
    with pytest.raises(InvalidParameter, match="two parts"):
        estimate_calendar([1, 1], [3.0, 4.0], end=9.0, cycle=2.0, parts=1)
