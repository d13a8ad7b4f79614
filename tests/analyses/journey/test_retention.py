from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wayfare as wf
from tests.analyses.cuts import in_blocks
from wayfare.errors import WayfareError

ZONE = ZoneInfo("Europe/Amsterdam")
COLUMNS = {"customer": "customer", "time": "time", "event": "event"}


def log_of(rows, zone="UTC"):
    frame = pd.DataFrame(rows, columns=["customer", "time", "event"])
    frame["time"] = pd.to_datetime(frame["time"])
    return wf.read_events(frame, **COLUMNS, zone=zone)


def cells(result, *columns):
    return [tuple(row[c] for c in columns) for row in result.to_dict()["tables"]["cohorts"]]


# Three customers start in January, one in February; the log ends on 31 March, so March is over.
HAND = [
    ("a", "2024-01-03", "view"),
    ("a", "2024-01-20", "buy"),
    ("a", "2024-02-11", "view"),
    ("b", "2024-01-31", "view"),
    ("b", "2024-03-01", "buy"),
    ("c", "2024-01-15", "view"),
    ("d", "2024-02-29", "view"),
    ("d", "2024-03-31", "view"),
]


def test_by_hand_on():
    result = wf.retention(log_of(HAND))
    assert cells(result, "cohort", "period", "customers", "active", "rate", "pending", "complete") == [
        ("2024-01", 0, 3, 3, 1.0, 0, True),
        ("2024-01", 1, 3, 1, 1 / 3, 0, True),
        ("2024-01", 2, 3, 1, 1 / 3, 0, True),
        ("2024-02", 0, 1, 1, 1.0, 0, True),
        ("2024-02", 1, 1, 1, 1.0, 0, True),
    ]
    curve = result.to_pandas("curve")
    assert curve["customers"].tolist() == [4, 4, 3]
    assert curve["active"].tolist() == [4, 2, 1]


def test_by_hand_or_later_and_brackets():
    later = wf.retention(log_of(HAND), kind="on_or_after")
    assert cells(later, "cohort", "span", "active") == [
        ("2024-01", "0+", 3), ("2024-01", "1+", 2), ("2024-01", "2+", 1), ("2024-02", "0+", 1), ("2024-02", "1+", 1),
    ]  # fmt: skip
    bracket = wf.retention(log_of(HAND), kind="bracket", brackets=("0", "1-2"))
    assert cells(bracket, "cohort", "period", "span", "customers", "active", "pending") == [
        ("2024-01", 0, "0", 3, 3, 0), ("2024-01", 1, "1-2", 3, 2, 0),
        ("2024-02", 0, "0", 1, 1, 0), ("2024-02", 1, "1-2", 1, 1, 0),
    ]  # fmt: skip


def test_start_and_back_events():
    # Cohorts by first buy; what was done before it is no return, and views alone are none.
    result = wf.retention(log_of(HAND), start=["buy"], back=["view"])
    assert cells(result, "cohort", "period", "customers", "active") == [
        ("2024-01", 0, 1, 0), ("2024-01", 1, 1, 1), ("2024-01", 2, 1, 0), ("2024-03", 0, 1, 0),
    ]  # fmt: skip


def test_a_month_is_pending_until_the_log_reaches_its_last_day():
    result = wf.retention(log_of([*HAND[:-1], ("d", "2024-03-30", "view")]))
    assert cells(result, "cohort", "period", "customers", "active", "rate", "pending", "complete")[2:] == [
        ("2024-01", 2, 3, 1, 1 / 3, 2, False),
        ("2024-02", 0, 1, 1, 1.0, 0, True),
        ("2024-02", 1, 1, 1, 1.0, 0, False),
    ]
    assert result.to_pandas("curve")["period"].tolist() == [0, 1], "the curve has only what is over"


def test_a_rolling_day_is_24_hours_from_the_own_start_and_a_calendar_day_is_not():
    # Clocks went forward on 2024-03-31: that calendar day has 23 hours.
    rows = [
        ("a", "2024-03-30 23:30", "view"),
        ("a", "2024-03-31 00:30", "view"),
        ("b", "2024-03-30 12:00", "view"),
        ("b", "2024-03-31 12:30", "view"),  # 23.5 hours later
        ("z", "2024-04-02 13:00", "view"),
    ]
    calendar = wf.retention(log_of(rows, "Europe/Amsterdam"), period="day")
    assert cells(calendar, "cohort", "period", "customers", "active")[:4] == [
        ("2024-03-30", 0, 2, 2), ("2024-03-30", 1, 2, 2), ("2024-03-30", 2, 2, 0), ("2024-03-30", 3, 2, 0),
    ]  # fmt: skip
    rolling = wf.retention(log_of(rows, "Europe/Amsterdam"), period="day", clock="rolling")
    assert cells(rolling, "cohort", "period", "customers", "active", "pending")[:3] == [
        ("2024-03-30", 0, 2, 2, 0), ("2024-03-30", 1, 2, 0, 0), ("2024-03-30", 2, 2, 0, 1),
    ]  # fmt: skip


def test_new_is_the_first_event_ever_even_when_the_log_is_filtered():
    log = log_of(HAND)
    since = wf.retention(log.where(since="2024-02-01"))
    assert cells(since, "cohort", "period", "customers", "active") == [
        ("2024-02", 0, 1, 1),
        ("2024-02", 1, 1, 1),
    ]
    buys = wf.retention(log.where(events=["buy"]))
    assert cells(buys, "cohort", "period", "customers", "active")[:3] == [
        ("2024-01", 0, 3, 1), ("2024-01", 1, 3, 0), ("2024-01", 2, 3, 1),
    ]  # fmt: skip
    until = wf.retention(log.where(until="2024-03-01"))
    assert cells(until, "cohort", "period", "customers", "active") == [
        ("2024-01", 0, 3, 3), ("2024-01", 1, 3, 1), ("2024-02", 0, 1, 1),
    ]  # fmt: skip


def test_cdnow_share_that_bought_on_more_than_one_day(shared_data):
    # shared/data/README.md: 23,570 customers, 48.9% bought on more than one day.
    frame = pd.read_parquet(shared_data / "cdnow" / "cdnow_master.parquet")
    frame = pd.DataFrame(
        {
            "customer": frame.iloc[:, 0],
            "time": pd.to_datetime(frame.iloc[:, 1].astype(str)),
            "event": "purchase",
        }
    )
    row = (
        wf.retention(wf.read_events(frame, **COLUMNS), kind="on_or_after", period="day")
        .to_pandas("curve")
        .iloc[1]
    )
    assert row["customers"] == 23_570
    assert row["rate"] == pytest.approx(0.489, abs=0.0005)


# The oracle: loops over customers, with Python's own calendar.

STEPS = st.tuples(st.integers(0, 400), st.sampled_from(["view", "buy", "refund"]))
HISTORIES = st.lists(st.lists(STEPS, min_size=1, max_size=6), min_size=1, max_size=8)


def number(moment, period):
    local = moment.astimezone(ZONE)
    if period == "month":
        return local.year * 12 + local.month - 1
    return local.toordinal() if period == "day" else (local.toordinal() - 1) // 7


def over_until(end, period):
    """The number of the first period that isn't over."""
    return number(end, "day") if period == "day" else number(end.astimezone(ZONE) + timedelta(days=1), period)


def oracle(rows, start, back, period, kind, clock, spans):
    end = max(time for _, time, _ in rows)
    length = timedelta(days={"day": 1, "week": 7, "month": 30}[period])
    found = {}
    for customer in {c for c, _, _ in rows}:
        mine = sorted(((t, i, e) for i, (c, t, e) in enumerate(rows) if c == customer))
        first = next((k for k, (_, _, e) in enumerate(mine) if not start or e in start), None)
        if first is None:
            continue
        began = mine[first][0]
        cohort = number(began, period)
        done = over_until(end, period) - cohort if clock == "calendar" else (end - began) // length
        times = [t for t, _, e in mine[first:] if not back or e in back]
        offsets = [
            number(t, period) - cohort if clock == "calendar" else (t - began) // length for t in times
        ]
        for low, high in spans:
            over = done > (low if kind == "on_or_after" else high)
            hit = any(o >= low if kind == "on_or_after" else low <= o <= high for o in offsets)
            size, came, waiting, complete = found.get((cohort, low), (0, 0, 0, True))
            found[cohort, low] = (size + 1, came + hit, waiting + (not over and not hit), complete and over)
    return found


@settings(max_examples=60)
@given(
    histories=HISTORIES, start=st.sampled_from([(), ("buy",)]), back=st.sampled_from([(), ("buy", "refund")]),
    period=st.sampled_from(["day", "week", "month"]), kind=st.sampled_from(["on", "on_or_after", "bracket"]),
    clock=st.sampled_from(["calendar", "rolling"]),
)  # fmt: skip
def test_as_the_oracle(histories, start, back, period, kind, clock):
    begin = datetime(2024, 2, 20, 23, 15, tzinfo=ZoneInfo("UTC"))
    hours = {"day": 5, "week": 20, "month": 70}[period]
    rows = [
        (f"c{i}", begin + timedelta(hours=hours * at), event)
        for i, steps in enumerate(histories)
        for at, event in steps
    ]
    rows.append(("other", begin, "buy"))
    rows.append(("other", begin, "refund"))
    log = log_of(rows, "Europe/Amsterdam")
    brackets = ("0", "1-2", "4-9")
    spans = [(0, 0), (1, 2), (4, 9)] if kind == "bracket" else [(k, k) for k in range(13)]
    said = {
        "start": start,
        "back": back,
        "period": period,
        "kind": kind,
        "clock": clock,
        "brackets": brackets,
        "periods": 12,
    }
    result = wf.retention(log, **said)
    names = {}
    for _, time, _ in rows:
        cohort = number(time, period)
        local = time.astimezone(ZONE).date()
        monday = local - timedelta(days=local.weekday())
        names[cohort] = {
            "month": local.isoformat()[:7],
            "week": monday.isoformat(),
            "day": local.isoformat(),
        }[period]
    expected = {
        (names[c], low): v for (c, low), v in oracle(rows, start, back, period, kind, clock, spans).items()
    }
    shown = cells(result, "cohort", "period", "customers", "active", "pending", "complete")
    found = {(cohort, low): tuple(rest) for cohort, low, *rest in shown}
    assert found == {key: expected[key] for key in found}
    assert {key for key, row in expected.items() if row[3]} <= set(found)
    assert wf.retention(in_blocks(log, 2), **said).to_dict() == result.to_dict()


def test_nobody_and_one_row():
    log = log_of([("a", "2024-01-01", "view")])
    nobody = wf.retention(log.where("did:buy"))
    assert nobody.cohorts.num_rows == 0
    assert nobody.curve.num_rows == 0
    assert nobody.chart() is None
    assert "Nobody" in nobody.findings[0].text
    one = wf.retention(log)
    assert cells(one, "cohort", "period", "customers", "pending") == [("2024-01", 0, 1, 0)]
    assert "Too few" in one.findings[0].text
    assert one.chart() is None


def test_brackets_are_named_as_days():
    rows = [(f"{i}", "2024-01-01", "view") for i in range(40)] + [
        (f"{i}", "2024-01-04", "view") for i in range(10)
    ]
    log = log_of([*rows, ("last", "2024-02-01", "view")])
    result = wf.retention(log, period="day", kind="bracket", brackets=("0", "2-3"))
    # Wilson for 10 of 40.
    assert (
        result.findings[0].text == "25% (14% to 40%) of 40 customers came back in days 2-3 after the start."
    )


def test_what_changed_since_when():
    # 100 customers a month; 40 of each old cohort come back in the month after, 10 of the newest.
    rows = []
    for month, back in [(1, 40), (2, 40), (3, 10)]:
        for i in range(100):
            rows.append((f"{month}-{i}", f"2024-0{month}-05", "view"))
            if i < back:
                rows.append((f"{month}-{i}", f"2024-0{month + 1}-10", "view"))
    rows.append(("last", "2024-04-30", "view"))
    result = wf.retention(log_of(rows))
    assert result.findings[0].text.startswith(
        "30% (25% to 35%) of 300 customers came back in the month after they started"
    )
    assert (
        "since 2024-03 come back less often in month 1: 10% of 100, against 40% of 200 before"
        in result.findings[1].text
    )
    assert "<svg" in result.chart().svg()


@pytest.mark.parametrize("said", [{"periods": 0}, {"kind": "bracket", "brackets": ("1-3", "2")}, {"kind": "bracket", "brackets": ("x",)},
                                  {"start": ("nothing",)}, {"kind": "sometimes"}])  # fmt: skip
def test_what_cannot_be_asked(said):
    with pytest.raises(WayfareError):
        wf.retention(log_of(HAND), **said)


def test_round_trip():
    result = wf.retention(log_of(HAND))
    assert type(result).from_dict(result.to_dict()).to_dict() == result.to_dict()
    assert np.isnan(wf.retention(log_of(HAND[:3])).to_pandas()["low"].iloc[-1])
