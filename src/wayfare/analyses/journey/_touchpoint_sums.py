"""The folds behind `touchpoints`: who met what before and after the first order, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wayfare.histories.answers import SATISFACTION_COLUMNS, satisfaction
from wayfare.histories.block import Block
from wayfare.histories.calendar import period_index
from wayfare.histories.fold import Fold, add_up
from wayfare.histories.orders import ORDER_COLUMNS, Orders, orders_of
from wayfare.histories.stages import StageMap

NEVER = np.iinfo(np.int64).max
_MONTHS, _VALUES, _ACTIVITIES = 4_096, 64, 64
_DENSE_CELLS = 1 << 22


@dataclass(frozen=True)
class Points:
    """Which touchpoint each row is: an event, or an event with one value of a property.

    Attributes:
        by: The property, or nothing.
        width: How many values the property has, and one for a missing value.
        place: The touchpoint's number by event code · width + property code + 1; -1 for none.
        count: How many touchpoints there are.
    """

    by: str
    width: int
    place: tuple[int, ...]
    count: int

    def of(self, block: Block) -> NDArray[np.int64]:
        """Per row: its touchpoint, -1 for none (rows,)."""
        code = block["event"].astype(np.int64) * self.width
        if self.by and block.has(self.by):
            code += block[self.by].astype(np.int64) + 1
        return np.array(self.place, dtype=np.int64)[code]


@dataclass(frozen=True)
class Reach(Fold[dict[str, NDArray[np.int64]]]):
    """How often each touchpoint was met, and by how many customers."""

    points: Points

    @property
    def columns(self) -> tuple[str, ...]:
        """The event and the property."""
        return ("event", self.points.by) if self.points.by else ("event",)

    def scan(self, block: Block) -> dict[str, NDArray[np.int64]]:
        """Counts (touchpoints,) and all customers."""
        point, count = self.points.of(block), self.points.count
        met = np.flatnonzero(point >= 0)
        pairs = np.sort(block.owner[met] * count + point[met])
        distinct = pairs[np.diff(pairs, prepend=-1) != 0]
        return {
            "events": np.bincount(point[met], minlength=count),
            "customers": np.bincount(distinct % max(count, 1), minlength=count),
            "all": np.array([block.customers]),
        }


@dataclass(frozen=True)
class Compared:
    """Customers counted by stratum, touchpoint and whether they met it.

    Attributes:
        keys: (stratum · touchpoints + touchpoint) · 2 + met, ascending.
        sums: Customers and, of them, those with the outcome (keys, 2).
        later: How many customers had the outcome, and what their order was worth.
    """

    keys: NDArray[np.int64]
    sums: NDArray[np.float64]
    later: NDArray[np.float64]

    def __add__(self, other: Compared) -> Compared:
        keys, place = np.unique(np.concatenate([self.keys, other.keys]), return_inverse=True)
        sums = np.concatenate([self.sums, other.sums])
        added = np.column_stack(
            [np.bincount(place, weights=sums[:, i], minlength=keys.size).astype(float) for i in range(2)]
        )
        return Compared(keys, added, self.later + other.later)


@dataclass(frozen=True)
class Comparisons(Fold[dict[str, Any]]):
    """Customers who met each touchpoint within a window against those who did not, and the scores that followed it.

    Attributes:
        stages: Which events are orders.
        points: Which rows are touchpoints.
        window: How long after the arrival or the first order a touchpoint counts, µs.
        horizon: How long after the window the next order is waited for, µs.
        answered: How long before an answer a touchpoint may be, µs.
        ends: The log's end, µs.
        zone: That of the calendar months.
        kind: The kind of question whose scores count.
    """

    stages: StageMap
    points: Points
    window: int
    horizon: int
    answered: int
    ends: int
    zone: str
    kind: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of orders, the channel, the score and the property."""
        return (
            *ORDER_COLUMNS,
            "channel",
            *SATISFACTION_COLUMNS,
            *((self.points.by,) if self.points.by else ()),
        )

    def merge(self, left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
        """Sums add up; customers compared are gathered by their key."""
        own = ("first", "again")
        rest = add_up(
            {k: v for k, v in left.items() if k not in own}, {k: v for k, v in right.items() if k not in own}
        )
        return rest | {name: left[name] + right[name] for name in own}

    def scan(self, block: Block) -> dict[str, Any]:
        """The sums of one block."""
        point = self.points.of(block)
        orders = orders_of(block, self.stages)
        first_row, first, first_value = _numbered(block, orders, 1)
        _, second, second_value = _numbered(block, orders, 2)
        arrival = block["time"][block.starts[:-1]]
        return {
            "first": self._compared(block, point, arrival, first, first_value, np.zeros(block.customers)),
            "again": self._compared(
                block, point, first, second, second_value, first_value, first_row - block.starts[:-1]
            ),
            **self._scores(block, point),
        }

    def _compared(
        self, block: Block, point: NDArray, since: NDArray, outcome: NDArray, worth: NDArray, value: NDArray,
        before: NDArray | None = None,
    ) -> Compared:  # fmt: skip
        """One comparison at the landmark `since + window`, among those who had not got to the outcome by then.

        Activity is the number of events `before` the window where it is given, else that of others within it; the
        arrival itself is within its window, the order is not.
        """
        landmark = np.where(since < NEVER, since, 0) + self.window
        who = np.flatnonzero((since < NEVER) & (outcome > landmark) & (landmark + self.horizon <= self.ends))
        opens = since - (before is None)
        in_window = (block["time"] > opens[block.owner]) & (block["time"] <= landmark[block.owner])
        count = self.points.count
        met = np.flatnonzero(in_window & (point >= 0))
        times = np.bincount(block.owner[met] * count + point[met], minlength=block.customers * count)
        times = times.reshape(block.customers, count)[who]
        active = before[who][:, None] if before is not None else block.count(in_window)[who][:, None] - times
        came = outcome[who] <= landmark[who] + self.horizon
        stratum = self._background(block, since, value, who)
        keys, sums = _tally(stratum, np.broadcast_to(_band(active), times.shape), times > 0, came)
        return Compared(keys, sums, np.array([came.sum(), np.nansum(worth[who][came])], dtype=float))

    def _background(self, block: Block, since: NDArray, value: NDArray, who: NDArray) -> NDArray[np.int64]:
        """What customers are matched on but activity: first channel, month, value of the order (doublings)."""
        first = block.starts[:-1][who]
        channel = (
            block["channel"][first].astype(np.int64) + 1
            if block.has("channel")
            else np.zeros(who.size, np.int64)
        )
        month = np.clip(period_index(since[who], self.zone, "month"), 0, _MONTHS - 1)
        band = np.clip(np.frexp(np.maximum(np.nan_to_num(value[who]), 0.0))[1], 0, _VALUES - 1)
        return (channel * _MONTHS + month) * _VALUES + band

    def _scores(self, block: Block, point: NDArray) -> dict[str, NDArray]:
        """Sums over customers of their answers after each touchpoint and of all others (touchpoints, 2, 6)."""
        count = self.points.count
        score = satisfaction(block, self.kind)
        answers = np.flatnonzero(~np.isnan(score))
        score = score[answers]
        whose, owner = np.unique(block.owner[answers], return_inverse=True)
        found = np.zeros((count, 2, 6))
        if not answers.size:
            return {"scores": found}
        by_point = np.argsort(point.astype(np.int16), kind="stable")
        bounds = np.searchsorted(point[by_point], np.arange(count + 1))
        for number in range(count):
            rows = by_point[bounds[number] : bounds[number + 1]]
            if not rows.size:
                found[number, 1] = _ratio_sums(owner, score, np.ones(answers.size, bool), whose.size)
                continue
            last = rows[np.maximum(np.searchsorted(rows, answers) - 1, 0)]
            near = block["time"][answers] - block["time"][last] <= self.answered
            touched = (last < answers) & (block.owner[last] == block.owner[answers]) & near
            found[number, 0] = _ratio_sums(owner, score, touched, whose.size)
            found[number, 1] = _ratio_sums(owner, score, ~touched, whose.size)
        return {"scores": found}


def _numbered(
    block: Block, orders: Orders, number: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Per customer: the row, time and value of the order of this number; row 0, `NEVER` and nan where there is none."""
    mine = orders.number == number
    row, time = np.zeros(block.customers, np.int64), np.full(block.customers, NEVER)
    value = np.full(block.customers, np.nan)
    owner = orders.owner[mine]
    row[owner], time[owner], value[owner] = orders.row[mine], orders.time[mine], orders.value[mine]
    return row, time, value


def _band(count: NDArray) -> NDArray[np.int64]:
    """Activity in doublings: none, 1, 2–3, 4–7, …"""
    return np.clip(np.frexp(count.astype(float))[1], 0, _ACTIVITIES - 1).astype(np.int64)


def _tally(
    stratum: NDArray, active: NDArray, met: NDArray, came: NDArray
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Customers and outcomes by (stratum, activity, touchpoint, met), packed as `Compared.keys`."""
    points = met.shape[1]
    distinct, local = np.unique(stratum, return_inverse=True)
    bands = int(active.max(initial=0)) + 1
    cell = ((local[:, None] * bands + active) * points + np.arange(points)) * 2 + met
    weights = np.broadcast_to(came[:, None], cell.shape).ravel().astype(float)
    size = distinct.size * bands * points * 2
    if size <= _DENSE_CELLS:
        n = np.bincount(cell.ravel(), minlength=size)
        used = np.flatnonzero(n)
        sums = np.column_stack([n[used], np.bincount(cell.ravel(), weights=weights, minlength=size)[used]])
    else:
        used, place = np.unique(cell, return_inverse=True)
        place = place.ravel()
        sums = np.column_stack([np.bincount(place), np.bincount(place, weights=weights)])
    rest, point_met = np.divmod(used, max(points, 1) * 2)
    place, band = np.divmod(rest, bands)
    keys = ((distinct[place] if distinct.size else place) * _ACTIVITIES + band) * points * 2 + point_met
    return keys, sums.astype(float)


def _ratio_sums(owner: NDArray, score: NDArray, mask: NDArray, customers: int) -> NDArray[np.float64]:
    """Σx, Σy, Σxx, Σxy, Σyy and n over customers: x the sum of a customer's scores, y how many."""
    x = np.bincount(owner[mask], weights=score[mask], minlength=customers)
    y = np.bincount(owner[mask], minlength=customers).astype(float)
    return np.array([x.sum(), y.sum(), x @ x, x @ y, y @ y, (y > 0).sum()])
