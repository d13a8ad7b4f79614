"""A length of elapsed time, as people write it: `90s`, `30m`, `24h`, `7d`, `2w`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from wayfare.errors import InvalidParameter

_WRITTEN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*", re.IGNORECASE)
_SECONDS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hour", "hours"), 3_600),
    **dict.fromkeys(("d", "day", "days"), 86_400),
    **dict.fromkeys(("w", "week", "weeks"), 604_800),
}


@dataclass(frozen=True, order=True)
class Duration:
    """An elapsed time in whole microseconds; a day is 24 hours, whatever the clocks do."""

    microseconds: int

    MAX_DAYS: ClassVar[int] = 36_500

    @classmethod
    def parse(cls, value: Duration | timedelta | str) -> Duration:
        """The duration that `value` says; text takes one number and one unit (s, m, h, d, w)."""
        if isinstance(value, Duration):
            return value
        if isinstance(value, timedelta):
            return cls._checked(value.total_seconds() * 1e6, value)
        match = _WRITTEN.fullmatch(str(value))
        unit = _SECONDS.get(match[2].lower()) if match else None
        if match is None or unit is None:
            raise InvalidParameter(
                f"{value!r} is not a duration.",
                allowed=("30m", "24h", "7d", "2w"),
                hint="Write a number and s, m, h, d or w.",
            )
        return cls._checked(float(match[1]) * unit * 1e6, value)

    @classmethod
    def _checked(cls, microseconds: float, value: object) -> Duration:
        if not 0.5 < microseconds <= cls.MAX_DAYS * 86_400_000_000:
            raise InvalidParameter(f"{value!r} must be longer than nothing and at most {cls.MAX_DAYS} days.")
        return cls(round(microseconds))

    @property
    def seconds(self) -> float:
        """The length in seconds."""
        return self.microseconds / 1e6

    @property
    def days(self) -> float:
        """The length in days of 24 hours."""
        return self.microseconds / 86_400e6

    def __str__(self) -> str:
        for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
            if self.microseconds % (size * 1_000_000) == 0:
                return f"{self.microseconds // (size * 1_000_000)}{unit}"
        return f"{self.seconds:.6f}".rstrip("0").rstrip(".") + "s"


def in_words(seconds: float) -> str:
    """A number of seconds as a person says it: `42 seconds`, `3.5 hours`, `12 days`."""
    if seconds != seconds:  # noqa: PLR0124 - the test for nan
        return "unknown"
    for limit, size, unit in (
        (90, 1, "second"),
        (5_400, 60, "minute"),
        (129_600, 3_600, "hour"),
        (float("inf"), 86_400, "day"),
    ):
        if seconds < limit:
            amount = (
                f"{seconds / size:.1f}".removesuffix(".0")
                if seconds / size < 10
                else f"{seconds / size:,.0f}"
            )
            return f"{amount} {unit}" if amount == "1" else f"{amount} {unit}s"
    raise AssertionError
