"""The company's clocks: dates as microseconds, the season that stretches time, and the hours of a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from wayfare.demo.company import Company
from wayfare.demo.rows import Array

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY

_BEYOND_DAYS = 120
_HOURLY = np.array(
    [4, 3, 2, 2, 3, 6, 10, 14, 15, 15, 14, 14, 15, 14, 13, 13, 14, 16, 18, 20, 20, 16, 11, 7], float
)
_HOURS = np.arange(25) / 24
_HOURS_DONE = np.concatenate([[0], np.cumsum(_HOURLY)]) / _HOURLY.sum()


def micros(day: date) -> int:
    """Midnight UTC of a date in microseconds since 1970."""
    return int(np.datetime64(day, "us").astype(np.int64))


def daytime(times: Array) -> Array:
    """Times moved within their own day, in the same order, so that they follow the hours people are awake."""
    midnight = times // DAY * DAY
    share = np.interp((times - midnight) / DAY, _HOURS_DONE, _HOURS)
    moved: Array = midnight + (share * DAY).astype(np.int64)
    return moved


@dataclass(frozen=True)
class SeasonClock:
    """Season time runs fast in December and slowly in summer; a plain Poisson process in it is seasonal."""

    calendar: Array
    season: Array

    @classmethod
    def of(cls, company: Company) -> SeasonClock:
        """The clock from the company's start to some months past its end."""
        start = micros(company.start)
        days = (micros(company.end) - start) // DAY + _BEYOND_DAYS
        calendar = start + np.arange(days + 1, dtype=np.int64) * DAY
        month = calendar[:-1].astype("datetime64[us]").astype("datetime64[M]").astype(int) % 12
        speed = np.array(company.season)[month]
        return cls(calendar, np.concatenate([[0.0], np.cumsum(speed)]) * DAY)

    def after(self, times: Array, waits: Array) -> Array:
        """The calendar times at which `waits` microseconds of season time have passed; far off becomes the last."""
        done = np.interp(times, self.calendar, self.season) + waits
        return np.interp(done, self.season, self.calendar).astype(np.int64)
