"""The fold behind `activity_effects`: how each activity did, and what customers did after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses.value_chain._performance import (
    HOUR,
    NEVER,
    Measure,
    Runs,
    following_of_order,
    next_time,
    runs_of,
)
from wayfare.histories.answers import SATISFACTION_COLUMNS, satisfaction
from wayfare.histories.block import Block
from wayfare.histories.calendar import period_index
from wayfare.histories.fold import Fold, add_up
from wayfare.histories.orders import ORDER_COLUMNS, Orders, orders_of
from wayfare.histories.stages import StageMap
from wayfare.stats.quantiles import BUCKETS, bucket_of

OUTCOMES = ("conversion", "satisfaction", "repurchase", "referral")
SUMS = ("n", "y", "yy", "timed", "timed_y", "timed_yy", "h", "hh", "hy", "value", "value_squares")
"""What is summed in each cell: customers, outcome and its square; for those with a wait again, with the hours; money."""
BINS, PER_DOUBLING = 256, 8
"""Waits without a target are counted in so many bins for each doubling from a second on; the last is for no end."""
_MONTHS, _BANDS = 4_096, 16
_LONGEST = 1 << 60


@dataclass(frozen=True)
class Tally:
    """Sums of customers by activity, outcome, stratum and bin.

    Attributes:
        keys: ((activity · outcomes + outcome) · strata + stratum) · bins + bin, ascending.
        sums: Those of `SUMS` (keys, sums).
    """

    keys: NDArray[np.int64]
    sums: NDArray[np.float64]

    def __add__(self, other: Tally) -> Tally:
        keys, place = np.unique(np.concatenate([self.keys, other.keys]), return_inverse=True)
        sums = np.concatenate([self.sums, other.sums])
        return Tally(keys, _add_at(place, sums, keys.size))


@dataclass(frozen=True)
class Effects(Fold[dict[str, Any]]):
    """How each activity did, and what came after the customers' first run of it.

    Attributes:
        measures: The activities' measures.
        stages: Which events are orders.
        referrals: The codes of the events by which a customer brings others.
        kind: The kind of question whose scores count.
        window: How long outcomes are waited for, µs.
        ends: The log's end, µs.
        zone: That of the calendar months.
        edges: When each month starts, µs, and when the last ends.
        channels: How many channels the log has.
    """

    measures: tuple[Measure, ...]
    stages: StageMap
    referrals: tuple[int, ...]
    kind: int
    window: int
    ends: int
    zone: str
    edges: tuple[int, ...]
    channels: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of orders, the channel and the score."""
        return (*ORDER_COLUMNS, "channel", *SATISFACTION_COLUMNS)

    @property
    def strata(self) -> int:
        """How many strata there could be."""
        return (self.channels + 1) * _MONTHS * _BANDS

    def merge(self, left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
        """Sums add up; tallies are gathered by their key, and the scale grows to what was answered."""
        low, high = (np.stack([left["scale"][i], right["scale"][i]]) for i in (0, 1))
        return {
            "performance": add_up(left["performance"], right["performance"]),
            "tally": left["tally"] + right["tally"],
            "scale": np.array([np.fmin(*low), np.fmax(*high)]),
        }

    def scan(self, block: Block) -> dict[str, Any]:
        """The sums of one block."""
        score = satisfaction(block, self.kind)
        answered = np.flatnonzero(~np.isnan(score))
        performance, tallies = [], []
        for number, measure in enumerate(self.measures):
            runs = runs_of(block, self.stages, measure, self.ends)
            bins = _bins(measure, runs)
            performance.append(
                self._performance(measure, runs) | {"worst": self._worst(block, measure, runs, bins)}
            )
            for outcome, which, y, value in self._outcomes(block, measure, runs, score, answered):
                tallies.append(self._tally(block, number, outcome, runs, bins[which], which, y, value))
        tally = Tally(np.zeros(0, np.int64), np.zeros((0, len(SUMS))))
        if tallies:
            keys, place = np.unique(np.concatenate([t.keys for t in tallies]), return_inverse=True)
            tally = Tally(keys, _add_at(place, np.concatenate([t.sums for t in tallies]), keys.size))
        given = score[answered]
        scale = (given.min(), given.max()) if given.size else (np.nan, np.nan)
        return {"performance": performance_sums(performance), "tally": tally, "scale": np.array(scale)}

    def _performance(self, measure: Measure, runs: Runs) -> dict[str, NDArray]:
        """Runs judged, their waits, and how many missed: in all, by month, and customers' sums for the interval."""
        known = runs.known
        wait = np.where(known & (runs.wait < NEVER), runs.wait, -1)
        took = np.flatnonzero(wait >= 0)
        month = np.searchsorted(np.array(self.edges), runs.time, side="right") - 1
        months = len(self.edges) - 1
        level = runs.missed.astype(float) if measure.defect else wait / HOUR
        counted = known if measure.defect else wait >= 0
        whose, owner = np.unique(runs.owner[known], return_inverse=True)
        x = np.bincount(owner, weights=runs.missed[known], minlength=whose.size)
        y = np.bincount(owner, minlength=whose.size).astype(float)
        over = runs.time + measure.within <= self.ends
        return {
            "hist": np.bincount(bucket_of(wait[took] / 1e6), minlength=BUCKETS),
            "monthly": np.stack(
                [
                    np.bincount(month[counted], minlength=months),
                    np.bincount(month[counted], weights=level[counted], minlength=months),
                ]
            ).astype(float),
            "clusters": np.array([x.sum(), y.sum(), x @ x, x @ y, y @ y, whose.size]),
            "runs": np.array([(over & (runs.wait == NEVER)).sum(), (~over).sum()]),
        }

    def _worst(self, block: Block, measure: Measure, runs: Runs, bins: NDArray) -> NDArray[np.int64]:
        """Customers by the worst bin of their runs before a first order, and after one, who had not ordered when it was known."""
        orders = orders_of(block, self.stages)
        before = self._orders_before(block, orders, runs)
        risk = runs.known & (next_time(block, runs, orders.row) > runs.time + measure.landmark)
        found = np.zeros((2, BINS), dtype=np.int64)
        for side, mine in enumerate((risk & (before == 0), risk & (before > 0))):
            worst = np.full(block.customers, -1)
            np.maximum.at(worst, runs.owner[mine], bins[mine])
            found[side] = np.bincount(worst[worst >= 0], minlength=BINS)
        return found

    def _outcomes(
        self, block: Block, measure: Measure, runs: Runs, score: NDArray, answered: NDArray
    ) -> list[tuple[int, NDArray, NDArray, NDArray]]:
        """For each outcome: its number, the runs that count (one a customer), the outcome and the money."""
        orders = orders_of(block, self.stages)
        begins = runs.time + measure.landmark
        before = self._orders_before(block, orders, runs)
        following = next_time(block, runs, orders.row)
        brings = next_time(block, runs, np.flatnonzero(block.happened(self.referrals)))
        closed = runs.known & (begins <= self.ends - self.window)
        none = np.zeros(runs.row.size)
        found = []
        for name, who, came in (
            ("conversion", before == 0, following),
            ("repurchase", before > 0, following),
            ("referral", np.ones(runs.row.size, bool), brings),
        ):
            which = _first(runs, runs.known & who)
            which = which[closed[which] & (came[which] > begins[which])]
            hit = came[which] <= begins[which] + self.window
            ordered = name != "referral" and block.has("value")
            value = self._money(orders, runs, which[hit], begins) if ordered else none[: hit.sum()]
            money = np.zeros(which.size)
            money[hit] = value
            found.append((OUTCOMES.index(name), which, hit.astype(float), money))
        return [*found, self._satisfaction(block, runs, score, answered)]

    def _satisfaction(
        self, block: Block, runs: Runs, score: NDArray, answered: NDArray
    ) -> tuple[int, NDArray, NDArray, NDArray]:
        """The first score after the end of the run, or after its start where it has none; of its order, where both carry its id."""
        which = _first(runs, runs.known)
        since = np.where(runs.end[which] >= 0, runs.end[which], runs.last[which])
        answer = following_of_order(block, since, runs.row[which], answered)
        time = block["time"]
        fits = answer >= 0
        fits[fits] = time[answer[fits]] <= time[since[fits]] + self.window
        fits[fits] &= time[since[fits]] + self.window <= self.ends
        y = score[answer[fits]]
        return OUTCOMES.index("satisfaction"), which[fits], y, np.zeros(y.size)

    def _orders_before(self, block: Block, orders: Orders, runs: Runs) -> NDArray[np.int64]:
        """How many orders the customer of each run had placed up to the instant of its start (runs,)."""
        first = np.searchsorted(orders.row, block.starts[:-1])
        return np.searchsorted(orders.row, runs.last, side="right") - first[runs.owner]

    def _money(self, orders: Orders, runs: Runs, which: NDArray, begins: NDArray) -> NDArray[np.float64]:
        """What those runs' customers ordered in the window, all their orders in it (which,)."""
        total = np.zeros(which.size)
        at = np.searchsorted(orders.row, runs.last[which], side="right")
        until = begins[which] + self.window
        going = np.arange(which.size)
        while going.size:
            total[going] += np.nan_to_num(orders.value[at[going]])
            at[going] += 1
            going = going[at[going] < orders.row.size]
            now = at[going]
            going = going[
                (orders.owner[now] == runs.owner[which[going]]) & (orders.time[now] <= until[going])
            ]
        return total

    def _tally(
        self, block: Block, number: int, outcome: int, runs: Runs, bins: NDArray, which: NDArray, y: NDArray,
        value: NDArray,
    ) -> Tally:  # fmt: skip
        wait = runs.wait[which]
        timed = (wait < NEVER) & (not self.measures[number].defect)
        hours = np.where(timed, wait / HOUR, 0.0)
        key = (number * len(OUTCOMES) + outcome) * self.strata + self._background(block, runs, which)
        keys, place = np.unique(key * BINS + bins, return_inverse=True)
        part = (np.ones(y.size), y, y * y, timed, y * timed, y * y * timed, hours, hours**2, hours * y, value, value**2)  # fmt: skip
        return Tally(keys, _add_at(place, np.column_stack(part), keys.size))

    def _background(self, block: Block, runs: Runs, which: NDArray) -> NDArray[np.int64]:
        """What customers are matched on: first channel, calendar month, orders before in doublings (which,)."""
        channel = np.zeros(which.size, np.int64)
        if block.has("channel"):
            channel = block["channel"][block.starts[:-1]][runs.owner[which]].astype(np.int64) + 1
        month = np.clip(period_index(runs.time[which], self.zone, "month"), 0, _MONTHS - 1)
        before = self._orders_before(block, orders_of(block, self.stages), runs)[which]
        band = np.clip(np.frexp(before.astype(float))[1], 0, _BANDS - 1)
        return (channel * _MONTHS + month) * _BANDS + band


def _bins(measure: Measure, runs: Runs) -> NDArray[np.int64]:
    """The bin of each run: whether it missed, or how long it took where there is no target (runs,)."""
    if measure.defect or measure.timed:
        return runs.missed.astype(np.int64)
    return np.where(runs.wait < NEVER, bin_of(np.minimum(runs.wait, _LONGEST) / HOUR), BINS - 1)


def performance_sums(parts: list[dict[str, NDArray]]) -> dict[str, NDArray]:
    """One array for all activities, an activity a row, of each thing that is summed."""
    return {name: np.stack([part[name] for part in parts]) for name in parts[0]} if parts else {}


def bin_of(hours: NDArray) -> NDArray[np.int64]:
    """The bin of a wait, by its seconds."""
    seconds = np.maximum(np.asarray(hours) * 3_600, 1.0)
    return np.clip(np.floor(np.log2(seconds) * PER_DOUBLING), 0, BINS - 2).astype(np.int64)


def hours_of(edge: int) -> float:
    """The hours at which a bin begins."""
    return float(2 ** (edge / PER_DOUBLING) / 3_600)


def _first(runs: Runs, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Each customer's first run where `mask` holds."""
    places = np.flatnonzero(mask)
    return places[np.unique(runs.owner[places], return_index=True)[1]]


def _add_at(place: NDArray, sums: NDArray, size: int) -> NDArray[np.float64]:
    columns = [np.bincount(place, weights=sums[:, i], minlength=size) for i in range(sums.shape[1])]
    return np.column_stack(columns).astype(float)
