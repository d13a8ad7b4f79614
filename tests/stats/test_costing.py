from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wayfare.errors import InvalidParameter
from wayfare.stats.costing import money_counts, money_quantile, over_span, overlapping_share, resource

EPOCH = date(1970, 1, 1)
DAYS = st.integers(0, 40_000)


def number(day: str) -> int:
    return (date.fromisoformat(day) - EPOCH).days


def test_kaplan_and_andersons_department():
    """HBR 82(11), 2004: 560,000 a quarter for 700,000 minutes; 49,000 orders of 8 minutes, 1,400 inquiries of 44 and
    2,500 credit checks of 50 use 578,600 minutes for 462,880; 121,400 minutes for 97,120 lie idle."""
    used = 49_000 * 8 + 1_400 * 44 + 2_500 * 50
    found = resource(used, 700_000, 560_000 / 700_000)
    assert used == 578_600
    assert found.traced == pytest.approx(462_880)
    assert found.unused == pytest.approx(97_120)
    assert found.idle == 121_400
    assert found.cost == pytest.approx(560_000)
    assert found.share == pytest.approx(0.827, abs=0.0005)


def test_minutes_beyond_the_capacity_cost_the_same():
    found = resource(130, 100, 2.0)
    assert (found.cost, found.traced, found.unused, found.overload, found.idle) == (260, 260, 0, 30, 0)


def test_no_capacity_has_no_share():
    assert np.isnan(resource(0, 0, 2.0).share)


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e3))
def test_traced_and_unused_are_the_cost(used: float, capacity: float, rate: float):
    found = resource(used, capacity, rate)
    assert found.traced + found.unused == pytest.approx(found.cost, abs=1e-6)


@pytest.mark.parametrize(
    "per, first, last, expected",
    [
        ("month", "2024-02-01", "2024-02-29", 1.0),
        ("month", "2024-02-15", "2024-03-10", 15 / 29 + 10 / 31),
        ("quarter", "2024-01-01", "2024-12-31", 4.0),
        ("quarter", "2023-12-31", "2024-01-01", 1 / 92 + 1 / 91),
        ("year", "2024-01-01", "2024-12-31", 1.0),
        ("year", "2023-07-01", "2024-06-30", 184 / 365 + 182 / 366),
        ("month", "2024-02-15", "2024-02-14", 0.0),
    ],
)
def test_a_capacity_over_days(per: str, first: str, last: str, expected: float):
    assert over_span(1000, per, number(first), number(last)) == pytest.approx(1000 * expected)  # type: ignore[arg-type]


@given(DAYS, st.integers(0, 800), st.integers(0, 800), st.sampled_from(["month", "quarter", "year"]))
def test_spans_side_by_side_add_up(first: int, one: int, other: int, per: str):
    middle, last = first + one, first + one + other + 1
    both = over_span(7, per, first, middle) + over_span(7, per, middle + 1, last)  # type: ignore[arg-type]
    assert over_span(7, per, first, last) == pytest.approx(both)  # type: ignore[arg-type]


@given(DAYS, st.integers(0, 400), DAYS, st.integers(0, 400))
def test_an_overlap_is_the_days_in_both(since: int, length: int, first: int, span: int):
    days = {since + n for n in range(length + 1)} & {first + n for n in range(span + 1)}
    assert overlapping_share(since, since + length, first, first + span) == pytest.approx(
        len(days) / (length + 1)
    )


def test_years_of_leap_days_count():
    assert over_span(366, "year", number("2024-03-01"), number("2024-03-01")) == pytest.approx(1)
    assert over_span(365, "year", number("2023-03-01"), number("2023-03-01")) == pytest.approx(1)
    assert EPOCH + timedelta(days=number("2024-02-29")) == date(2024, 2, 29)


@given(st.lists(st.floats(-1e5, 1e5), min_size=1, max_size=60), st.floats(0, 1))
def test_quantiles_of_gains_and_losses(money: list[float], q: float):
    exact = np.quantile(money, q)
    found = money_quantile(money_counts(np.array(money)), q)
    # Between two amounts of different sign, the errors of both count.
    slack = 0.004 * max(map(abs, money)) if min(money) < 0 < max(money) else 0.004 * abs(exact)
    assert found == pytest.approx(exact, abs=slack + 0.0015)


def test_counts_add_up_and_leave_out_what_is_not_known():
    a, b = np.array([1.0, -2.0, np.nan]), np.array([0.0, 30.0])
    whole = money_counts(np.concatenate([a, b]))
    assert np.array_equal(money_counts(a) + money_counts(b), whole)
    assert whole.sum() == 4


def test_nothing_has_no_quantile():
    assert np.isnan(money_quantile(money_counts(np.array([])), 0.5))


def test_a_quantile_is_a_share():
    with pytest.raises(InvalidParameter):
        money_quantile(money_counts(np.array([1.0])), 1.5)
