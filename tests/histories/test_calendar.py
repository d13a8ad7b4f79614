"""Calendar periods against the standard library's own zone arithmetic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wayfare.errors import InvalidParameter
from wayfare.histories import calendar

ZONES = [
    "UTC",
    "Europe/Amsterdam",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
]
MOMENTS = st.datetimes(datetime(1975, 1, 1), datetime(2090, 1, 1))


def micros(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@given(MOMENTS, st.sampled_from(ZONES))
def test_local_time_is_the_wall_clock(naive, zone):
    moment = naive.replace(tzinfo=UTC)
    wall = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC)
    assert calendar.local_time(np.array([micros(moment)]), zone)[0] == micros(wall)


@given(MOMENTS, st.sampled_from(ZONES))
def test_utc_time_reads_the_wall_clock_as_the_standard_library_does(naive, zone):
    # fold=0: an hour that happens twice is its first; a skipped hour moves on by the gap.
    expected = naive.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)
    assert calendar.utc_time(np.array([micros(naive.replace(tzinfo=UTC))]), zone)[0] == micros(expected)


@given(MOMENTS, st.sampled_from(ZONES))
def test_periods_are_named_after_the_local_day(naive, zone):
    moment = naive.replace(tzinfo=UTC)
    local = moment.astimezone(ZoneInfo(zone)).date()
    name = {}
    for period in ("day", "week", "month", "quarter", "year"):
        index = calendar.period_index(np.array([micros(moment)]), zone, period)[0]
        name[period] = calendar.period_label(index, period)
    assert name["day"] == local.isoformat()
    assert name["week"] == (local - timedelta(days=local.weekday())).isoformat()
    assert name["month"] == f"{local:%Y-%m}"
    assert name["quarter"] == f"{local.year}-Q{(local.month + 2) // 3}"
    assert name["year"] == str(local.year)


def test_the_day_the_clocks_change_has_23_hours():
    # Amsterdam, 2024-03-31: 02:00 becomes 03:00.
    start, end = (calendar.start_of_day(day, "Europe/Amsterdam") for day in ("2024-03-31", "2024-04-01"))
    assert end - start == 23 * 3_600_000_000


def test_a_leap_day_is_a_day():
    index = calendar.period_index(np.array([micros(datetime(2024, 2, 29, 12, tzinfo=UTC))]), "UTC", "day")[0]
    assert calendar.period_label(index, "day") == "2024-02-29"
    assert calendar.period_label(index + 1, "day") == "2024-03-01"


def test_unknown_zones_and_dates_are_named():
    with pytest.raises(InvalidParameter, match="Mars/Olympus"):
        calendar.zone_of("Mars/Olympus")
    with pytest.raises(InvalidParameter, match="2024-02-30"):
        calendar.start_of_day("2024-02-30", "UTC")
