"""The records themselves: the same each time, of any size, streamed, and possible in time."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from wayfare.demo import SCHEMA, Company, journey, records
from wayfare.demo.rows import EVENTS
from wayfare.demo.season import DAY, HOUR, SeasonClock, daytime, micros
from wayfare.demo.simulate import BATCH_CUSTOMERS
from wayfare.errors import InvalidParameter


def _bytes(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def test_same_company_gives_the_same_bytes_and_another_seed_others():
    once, again = ([_bytes(batch) for batch in records(Company(customers=600))] for _ in range(2))
    assert once == again
    assert once != [_bytes(batch) for batch in records(Company(customers=600, seed=8))]


def test_a_larger_company_begins_with_the_same_customers():
    small = next(records(Company(customers=BATCH_CUSTOMERS)))
    assert small.equals(next(records(Company(customers=BATCH_CUSTOMERS + 1))))


@pytest.mark.parametrize("customers", [1, 2, 7, 150, 999])
def test_every_customer_appears(customers):
    log = pa.Table.from_batches(list(records(Company(customers=customers))))
    assert log.schema.equals(SCHEMA)
    assert len(log["customer"].unique()) == customers


def test_stream_hands_over_one_bounded_batch_after_another():
    stream = records(Company(customers=1_000_000))
    first, second = next(stream), next(stream)
    stream.close()
    for batch in (first, second):
        assert len(batch.column("customer").unique()) == BATCH_CUSTOMERS
        assert batch.nbytes < 100_000_000
    assert not set(first.column("order").to_pylist()[:5000]) & set(second.column("order").to_pylist()) - {
        None
    }


def test_memory_does_not_grow_with_the_number_of_batches():
    stream = records(Company(customers=4 * BATCH_CUSTOMERS))
    arrow = pa.total_allocated_bytes()
    tracemalloc.start()
    try:
        next(stream)
        first = tracemalloc.get_traced_memory()[1]
        arrow_used = max(pa.total_allocated_bytes() - arrow for _ in stream)
        assert tracemalloc.get_traced_memory()[1] < 1.3 * first
    finally:
        tracemalloc.stop()
    assert arrow_used < 200_000_000


def test_lean_log_sorted_by_customer_and_time(measured):
    log = measured.log
    assert 15 <= len(log) / measured.company.customers <= 25
    assert log["event_id"].is_unique
    assert set(log["source"]) == {"simulated"}
    assert set(log["event"]) == set(EVENTS)
    same = log["customer"].to_numpy()[1:] == log["customer"].to_numpy()[:-1]
    assert (log["time"].diff().iloc[1:][same] >= pd.Timedelta(0)).all()
    assert log["customer"].is_monotonic_increasing


def test_no_event_outside_the_companys_time(measured):
    assert measured.log["time"].min() >= measured.day("start")
    assert measured.log["time"].max() < measured.day("end")


def test_first_event_is_the_way_in(measured):
    first = measured.log.drop_duplicates("customer")
    arrivals = {channel.event for channel in measured.company.channels} | {"referral_visit"}
    assert set(first["event"]) == arrivals


def test_deliveries_follow_their_web_order(measured):
    placed = measured.log[measured.log["event"] == "purchase"].groupby("order")["time"].first()
    delivered = measured.events("delivery").set_index("order")
    assert delivered.index.is_unique
    waited = (delivered["time"] - placed.reindex(delivered.index)) / pd.Timedelta(days=1)
    assert waited.min() >= 1
    assert np.allclose(waited, delivered["delivery_days"], atol=0.006)


@pytest.mark.parametrize("event", ["survey_answer", "support_contact"])
def test_what_is_said_about_a_delivery_comes_after_it(measured, event):
    came = measured.events("delivery").set_index("order")["time"]
    said = measured.events(event).dropna(subset="order").set_index("order")["time"]
    assert (said > came.reindex(said.index)).all()


def test_refunds_return_lines_of_existing_orders(measured):
    lines = measured.events("purchase").groupby(["order", "product"])[["value", "quantity", "time"]].first()
    back = measured.events("refund").set_index(["order", "product"])
    assert len(back) > 100
    home = lines.reindex(back.index)
    assert (back["value"] == -home["value"]).all()
    assert (back["quantity"] == -home["quantity"]).all()
    assert (back["time"] > home["time"]).all()


def test_an_order_is_one_purchase_moment_of_one_customer(measured):
    orders = measured.events("purchase").groupby("order")
    assert (orders[["customer", "time", "channel"]].nunique().max() <= 1).all()
    assert orders.size().max() <= 3


def test_web_orders_pass_cart_checkout_and_payment_in_this_order(measured):
    web = measured.log[measured.log["session"].notna()]
    bought = web.loc[web["event"] == "purchase", "session"].unique()
    steps = web[web["session"].isin(bought)].pivot_table(
        index="session", columns="event", values="time", aggfunc="min"
    )
    assert (steps["cart"] < steps["checkout"]).all()
    assert (steps["checkout"] < steps["payment"]).all()
    assert (steps["payment"] < steps["purchase"]).all()


def test_referrers_bought_before_the_referred_came(measured):
    first_order = measured.orders.groupby("customer")["time"].min()
    signups = measured.events("referral_signup")
    bought = signups["referrer"].map(first_order)
    assert (bought < signups["time"]).all()
    assert (signups["referrer"] != signups["customer"]).all()


def test_subscription_orders_lie_between_start_and_cancel(measured):
    monthly = measured.log[measured.log["subscription"].eq(True)]
    started = measured.events("subscription_start").set_index("customer")["time"]
    cancelled = measured.events("subscription_cancel").set_index("customer")["time"]
    assert len(monthly) > 500
    assert (monthly["time"] > monthly["customer"].map(started)).all()
    assert not (monthly["time"] > monthly["customer"].map(cancelled)).any()


def test_journey_places_every_event_once():
    touchpoints = journey()["touchpoints"]
    stages = {"awareness", "consideration", "purchase", "post_purchase", "repurchase", "advocacy"}
    assert sorted(point["event"] for point in touchpoints) == sorted(EVENTS)
    assert {point["stage"] for point in touchpoints} == stages
    assert {point.get("after_purchase", "advocacy") for point in touchpoints} <= stages
    assert journey()["orders"] == ["purchase"]


def test_daytime_keeps_day_and_order():
    times = np.arange(0, 2 * DAY, HOUR // 7)
    moved = daytime(times)
    assert (moved // DAY == times // DAY).all()
    assert (np.diff(moved) > 0).all()


def test_season_clock_runs_at_the_months_speed():
    company = Company(season=(2.0, *(1.0,) * 11))
    clock = SeasonClock.of(company)
    january, february = micros(date(2024, 1, 3)), micros(date(2024, 2, 3))
    later = clock.after(np.array([january, february]), np.array([4.0 * DAY, 4.0 * DAY]))
    assert later.tolist() == [january + 2 * DAY, february + 4 * DAY]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("customers", 0),
        ("end", date(2023, 1, 1)),
        ("season", (1.0,) * 11),
        ("recipe_conversion", 1.5),
        ("alpha", 0.0),
        ("channels", ()),
        ("mobile_payment_rate_bug", 0.9),
        ("delivery_days", 1.0),
    ],
)
def test_impossible_companies_are_refused(field, value):
    with pytest.raises(InvalidParameter) as refused:
        replace(Company(), **{field: value})
    assert refused.value.where == f"Company.{field}"
    assert refused.value.allowed
