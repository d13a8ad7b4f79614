from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wayfare as wf
from tests.analyses.cuts import in_blocks
from tests.analyses.repurchase.shops import cdnow, log_of, read

SMALL = [
    ("ann", "2024-01-01", 10), ("ann", "2024-01-01", 5), ("ann", "2024-03-01", 20), ("ann", "2024-06-28", 30),
    ("bob", "2024-01-10", 8), ("cay", "2024-06-20", 4), ("dan", "2024-02-01", 50), ("dan", "2024-02-15", 50),
    ("eve", "2024-05-01", 9), ("eve", "2024-06-30", 9),
]  # fmt: skip


def rows_of(table, key="customer"):
    return {row[key]: row for row in table.to_pylist()}


def test_a_small_shop_by_hand():
    result = wf.rfm(log_of(SMALL))
    people = rows_of(result.customers)
    ann = people["ann"]
    # Two orders of one day are one: three order days, 1 January to 28 June is 179 days, to 30 June 181.
    assert (ann["frequency"], ann["recency"], ann["age"]) == (
        2,
        pytest.approx(179 / 7),
        pytest.approx(181 / 7),
    )
    assert ann["value"] == 65
    assert ann["order_value"] == 25  # (20 + 30) / 2
    assert ann["days_since_order"] == 2
    # Of five, none is below bob's one order day, three of five below ann's three: 1 + 5·4/5 = 5 for ann alone on top.
    assert {name: row["f"] for name, row in people.items()} == {
        "ann": 5,
        "bob": 1,
        "cay": 1,
        "dan": 3,
        "eve": 3,
    }
    assert {name: row["r"] for name, row in people.items()} == {
        "ann": 4,
        "bob": 1,
        "cay": 3,
        "dan": 2,
        "eve": 5,
    }
    assert {name: row["m"] for name, row in people.items()} == {
        "ann": 4,
        "bob": 2,
        "cay": 1,
        "dan": 5,
        "eve": 3,
    }
    segments = {name: row["segment"] for name, row in people.items()}
    assert segments == {
        "ann": "champions",
        "bob": "lost",
        "cay": "slipping away",
        "dan": "at risk",
        "eve": "promising",
    }


def test_segments_add_up_and_say_their_rules():
    result = wf.rfm(log_of(SMALL))
    table = result.segments
    assert sum(table["customers"].to_pylist()) == 5
    assert sum(table["value"].to_pylist()) == 195
    assert sum(table["value_share"].to_pylist()) == pytest.approx(1)
    rule = rows_of(table, "segment")["champions"]["rule"]
    assert (
        rule
        == "recency 4–5 (0 to 2 days since the last order), frequency 4–5 (3 days with an order), value 4–5 (EUR 65 or more)"
    )


def test_moves_compare_with_the_segments_of_then():
    result = wf.rfm(log_of(SMALL), back="90d")
    moves = {(row["from_segment"], row["to_segment"]): row["customers"] for row in result.moves.to_pylist()}
    assert sum(moves.values()) == 5
    # Cay and eve came after 1 April.
    assert moves["not yet a customer", "slipping away"] == 1
    assert moves["not yet a customer", "promising"] == 1
    # On 1 April ann (1 March, two days, 35) and dan (15 February, two days, 100) led bob in frequency: 1 + 5·1/3 = 2.
    assert moves["promising", "champions"] == 1


def test_customers_without_an_order_are_left_out_and_counted():
    frame = pd.DataFrame({"customer": ["a", "b", "b"], "time": pd.to_datetime(["2024-01-01"] * 2 + ["2024-02-01"]),
                          "event": ["visit", "purchase", "purchase"]})  # fmt: skip
    result = wf.rfm(read(frame))
    assert result.customers["customer"].to_pylist() == ["b"]
    assert "1 who never ordered are left out" in result.findings[-1].text
    assert any("No order has a value" in warning for warning in result.warnings)


def test_a_filter_by_time_keeps_whole_histories():
    log = log_of(SMALL)
    assert wf.rfm(log.where(since="2024-06-01")).customers.equals(wf.rfm(log).customers)
    earlier = rows_of(wf.rfm(log.where(until="2024-03-01")).customers)
    assert set(earlier) == {"ann", "bob", "dan"}
    assert earlier["ann"]["frequency"] == 0


def test_refunds_among_the_orders_are_passed_over():
    result = wf.rfm(log_of([*SMALL, ("fay", "2024-04-01", -20), ("ann", "2024-06-29", -5)]))
    people = rows_of(result.customers)
    assert "fay" not in people
    assert people["ann"]["frequency"] == 2
    assert "2 orders add up to less than nothing and are passed over as refunds." in result.warnings


def test_several_currencies_are_not_added_up():
    result = wf.rfm(log_of(SMALL, currency=["EUR"] * 9 + ["USD"]))
    assert result.customers["value"].null_count == 5
    assert any("EUR 9, USD 1" in warning for warning in result.warnings)


def test_dates_ahead_of_today_are_named():
    year = datetime.now(UTC).year + 3
    said = " ".join(wf.rfm(log_of([*SMALL, ("bob", f"{year}-01-01", 8)])).warnings)
    assert "after today" in said


def test_a_stray_last_date_is_named():
    many = [(f"c{i}", f"2020-01-{1 + i % 28:02d}", 5.0) for i in range(200)]
    said = " ".join(wf.rfm(log_of([*many, ("c1", "2023-01-01", 5.0)])).warnings)
    assert "no order came for 1,069 days" in said


def test_cdnow(shared_data):
    result = wf.rfm(cdnow(shared_data))
    people = result.customers.to_pandas()
    # README of the data: 2,357 customers, 244,091.94, 6,696 customer-days.
    assert len(people) == 2357
    assert people["value"].sum() == pytest.approx(244_091.94)
    assert (people["frequency"] + 1).sum() == 6696
    assert sum(result.moves["customers"].to_pylist()) == 2357


def test_blocks_do_not_matter():
    log = log_of(SMALL)
    assert wf.rfm(in_blocks(log, 1)).customers.equals(wf.rfm(log).customers)


orders = st.lists(
    st.tuples(st.sampled_from("abcdefg"), st.integers(0, 200), st.integers(0, 40), st.integers(0, 23)),
    min_size=1,
    max_size=40,
)


@settings(max_examples=40)
@given(orders)
def test_against_a_loop_over_customers(bought):
    start = datetime(2024, 1, 1, tzinfo=UTC)
    frame = pd.DataFrame(
        [(c, start + timedelta(days=d, hours=h), "purchase", float(v)) for c, d, v, h in bought],
        columns=["customer", "time", "event", "value"],
    )
    found = rows_of(wf.rfm(read(frame, value="value")).customers)
    days, value = defaultdict(set), defaultdict(float)
    for customer, day, worth, _ in bought:
        days[customer].add(day)
        value[customer] += worth
    end = max(day for _, day, _, _ in bought)
    for customer, own in days.items():
        row = found[customer]
        assert row["frequency"] == len(own) - 1
        assert row["recency"] == pytest.approx((max(own) - min(own)) / 7)
        assert row["age"] == pytest.approx((end - min(own)) / 7)
        assert row["value"] == value[customer]
        silent_longer = sum(max(other) < max(own) for other in days.values())
        assert row["r"] == 1 + 5 * silent_longer // len(days)
        assert row["f"] == 1 + 5 * sum(len(other) < len(own) for other in days.values()) // len(days)
        if sum(value.values()) >= 0:
            assert row["m"] == 1 + 5 * sum(v < value[customer] for v in value.values()) // len(days)
    assert len(found) == len(days)
    assert np.isfinite([row["age"] for row in found.values()]).all()
