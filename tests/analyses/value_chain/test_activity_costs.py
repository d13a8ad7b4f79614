from __future__ import annotations

import json
import math
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analyses.cuts import in_blocks
from tests.analyses.value_chain.chains import (
    activity,
    amounts,
    chain,
    log_of,
    row_of,
    serves,
    study_of,
    timed,
)
from wayfare.analyses.value_chain.activity_costs import ActivityCostsResult, activity_costs
from wayfare.domain.journey import JourneyMap
from wayfare.domain.value_chain import ValueChain
from wayfare.errors import UnknownName
from wayfare.study import Study

QUARTER = [("a", "2025-01-01", "call"), ("a", "2025-01-20", "purchase", 100.0), ("b", "2025-03-31", "call")]


def costs(study: Study, **params: Any) -> ActivityCostsResult:
    result = activity_costs(study, **params)
    assert isinstance(result, ActivityCostsResult)
    return result


def padded(rows: list[tuple[Any, ...]], width: int) -> list[tuple[Any, ...]]:
    return [(*row, *(None,) * (width - len(row))) for row in rows]


# Published figures


def test_a_minute_costs_two_and_a_call_of_twelve_costs_24():
    """REFERENCE.md, *Value chain*: 48,000 / 24,000 minutes = 2 a minute, a call of 12 minutes costs 24; unused capacity apart."""
    calls = activity(
        "calls", cost=timed(24_000, per="quarter", capacity_cost=48_000), serves=[serves("call", 12)]
    )
    result = costs(study_of(log_of(padded(QUARTER, 4)), chain(service=[calls])))
    row = row_of(result.activities, activity="calls")
    assert row["rate_per_minute"] == 2
    assert row["cost_per_run"] == 24
    assert (row["minutes"], row["runs"]) == (24, 2)
    assert row["capacity_minutes"] == pytest.approx(24_000)
    assert row["used_share"] == pytest.approx(0.001)
    assert row["unused_cost"] == pytest.approx(48_000 - 48)
    assert row["own_cost"] == pytest.approx(48_000)
    touchpoint = row_of(result.touchpoints, event="call")
    assert (touchpoint["cost"], touchpoint["cost_per_event"], touchpoint["activities"]) == (48, 24, "calls")


def test_an_hour_costs_28_24():
    """REFERENCE.md, *Value chain*: 240,000 / 8,500 h = 28.24 an hour."""
    desk = activity(
        "desk", cost=timed(8_500 * 60, per="year", capacity_cost=240_000, minutes=60), serves=[serves("call")]
    )
    row = row_of(
        costs(study_of(log_of(padded(QUARTER, 4)), chain(service=[desk]))).activities, activity="desk"
    )
    assert row["rate_per_minute"] * 60 == pytest.approx(28.24, abs=0.005)
    assert row["cost_per_run"] == pytest.approx(28.24, abs=0.005)


# By hand


def test_a_time_equation_reads_the_row_itself():
    packing = activity(
        "packing",
        cost=timed(1000, rate=0.5),
        serves=[
            serves(
                "purchase",
                4,
                {"minutes": 2, "per": "quantity"},
                {"minutes": 3, "when": "channel=store"},
                {"minutes": 1, "per": "quantity", "when": "first:value>=50"},
                {"minutes": -5, "when": "channel!=web"},
            )
        ],
    )
    rows = [
        ("a", "2025-01-01", "purchase", 10.0, "1", "web", 2.0),  # 4 + 4 = 8
        ("a", "2025-01-02", "purchase", 60.0, "2", "store", 3.0),  # 4 + 6 + 3 + 3 − 5 = 11
        ("b", "2025-01-03", "purchase", 50.0, "3", None, None),  # 4 + 0 + 0 − 5 → 0, not less
        ("b", "2025-01-31", "visit", None, None, "store", 9.0),
    ]
    result = costs(study_of(log_of(rows), chain(operations=[packing])))
    row = row_of(result.activities, activity="packing")
    assert row["minutes"] == 19
    assert row["traced"] == 9.5
    assert row["unused_cost"] == pytest.approx((1000 - 19) * 0.5)
    means = {table: row_of(getattr(result, table), quantile=None) for table in ("orders", "customers")}
    assert means["orders"]["cost"] == pytest.approx(9.5 / 3)
    assert means["customers"] == pytest.approx(
        {"quantile": None, "cost": 4.75, "value": 60.0, "margin": 55.25}
    )


def test_an_equation_may_have_terms_only():
    counter = activity(
        "counter",
        cost=timed(1000, rate=1.0),
        serves=[{"event": "call", "time": {"terms": [{"minutes": 2.5, "when": "channel=store"}]}}],
    )
    rows = [("a", "2025-01-01", "call", None, None, "store"), ("a", "2025-01-02", "call", None, None, "web")]
    assert (
        row_of(costs(study_of(log_of(rows), chain(service=[counter]))).activities, activity="counter")[
            "minutes"
        ]
        == 2.5
    )


def test_whom_an_activity_reaches_and_in_which_stage():
    """Two customers call: one before the first order, one twice after it."""
    calls = activity("calls", cost=timed(1000, rate=1.0), serves=[serves("call", 1), serves("visit", 1)])
    rows = [("a", "2025-01-01", "call"), ("b", "2025-01-01", "purchase"), ("b", "2025-01-02", "call"), ("b", "2025-01-03", "call"),
            ("c", "2025-01-03", "purchase")]  # fmt: skip
    journey = JourneyMap.model_validate(
        {"touchpoints": [{"event": "call", "stage": "consideration", "after_purchase": "post_purchase"}]}
    )
    result = costs(study_of(log_of(rows), chain(service=[calls]), journey=journey))
    assert row_of(result.activities, activity="calls")["customers"] == 2
    assert result.traces.to_pylist() == [
        {"activity": "calls", "event": "call", "cost": 3, "events": 3, "stage": "post_purchase"}
    ]


def test_amounts_count_by_their_days_and_are_spread_by_count():
    """100 a day in January, of which the log covers ten days; four events share them, one of two kinds."""
    ads = activity(
        "ads", cost=amounts(("2025-01-01", "2025-01-31", 3_100.0)), serves=[serves("visit"), serves("click")]
    )
    rows = [("a", "2025-01-05", "visit"), ("a", "2025-01-06", "visit"), ("b", "2025-01-07", "visit"),
            ("b", "2025-01-14", "click")]  # fmt: skip
    result = costs(study_of(log_of(rows), chain(marketing_and_sales=[ads])))
    row = row_of(result.activities, activity="ads")
    assert row["own_cost"] == pytest.approx(1_000)
    assert row["traced"] == pytest.approx(1_000)
    assert row["cost_per_run"] == pytest.approx(250)
    assert "by count" in row["note"]
    assert row_of(result.touchpoints, event="visit")["cost"] == pytest.approx(750)
    assert row_of(result.customers, quantile=None)["cost"] == pytest.approx(500)


def test_days_of_the_zone():
    """23:30 UTC on 31 January is 1 February in Amsterdam: the log covers one day of 28."""
    rows = [("a", "2025-01-31T23:30:00Z", "call")]
    desk = activity("desk", cost=timed(2_800, rate=1.0), serves=[serves("call", 1)])
    made = chain(service=[desk])
    there = costs(study_of(log_of(rows, zone="Europe/Amsterdam"), made))
    assert row_of(there.activities, activity="desk")["capacity_minutes"] == pytest.approx(100)
    assert row_of(costs(study_of(log_of(rows), made)).activities, activity="desk")[
        "capacity_minutes"
    ] == pytest.approx(2_800 / 31)


def test_a_parent_costs_what_its_parts_cost():
    tree = activity(
        "fulfil",
        activity("pick", activity("walk", cost=amounts(("2025-01-01", "2025-01-01", 5.0))), cost=amounts(("2025-01-01", "2025-01-01", 3.0))),
        activity("ship", cost=amounts(("2025-01-01", "2025-01-01", 7.0))),
        cost=amounts(("2025-01-01", "2025-01-01", 1.0)),
    )  # fmt: skip
    result = costs(study_of(log_of([("a", "2025-01-01", "visit")]), chain(outbound_logistics=[tree])))
    shown = [
        (row["activity"], row["depth"], row["own_cost"], row["cost"], row["part_of"])
        for row in result.activities.to_pylist()
    ]
    assert shown == [
        ("fulfil", 0, 1, 16, None),
        ("pick", 1, 3, 8, "fulfil"),
        ("walk", 2, 5, 5, "pick"),
        ("ship", 1, 7, 7, "fulfil"),
    ]
    assert row_of(result.money, part="total")["cost"] == 16
    assert row_of(result.money, part="not traced")["cost"] == 16
    assert result.touchpoints.num_rows == 0


def test_orders_cause_what_came_before_them():
    """Two calls before the first order, one before the second, a third after it that is no order's."""
    rows = [
        ("a", "2025-01-01", "call", None), ("a", "2025-01-02", "call", None), ("a", "2025-01-03", "purchase", 9.0),
        ("a", "2025-01-04", "call", None), ("a", "2025-01-05", "purchase", 9.0), ("a", "2025-01-06", "call", None),
        ("b", "2025-01-07", "call", None),
    ]  # fmt: skip
    calls = activity("calls", cost=timed(1_000, rate=1.0), serves=[serves("call", 10)])
    result = costs(study_of(log_of(rows), chain(service=[calls])))
    found = {row["quantile"]: row["cost"] for row in result.orders.to_pylist()}
    assert found[None] == pytest.approx(15)
    assert found[0.5] == pytest.approx(15, rel=0.005)
    assert found[0.99] == pytest.approx(20, rel=0.005)
    ordered, everybody = (row_of(result.groups, group=g) for g in ("customers who ordered", "all customers"))
    assert (
        ordered["customers"],
        ordered["cost"],
        ordered["value"],
        ordered["cost_more"],
        ordered["lost"],
    ) == (1, 40, 18, 1, 22)
    assert (everybody["customers"], everybody["cost"], everybody["cost_more"], everybody["lost"]) == (
        2,
        50,
        2,
        32,
    )


def test_refunds_are_taken_off_and_other_values_left_out():
    rows = [
        ("a", "2025-01-01", "cart", 70.0),
        ("a", "2025-01-02", "purchase", 50.0),
        ("a", "2025-01-03", "refund", -20.0),
    ]
    result = costs(study_of(log_of(rows), chain(service=[activity("x")])), margin=0.5)
    assert row_of(result.customers, quantile=None) == {"quantile": None, "cost": 0, "value": 30, "margin": 15}


def test_an_overload_is_named_and_priced():
    desk = activity("desk", cost=timed(310, rate=2.0), serves=[serves("call", 60)])
    result = costs(
        study_of(log_of([("a", "2025-01-01", "call"), ("b", "2025-01-01", "call")]), chain(service=[desk]))
    )
    row = row_of(result.activities, activity="desk")
    assert row["capacity_minutes"] == pytest.approx(10)
    assert row["used_share"] == pytest.approx(12)
    assert (row["overload_minutes"], row["unused_cost"], row["own_cost"]) == (
        pytest.approx(110),
        0,
        pytest.approx(240),
    )
    assert any("needs 1200% of its capacity" in finding.text for finding in result.findings)


# What can't be said


@pytest.mark.parametrize(
    "made, words, traced",
    [
        (activity("x", cost=timed(100, rate=1.0)), "nobody said what its minutes are spent on", 0),
        (activity("x", cost=timed(100, rate=1.0), serves=[serves("call")]), "nobody said how long 'call' takes", 0),
        (activity("x", cost=timed(100, rate=1.0), serves=[serves("fax", 2), serves("call", 1)]), "the log has no event 'fax'", 1),
        (activity("x", cost=amounts(("2025-01-01", "2025-01-01", 9.0)), serves=[serves("fax")]), "what it serves never happened", 0),
        (activity("x", cost=amounts(("2025-01-01", "2025-01-01", 9.0))), "serves no touchpoint", 0),
        (activity("x", cost=timed(100, rate=1.0), serves=[serves("call", 1, {"minutes": 5, "per": "weight"})]), "no column of numbers is called 'weight'", 1),
        (activity("x", cost=timed(100, rate=1.0), serves=[serves("call", 1, {"minutes": 5, "when": "shelf=2"})]), "can't tell where `shelf=2` holds", 1),
        (activity("x", cost=timed(100, rate=1.0), serves=[serves("call", 1, {"minutes": 5, "when": "event>2"})]), "can't tell where `event>2` holds", 1),
    ],
)  # fmt: skip
def test_what_the_log_cannot_say_is_said(made: dict[str, Any], words: str, traced: float):
    result = costs(study_of(log_of([("a", "2025-01-01", "call")]), chain(service=[made])))
    row = row_of(result.activities, activity="x")
    assert words in row["note"]
    assert row["traced"] == traced
    assert row["traced"] + row["unused_cost"] + row["not_traced"] == pytest.approx(row["own_cost"])


def test_amounts_that_cover_a_part_of_the_days_say_so():
    ads = activity("ads", cost=amounts(("2025-01-01", "2025-01-31", 310.0)))
    rows = [("a", "2025-01-01", "visit"), ("a", "2025-02-28", "visit")]
    assert (
        "cover 31 of the log's 59 days"
        in row_of(costs(study_of(log_of(rows), chain(marketing_and_sales=[ads]))).activities, activity="ads")[
            "note"
        ]
    )


def test_no_value_chain():
    result = costs(study_of(log_of([("a", "2025-01-01", "call")]), None))
    assert all(table.num_rows == 0 for table in result.tables.values())
    assert "wayfare documents DIR new value_chain" in result.findings[0].text
    assert result.chart() is None
    assert ActivityCostsResult.from_dict(result.to_dict()).to_json() == result.to_json()


def test_a_chain_that_is_not_there_is_refused():
    with pytest.raises(UnknownName):
        activity_costs(study_of(log_of([("a", "2025-01-01", "call")]), None), value_chain="other")


@pytest.mark.parametrize(
    "made", [chain(), chain(service=[activity("x")]), chain(service=[activity("x", cost=timed(5, rate=1.0))])]
)
def test_an_empty_log_and_an_empty_chain(made: ValueChain):
    empty = log_of([("a", "2025-01-01", "call")]).where(since="2026-01-01")
    for log in (empty, log_of([])):
        result = costs(study_of(log, made))
        assert result.findings
        assert result.chart() is None
        json.loads(result.to_json())
    one = costs(study_of(log_of([("a", "2025-01-01", "call")]), made))
    assert one.findings


def test_without_values_margins_are_not_made_up():
    calls = activity("calls", cost=timed(1_000, rate=1.0), serves=[serves("call", 10)])
    result = costs(
        study_of(
            log_of([("a", "2025-01-01", "call"), ("a", "2025-01-02", "purchase")]), chain(service=[calls])
        )
    )
    assert row_of(result.customers, quantile=None) == {
        "quantile": None,
        "cost": 10,
        "value": None,
        "margin": None,
    }
    assert row_of(result.groups, group="all customers")["cost_more"] is None
    assert any("no values" in finding.text for finding in result.findings)


# Parts of the log


def test_a_segment_keeps_the_rates_of_the_company():
    ads = activity("ads", cost=amounts(("2025-01-01", "2025-01-02", 40.0)), serves=[serves("visit")])
    desk = activity("desk", cost=timed(310, rate=1.0), serves=[serves("call", 5)])
    rows = [("a", "2025-01-01", "visit"), ("a", "2025-01-01", "call"), ("b", "2025-01-02", "visit"), ("b", "2025-01-02", "visit"),
            ("c", "2025-01-02", "visit")]  # fmt: skip
    study = study_of(log_of(rows), chain(service=[desk], marketing_and_sales=[ads]))
    whole, part = costs(study), costs(study.where("did:call"))
    assert part.activities.equals(whole.activities)
    assert row_of(part.customers, quantile=None)["cost"] == pytest.approx(15)
    assert row_of(part.groups, group="all customers")["customers"] == 1
    assert any("those of all customers" in warning for warning in part.warnings)


def test_a_part_of_the_time_has_the_capacity_of_that_part():
    desk = activity("desk", cost=timed(3_100, rate=1.0), serves=[serves("call", 5)])
    rows = [("a", "2025-01-01", "call"), ("a", "2025-01-15", "call"), ("b", "2025-02-20", "call")]
    study = study_of(log_of(rows), chain(service=[desk])).where(since="2025-01-10", until="2025-01-20")
    row = row_of(costs(study).activities, activity="desk")
    assert (row["capacity_minutes"], row["minutes"]) == (pytest.approx(1_000), 5)


# Money adds up, as an oracle in plain Python says

EVENTS = ("call", "purchase", "visit")
DAY = date(2025, 1, 1)
WRITTEN = st.lists(
    st.tuples(
        st.sampled_from("abcd"),
        st.integers(0, 90 * 24),
        st.sampled_from(EVENTS),
        st.one_of(st.none(), st.integers(-20, 90).map(float)),
        st.none(),
        st.sampled_from([None, "web", "store"]),
        st.one_of(st.none(), st.integers(0, 4).map(float)),
    ),
    min_size=1,
    max_size=40,
    unique_by=lambda row: (row[0], row[1]),
)
TERM = st.fixed_dictionaries(
    {"minutes": st.integers(-6, 9)},
    optional={
        "per": st.just("quantity"),
        "when": st.sampled_from(
            ["channel=web", "last:channel!=web", "quantity>=2", "value<10", "did:purchase", "channel=fax"]
        ),
    },
).filter(lambda term: len(term) > 1)
SERVED = st.lists(
    st.builds(
        lambda event, base, terms: serves(event, base, *terms),
        st.sampled_from(EVENTS),
        st.integers(0, 9),
        st.lists(TERM, max_size=3),
    ),
    max_size=3,
)
COST = st.one_of(
    st.none(),
    st.builds(lambda c, r, per: timed(c, rate=r, per=per), st.integers(1, 900), st.integers(0, 5), st.sampled_from(["month", "quarter", "year"])),
    st.builds(lambda n, a: amounts((DAY.isoformat(), (DAY + timedelta(days=n)).isoformat(), float(a))), st.integers(0, 200), st.integers(0, 900)),
)  # fmt: skip


def oracle(rows: list[tuple[Any, ...]], given_chain: ValueChain) -> dict[str, Any]:
    """Traced, unused and not traced money by loops over rows; the money of each customer and of each order."""
    first, last = (
        datetime(2025, 1, 1) + timedelta(hours=h) for h in (min(r[1] for r in rows), max(r[1] for r in rows))
    )
    span = [first.date() + timedelta(days=n) for n in range((last.date() - first.date()).days + 1)]
    traced = unused = untraced = 0.0
    money = dict.fromkeys(range(len(rows)), 0.0)
    happened = {row[2] for row in rows}
    for _, each in given_chain.activities():
        cost = each.cost
        if cost is None:
            continue
        mine = [s for s in each.serves if s.event in happened]
        if cost.kind == "amounts":
            paid = sum(
                a.amount * sum(a.since <= day <= a.to for day in span) / ((a.to - a.since).days + 1)
                for a in cost.amounts
            )
            hit = [n for n, row in enumerate(rows) if row[2] in {s.event for s in mine}]
            for n in hit:
                money[n] += paid / len(hit)
            traced, untraced = (traced + paid, untraced) if hit else (traced, untraced + paid)
            continue
        capacity = sum(cost.capacity_minutes / days_in(day, cost.per) for day in span)
        used = 0.0
        for s in mine:
            for n, row in enumerate(rows):
                if row[2] == s.event:
                    minutes = max(s.time.base + sum(term_minutes(t, row) for t in s.time.terms), 0.0)
                    used += minutes
                    money[n] += minutes * cost.rate
        if not mine:
            untraced += capacity * cost.rate
        else:
            traced += used * cost.rate
            unused += max(capacity - used, 0) * cost.rate
    customers: dict[str, float] = {}
    orders: list[float] = []
    for who in sorted({row[0] for row in rows}):
        since = 0.0
        for n in sorted((n for n, row in enumerate(rows) if row[0] == who), key=lambda n: rows[n][1]):
            customers[who] = customers.get(who, 0.0) + money[n]
            since += money[n]
            if rows[n][2] == "purchase":
                orders.append(since)
                since = 0.0
    return {
        "traced": traced,
        "unused": unused,
        "untraced": untraced,
        "customers": customers,
        "orders": orders,
    }


def days_in(day: date, per: str) -> int:
    leap = day.year % 4 == 0
    months = [31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    if per == "year":
        return sum(months)
    quarter = (day.month - 1) // 3 * 3
    return months[day.month - 1] if per == "month" else sum(months[quarter : quarter + 3])


def term_minutes(term: Any, row: tuple[Any, ...]) -> float:
    _, _, event, value, _, channel, quantity = row
    met = {
        None: True, "channel=web": channel == "web", "last:channel!=web": channel != "web", "channel=fax": False,
        "quantity>=2": quantity is not None and quantity >= 2, "value<10": value is not None and value < 10,
        "did:purchase": event == "purchase",
    }[term.when]  # fmt: skip
    units = 1.0 if term.per is None else quantity or 0.0
    return float(term.minutes * units * met)


@settings(max_examples=40)
@given(WRITTEN, st.lists(st.tuples(COST, SERVED), max_size=4), st.integers(1, 4))
def test_money_adds_up(rows: list[tuple[Any, ...]], made: list[tuple[Any, Any]], customers: int):
    activities = [activity(f"a{n}", serves=s, **({"cost": c} if c else {})) for n, (c, s) in enumerate(made)]
    value_chain = chain(operations=activities[:1], service=[activity("top", *activities[1:])])
    rows = [*rows, ("z", 5, "visit", 5.0, None, "web", 1.0)]  # every column is there
    written = [(row[0], datetime(2025, 1, 1) + timedelta(hours=row[1]), *row[2:]) for row in rows]
    study = study_of(in_blocks(log_of(written), customers), value_chain)
    result, expected = costs(study), oracle(rows, value_chain)
    parts = {row["part"]: row["cost"] for row in result.money.to_pylist()}
    assert parts["traced to touchpoints"] == pytest.approx(expected["traced"])
    assert parts["unused capacity"] == pytest.approx(expected["unused"])
    assert parts["not traced"] == pytest.approx(expected["untraced"])
    assert parts["total"] == pytest.approx(sum(parts.values()) - parts["total"])
    assert sum(result.touchpoints["cost"].to_pylist()) == pytest.approx(expected["traced"])
    everybody = row_of(result.groups, group="all customers")
    assert everybody["cost"] == pytest.approx(sum(expected["customers"].values()))
    assert row_of(result.customers, quantile=None)["cost"] == pytest.approx(
        np.mean(list(expected["customers"].values()))
    )
    assert everybody["cost"] == pytest.approx(expected["traced"], abs=1e-6)
    if expected["orders"]:
        assert row_of(result.orders, quantile=None)["cost"] == pytest.approx(np.mean(expected["orders"]))
        middle = row_of(result.orders, quantile=0.5)["cost"]
        assert middle == pytest.approx(np.median(expected["orders"]), rel=0.005, abs=0.002)
    for row in result.activities.to_pylist():
        assert row["traced"] + row["unused_cost"] + row["not_traced"] == pytest.approx(row["own_cost"])


# Size and surfaces


def company(customers: int, activities: int) -> Study:
    rng = np.random.default_rng(7)
    rows = customers * 10
    frame = pd.DataFrame(
        {
            "customer": np.repeat(np.arange(customers).astype(str), 10),
            "time": pd.Timestamp("2024-01-01")
            + pd.to_timedelta(rng.integers(0, 365 * 86_400, rows), unit="s"),
            "event": rng.choice(["visit", "cart", "purchase", "delivery", "call"], rows),
            "quantity": rng.integers(1, 5, rows).astype(float),
        }
    )
    frame["value"] = np.where(frame["event"] == "purchase", 30.0, np.nan)
    import wayfare as wf

    log = wf.read_events(
        frame, customer="customer", time="time", event="event", value="value", quantity="quantity"
    )
    names = ["visit", "cart", "purchase", "delivery", "call"]
    made = [
        activity(f"a{n}", cost=timed(20_000, rate=0.6), serves=[serves(names[n % 5], 1, {"minutes": 0.5, "per": "quantity"})])
        for n in range(activities)
    ]  # fmt: skip
    return study_of(log, chain(operations=made))


def test_two_hundred_activities_are_drawn():
    study = company(20_000, 200)
    result = costs(study)
    assert result.activities.num_rows == 200
    picture = result.chart()
    assert picture is not None
    assert "<svg" in picture.svg()
    assert "18 dearest of 200" in picture.svg().replace("&#39;", "'")


def test_findings_name_money_and_customers():
    rows = [(f"c{n}", "2025-01-01", "purchase", 5.0 if n < 10 else 500.0) for n in range(40)]
    desk = activity("desk", cost=timed(31_000, rate=1.0), serves=[serves("purchase", 20)])
    result = costs(study_of(log_of(rows), chain(service=[desk]), currency="USD"))
    texts = [finding.text for finding in result.findings]
    assert texts[0].startswith(
        "Activities cost USD 1,000 from 1 January 2025 to 1 January 2025: 80% reached touchpoints and 20% was"
    )
    assert "Idle capacity: “Desk” used 80% of its time; the rest cost USD 200." in texts[1]
    assert (
        "10 of 40 customers who ordered (25.0%; 95% interval 14.2%–40.2%) cost more to serve than they bring, together USD 150."
        in texts[2]
    )
    assert math.isclose(result.findings[2].customers or 0, 10)
