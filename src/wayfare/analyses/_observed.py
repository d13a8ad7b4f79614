"""What a log has seen: its calendar periods, which of them are over, and histories as whole as a filter allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import SupportsInt

import numpy as np
from numpy.typing import NDArray

from wayfare.histories.block import Block
from wayfare.histories.calendar import Period, local_days, period_index, period_label, utc_time
from wayfare.log import Log
from wayfare.study import Study

_DAY = 86_400_000_000
_HOUR = 3_600_000_000


@dataclass(frozen=True, eq=False)
class Periods:
    """The calendar periods from a log's first event to its end, numbered from 0.

    Attributes:
        period: How long each is.
        first: The calendar number of period 0 (see `period_index`).
        edges: When each starts, µs UTC, and when the last one ends (count + 1,).
        over: How many of the first ones are over.
        partial_start: Whether the log begins after the first day of period 0.
    """

    period: Period
    first: int
    edges: NDArray[np.int64]
    over: int
    partial_start: bool = False

    @property
    def count(self) -> int:
        """How many periods there are."""
        return len(self.edges) - 1

    def number(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """The period that each time (µs, UTC) falls in."""
        return np.searchsorted(self.edges, times, side="right") - 1

    def rows(self, block: Block) -> NDArray[np.int64]:
        """The period that each row of a block falls in (rows,)."""
        key = ("periods", self.edges.tobytes())
        return block.once(key, lambda: self.number(block["time"]))

    def label(self, number: SupportsInt) -> str:
        """A period's name, such as `2024-05`."""
        return period_label(self.first + int(number), self.period)

    def labels(self) -> list[str]:
        """All names, in order."""
        return [self.label(number) for number in range(self.count)]

    def is_over(self) -> NDArray[np.bool_]:
        """For each period: whether it is over."""
        return np.arange(self.count) < self.over

    def is_covered(self) -> NDArray[np.bool_]:
        """For each period: whether the log covers it from its first day to its last."""
        return self.is_over() & ~(self.partial_start & (np.arange(self.count) == 0))


def periods_of(log: Log, period: Period) -> Periods:
    """The periods of a log in its zone.

    A week, month or longer is over when the log reaches its last day, a day when the log goes on after it:
    an export taken in the evening of the 31st holds the whole month for every practical purpose.
    """
    first, until = log.facts.first, log.condition.until
    if first is None:
        return Periods(period, 0, np.zeros(1, dtype=np.int64), 0)
    last = log.ends - (until is not None and log.ends == until)
    low, high = (int(n) for n in period_index(np.array([first, max(last, first)]), log.zone, period))
    edges = _edges(np.arange(low, high + 2), log.zone, period)
    seen = log.ends if period == "day" else max(_next_day(last, log.zone), log.ends)
    over = int(np.searchsorted(edges[1:], seen, side="right")) if last >= first else 0
    return Periods(period, low, edges, over, first >= _next_day(int(edges[0]), log.zone))


def shown_from(log: Log, periods: Periods) -> int:
    """The first period that a filter by time leaves to show."""
    since = log.condition.since
    return 0 if since is None else int(np.clip(periods.number(np.array([since]))[0], 0, periods.count))


def _edges(numbers: NDArray[np.int64], zone: str, period: Period) -> NDArray[np.int64]:
    if period in ("day", "week"):
        days = numbers * 7 - 3 if period == "week" else numbers
    else:
        months = numbers * {"month": 1, "quarter": 3, "year": 12}[period]
        days = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    edges = utc_time(days * _DAY, zone)
    # Where clocks go back at midnight, the first 24:00 is still 23:00 of the day before.
    return np.where(period_index(edges, zone, period) < numbers, edges + _HOUR, edges)


def _next_day(moment: int, zone: str) -> int:
    return int(_edges(local_days(np.array([moment]), zone) + 1, zone, "day")[0])


def whole_histories(study: Study) -> Study:
    """The study with every row up to the filter's end, so that *first ever* means ever; segments stay.

    What the filter says of `since` and of events is then for the fold to apply: see `event_codes`.
    """
    condition = study.log.condition
    if condition.since is None and condition.events is None:
        return study
    log = replace(study.log, condition=replace(condition, since=None, events=None))
    return replace(study, log=log, _results={}, _together=None)


def event_codes(study: Study, events: Sequence[str]) -> tuple[int, ...] | None:
    """The codes of `events` that the filter keeps; None where every event counts."""
    kept = study.log.condition.events
    if not events:
        return None if kept is None else tuple(sorted(kept))
    codes = {study.log.code("event", event) for event in events}
    return tuple(sorted(codes if kept is None else codes & kept))


def rows_of(block: Block, codes: tuple[int, ...] | None) -> NDArray[np.bool_]:
    """Per row: whether its event is one of `codes` (rows,)."""
    return np.ones(block.rows, dtype=bool) if codes is None else block.happened(codes)
