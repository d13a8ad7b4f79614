"""Single orders summed up for each customer."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tests.stats.btyd.summaries import repeat_values
from tests.stats.btyd.summaries import summarise as by_hand
from wayfare.errors import BadInput, UnknownName
from wayfare.stats.btyd import BGNBD, summarise

ORDERS = {
    "customer": ["b", "a", "b", "b", "a", "c"],
    "time": np.array(
        [
            "2024-01-01T09:00",
            "2024-01-02T10:00",
            "2024-01-01T18:00",
            "2024-01-15T08:00",
            "2024-01-30T23:59",
            "2024-02-05",
        ],
        dtype="datetime64[ms]",
    ),
    "value": [10.0, 20.0, 5.0, 30.0, 7.0, 1.0],
}


def test_orders_of_a_day_count_as_one():
    found = summarise(ORDERS, value="value", unit=1)
    # By hand: b ordered on 1 and 15 January, a on the 2nd and the 30th, c on the last day of the record.
    assert found["customer"].tolist() == ["b", "a", "c"]
    assert found["frequency"].tolist() == [1, 1, 0]
    assert found["recency"].tolist() == [14, 28, 0]
    assert found["age"].tolist() == [35, 34, 0]
    assert found["value"].tolist() == [30, 7, 0]


def test_a_record_that_ends_earlier():
    found = summarise(ORDERS, value="value", end="2024-01-16", unit=1)
    assert found["customer"].tolist() == ["b", "a"]
    assert found["age"].tolist() == [15, 14]
    assert found["frequency"].tolist() == [1, 0]


def test_like_counting_each_customer():
    rng = np.random.default_rng(5)
    who = rng.integers(0, 800, 20_000)
    days = np.datetime64("2023-03-01") + rng.integers(0, 400, 20_000)
    spend = rng.gamma(2, 10, 20_000)
    found = summarise({"id": who, "on": days, "sum": spend}, customer="id", time="on", value="sum")
    order = np.argsort(found["customer"])
    expected = by_hand(who, days, days.max())
    for name in ("frequency", "recency", "age"):
        assert found[name][order] == pytest.approx(expected[name])
    assert found["value"][order] == pytest.approx(repeat_values(who, days, spend, days.max()))


def test_any_make_of_table_and_straight_into_a_model():
    pandas, polars = (pytest.importorskip(name) for name in ("pandas", "polars"))
    expected = {name: values.tolist() for name, values in summarise(ORDERS, value="value").items()}
    for table in (pandas.DataFrame(ORDERS), pa.table(ORDERS), polars.DataFrame(ORDERS)):
        found = summarise(table, value="value")
        assert {name: values.tolist() for name, values in found.items()} == expected
    assert np.isfinite(BGNBD().fit(summarise(ORDERS)).log_likelihood_)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"time": [1, 2, 3, 4, 5, 6]}, "holds no times"),
        ({"time": ["x"] * 6}, "other than times"),
        ({"time": np.full(6, np.datetime64("NaT", "D"))}, "have no 'time'"),
        ({"customer": ["a", None, "b", "b", "c", "c"]}, "1 orders have no 'customer'"),
        ({"value": [1.0, np.nan, 1, 1, 1, 1]}, "missing or infinite"),
    ],
)
def test_orders_that_can_not_be_read(change, problem):
    with pytest.raises(BadInput, match=problem):
        summarise({**ORDERS, **change}, value="value")


def test_no_orders_and_no_such_column():
    with pytest.raises(BadInput, match="no order up to the end"):
        summarise(ORDERS, end="2020-01-01")
    with pytest.raises(UnknownName, match="no column 'when'"):
        summarise(ORDERS, time="when")
