"""Days, weeks and months as people live them: calendar ones in the workspace's zone, clock changes included."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from wayfare.errors import InvalidParameter

Period = Literal["day", "week", "month", "quarter", "year"]
_DAY = 86_400_000_000
_YEARS = (1970, 2100)
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def zone_of(name: str) -> ZoneInfo:
    """The time zone called `name`, or the error that says how zones are written."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidParameter(
            f"{name!r} is not a time zone.", allowed=("UTC", "Europe/Amsterdam", "America/New_York")
        ) from None


@lru_cache(maxsize=32)
def _offsets(zone: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """When the zone's offset changes (µs, UTC) and the offset from then on (µs)."""
    tz, at = zone_of(zone), datetime(_YEARS[0], 1, 1, tzinfo=UTC)
    end = datetime(_YEARS[1], 1, 1, tzinfo=UTC)
    changes, offsets = [np.iinfo(np.int64).min], [_offset(tz, at)]
    while at < end:
        later = at + timedelta(days=7)
        if _offset(tz, later) != offsets[-1]:
            changes.append(_change(tz, at, later))
            offsets.append(_offset(tz, later))
        at = later
    return np.array(changes), np.array(offsets)


def _offset(tz: ZoneInfo, at: datetime) -> int:
    return round((at.astimezone(tz).utcoffset() or timedelta()).total_seconds() * 1e6)


def _change(tz: ZoneInfo, low: datetime, high: datetime) -> int:
    before = _offset(tz, low)
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        low, high = (middle, high) if _offset(tz, middle) == before else (low, middle)
    return round(high.replace(microsecond=0).timestamp() * 1e6)


def local_time(times: NDArray[np.int64], zone: str) -> NDArray[np.int64]:
    """Wall-clock times in `zone` as µs since 1970-01-01 00:00 of that clock, from µs in UTC."""
    changes, offsets = _offsets(zone)
    if len(offsets) == 1:
        return times + offsets[0]
    return times + offsets[np.searchsorted(changes, times, side="right") - 1]


def utc_time(local: NDArray[np.int64], zone: str) -> NDArray[np.int64]:
    """µs in UTC from wall-clock µs in `zone`; an hour that happens twice is read as its first, a skipped one moves on."""
    changes, offsets = _offsets(zone)
    if len(offsets) == 1:
        return local - offsets[0]
    wall = changes[1:] + np.maximum(offsets[1:], offsets[:-1])
    return local - offsets[np.searchsorted(wall, local, side="right")]


def local_days(times: NDArray[np.int64], zone: str) -> NDArray[np.int64]:
    """The calendar day in `zone` of each time, as days since 1970-01-01."""
    return local_time(times, zone) // _DAY


def period_index(times: NDArray[np.int64], zone: str, period: Period) -> NDArray[np.int64]:
    """The calendar period in `zone` that each time falls in, numbered so that the next one is 1 more.

    Weeks start on Monday. `period_label` gives the number's name.
    """
    days = local_days(times, zone)
    if period == "day":
        return days
    if period == "week":
        return (days + 3) // 7
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return months // _MONTHS[period]


def period_start(index: int, period: Period) -> str:
    """The first day of a period as an ISO date."""
    if period in _MONTHS:
        return f"{np.datetime64(int(index) * _MONTHS[period], 'M')}-01"
    return str(np.datetime64(int(index) * 7 - 3 if period == "week" else int(index), "D"))


def period_label(index: int, period: Period) -> str:
    """A period's name: `2024-05-14`, `2024-05-13` (a week's Monday), `2024-05`, `2024-Q2`, `2024`."""
    start = period_start(index, period)
    if period == "quarter":
        return f"{start[:4]}-Q{(int(start[5:7]) + 2) // 3}"
    return {"month": start[:7], "year": start[:4]}.get(period, start)


def start_of_day(day: str, zone: str) -> int:
    """The first moment of the ISO date `day` in `zone`, in µs UTC."""
    try:
        local = np.datetime64(day, "D").astype("datetime64[us]").astype(np.int64)
    except ValueError:
        raise InvalidParameter(f"{day!r} is not a date.", allowed=("2024-05-31",)) from None
    return int(utc_time(np.array([local]), zone)[0])
