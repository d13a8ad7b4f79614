from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wayfare as wf
from tests.analyses.cuts import in_blocks
from wayfare.errors import WayfareError

ZONE = ZoneInfo("Europe/Amsterdam")


def log_of(rows, zone="UTC"):
    frame = pd.DataFrame(rows, columns=["customer", "time", "event"])
    frame["time"] = pd.to_datetime(frame["time"])
    return wf.read_events(frame, customer="customer", time="time", event="event", zone=zone)


def table(result, *columns):
    return [tuple(row[c] for c in columns) for row in result.to_dict()["tables"]["intervals"]]


COUNTS = ("interval", "new", "returning", "resurrecting", "dormant")
HAND = [
    ("a", "2024-01-03", "view"),
    ("a", "2024-02-20", "buy"),
    ("b", "2024-01-31", "view"),
    ("b", "2024-03-01", "buy"),
    ("c", "2024-05-15", "view"),
    ("a", "2024-05-31", "view"),
]


def test_by_hand():
    result = wf.lifecycle(log_of(HAND))
    assert table(result, *COUNTS) == [
        ("2024-01", 2, 0, 0, 0),
        ("2024-02", 0, 1, 0, 1),
        ("2024-03", 0, 0, 1, 1),
        ("2024-04", 0, 0, 0, 1),
        ("2024-05", 1, 0, 1, 0),
    ]
    assert table(result, "active", "quick_ratio", "complete") == [
        (2, None, True), (1, 0.0, True), (1, 1.0, True), (0, 0.0, True), (2, None, True),
    ]  # fmt: skip


def test_the_interval_that_is_not_over_is_marked():
    assert table(wf.lifecycle(log_of(HAND[:-1])), "complete")[-2:] == [(True,), (False,)]
    days = wf.lifecycle(
        log_of([("a", "2024-03-01 08:00", "x"), ("a", "2024-03-02 23:59", "x")]), interval="day"
    )
    assert table(days, "interval", "complete") == [("2024-03-01", True), ("2024-03-02", False)]


def test_filters_leave_new_and_the_interval_before_as_they_were():
    log = log_of(HAND)
    whole = table(wf.lifecycle(log), *COUNTS)
    assert table(wf.lifecycle(log.where(since="2024-02-01")), *COUNTS) == whole[1:]
    assert table(wf.lifecycle(log.where(until="2024-03-01")), *COUNTS) == whole[:2]
    buys = table(wf.lifecycle(log.where(events=["buy"])), *COUNTS)
    assert buys == table(wf.lifecycle(log, active=["buy"]), *COUNTS)
    # Both were first seen in January, so that their first buys are no news.
    assert buys[:4] == [
        ("2024-01", 0, 0, 0, 0),
        ("2024-02", 0, 0, 1, 0),
        ("2024-03", 0, 0, 1, 1),
        ("2024-04", 0, 0, 0, 1),
    ]


def test_days_across_a_clock_change():
    # 2024-03-31 has 23 hours in Amsterdam; 22:30 UTC on the 30th is 23:30, on the 31st it is 00:30 on 1 April.
    rows = [("a", "2024-03-30T22:30Z", "x"), ("a", "2024-03-31T22:30Z", "x")]
    assert table(wf.lifecycle(log_of(rows, "Europe/Amsterdam"), interval="day"), *COUNTS) == [
        ("2024-03-30", 1, 0, 0, 0), ("2024-03-31", 0, 0, 0, 1), ("2024-04-01", 0, 0, 1, 0),
    ]  # fmt: skip


def test_cdnow_all_customers_are_new_in_the_first_quarter(shared_data):
    # shared/data/README.md: first-quarter-1997 cohort, 2,357 customers in the sample.
    path = shared_data / "cdnow" / "CDNOW_sample.txt"
    frame = pd.read_csv(path, sep=r"\s+", header=None, usecols=[1, 2], names=["customer", "time"], dtype=str)
    frame["time"], frame["event"] = pd.to_datetime(frame["time"]), "purchase"
    frame = wf.lifecycle(wf.read_events(frame, customer="customer", time="time", event="event")).to_pandas()
    assert frame["new"][:3].sum() == 2357
    assert frame["new"][3:].sum() == 0
    assert len(frame) == 18


def oracle(rows, interval):
    def of(moment):
        day = moment.astimezone(ZONE).date()
        monday = day - timedelta(days=day.weekday())
        return {"day": day, "week": monday, "month": day.replace(day=1)}[interval]

    def following(start):
        return (start + timedelta(days={"day": 1, "week": 7, "month": 32}[interval])).replace(
            **({"day": 1} if interval == "month" else {})
        )

    active, first = defaultdict(set), {}
    for customer, time, _ in rows:
        active[of(time)].add(customer)
        first[customer] = min(first.get(customer, time), time)
    found, at, before = [], min(active), set()
    while at <= max(active):
        now = active.get(at, set())
        new = {c for c in now if of(first[c]) == at}
        found.append((len(new), len(now & before), len(now - new - before), len(before - now)))
        at, before = following(at), now
    return found


@settings(max_examples=40)
@given(
    histories=st.lists(st.lists(st.integers(0, 300), min_size=1, max_size=8), min_size=1, max_size=8),
    interval=st.sampled_from(["day", "week", "month"]),
)
def test_as_the_oracle(histories, interval):
    begin = datetime(2024, 2, 20, 22, 15, tzinfo=ZoneInfo("UTC"))
    hours = {"day": 7, "week": 20, "month": 70}[interval]
    rows = [
        (f"c{i}", begin + timedelta(hours=hours * at), "x") for i, ats in enumerate(histories) for at in ats
    ]
    log = log_of(rows, "Europe/Amsterdam")
    result = wf.lifecycle(log, interval=interval)
    assert table(result, *COUNTS[1:]) == oracle(rows, interval)
    assert wf.lifecycle(in_blocks(log, 1), interval=interval).to_dict() == result.to_dict()


def test_nobody_and_one_row():
    log = log_of([("a", "2024-01-01", "view")])
    nobody = wf.lifecycle(log.where("did:buy"))
    assert nobody.intervals.num_rows == 0
    assert nobody.chart() is None
    one = wf.lifecycle(log)
    assert table(one, *COUNTS) == [("2024-01", 1, 0, 0, 0)]
    assert "Too few" in one.findings[0].text
    assert one.chart() is None


def test_finding_and_picture():
    rows = [(f"c{i}", f"2024-0{m}-28", "x") for m in (1, 2, 3) for i in range(100) if m < 3 or i < 40]
    rows += [(f"n{i}", "2024-03-31", "x") for i in range(10)]
    result = wf.lifecycle(log_of(rows))
    assert result.findings[0].text == (
        "The active base shrank to 50 customers in 2024-03: 10 new, 0 back after a pause, 60 fell silent (60% of those active before)."
    )
    assert result.findings[0].customers == 60
    assert "dormant" in result.chart().svg()
    assert type(result).from_dict(result.to_dict()).to_dict() == result.to_dict()


def test_a_base_that_neither_grows_nor_shrinks_and_one_too_small():
    rows = [(f"c{i}", f"2024-0{month}-28", "x") for month in (1, 2) for i in range(40)]
    result = wf.lifecycle(log_of([*rows, ("c0", "2024-02-29", "x")]))
    assert result.findings[0].text.startswith("The active base stayed at 40 customers in 2024-02: 0 new")
    few = wf.lifecycle(log_of([*rows[:3], *rows[40:42], ("c0", "2024-02-29", "x")]))
    assert few.findings[0].text == (
        "Too few to say how the customer base changes: 2 customers active in 2024-02, 3 in the month before."
    )
    one = wf.lifecycle(log_of([*rows[:40], ("c0", "2024-01-31", "x")]))
    assert one.findings[0].text == "Too few to say how the customer base changes: 1 month is over."


def test_an_unknown_event_is_refused():
    with pytest.raises(WayfareError):
        wf.lifecycle(log_of(HAND), active=["nothing"])
