"""What each customer ordered up to some days: the summary that re-purchase models and scores stand on.

Orders of one customer on one day (in the log's zone) count as one; time is counted in whole days and handed to
models in weeks. Orders that add up to less than nothing are refunds and are passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from wayfare.histories.block import Block
from wayfare.histories.calendar import local_days
from wayfare.histories.fold import Fold
from wayfare.histories.orders import ORDER_COLUMNS, orders_of
from wayfare.histories.stages import StageMap
from wayfare.log import Log
from wayfare.study import Study

WEEK = 7.0
NEVER = np.iinfo(np.int32).max


@dataclass(frozen=True)
class OrderDays(Fold[dict[str, Any]]):
    """The order days of each buyer, summed up at each of some days, and those of all by day.

    Attributes:
        stages: Which events are orders.
        zone: Whose days are meant.
        cuts: Days since 1970, ascending; the last is the log's last.
        origin: The log's first day.
        keep: Whether to hand on every order day, too.
    """

    stages: StageMap
    zone: str
    cuts: tuple[int, ...]
    origin: int
    keep: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns read."""
        return (*ORDER_COLUMNS, "currency")

    def scan(self, block: Block) -> dict[str, Any]:
        """What one block says."""
        days = day_rows(block, self.stages, self.zone, self.cuts[-1])
        return {
            "buyers": [days.summed_up(self.cuts)],
            "order_days": [(block.codes[days.owner].astype(np.int32), days.day.astype(np.int32))]
            if self.keep
            else [],
            "daily": days.by_day(self.cuts, self.origin),
            "negative": days.negative,
            "without_order": int(block.customers - len(days.starts)),
            "currencies": self._currencies(block),
        }

    def _currencies(self, block: Block) -> dict[int, int]:
        if not block.has("currency") or block["currency"].dtype.kind != "i":
            return {}
        codes = block["currency"][self.stages.is_order(block)]
        found, counts = np.unique(codes[codes >= 0], return_counts=True)
        return dict(zip(found.tolist(), counts.tolist(), strict=True))


@dataclass(frozen=True, eq=False)
class DayRows:
    """One row a customer and day with orders; `starts` are the rows where a customer begins, `codes` whose they are;
    `negative` orders, below zero, were left out."""

    codes: NDArray[np.int64]
    starts: NDArray[np.int64]
    owner: NDArray[np.int64]
    day: NDArray[np.int64]
    value: NDArray[np.float64]
    negative: int

    @property
    def first(self) -> NDArray[np.bool_]:
        """Per row: whether it is its customer's first day with orders."""
        mask = np.zeros(len(self.day), dtype=bool)
        mask[self.starts] = True
        return mask

    def summed_up(self, cuts: Sequence[int]) -> dict[str, NDArray]:
        """Per customer: what is known of its orders at each of some days."""
        repeat = np.where(self.first, 0.0, np.nan_to_num(self.value))
        return {
            "code": self.codes,
            "first_day": self.day[self.starts].astype(np.int32),
            "first_value": self.value[self.starts],
            **{name: np.column_stack(values) for name, values in self._at_cuts(cuts, repeat).items()},
        }

    def _at_cuts(self, cuts: Sequence[int], repeat: NDArray[np.float64]) -> dict[str, list[NDArray]]:
        known = ~np.isnan(self.value)
        found: dict[str, list[NDArray]] = {
            "days": [],
            "last_day": [],
            "repeat_value": [],
            "valued": [],
            "next_day": [],
        }
        for cut in cuts:
            seen = self.day <= cut
            found["days"].append(self._add(seen).astype(np.int32))
            found["last_day"].append(self._reduce(np.maximum, np.where(seen, self.day, -1)).astype(np.int32))
            found["repeat_value"].append(self._add(np.where(seen, repeat, 0.0)))
            found["valued"].append(self._add(seen & known & ~self.first).astype(np.int32))
            found["next_day"].append(
                self._reduce(np.minimum, np.where(seen, NEVER, self.day)).astype(np.int32)
            )
        return found

    def by_day(self, cuts: Sequence[int], origin: int) -> dict[str, NDArray]:
        """Per day from `origin` to the last cut: orders and their value, of all and of those known at each cut."""
        length = cuts[-1] - origin + 1
        place, value = self.day - origin, np.nan_to_num(self.value)
        again = ~self.first
        day_one = np.repeat(self.day[self.starts], np.diff(np.append(self.starts, len(self.day))))
        known = [(self.day > cut) & (day_one <= cut) for cut in cuts[:-1]]

        def count(mask: NDArray, weights: NDArray | None = None) -> NDArray:
            return np.bincount(
                place[mask], weights=None if weights is None else weights[mask], minlength=length
            )[:length]

        return {
            "orders": count(np.ones(len(place), dtype=bool)),
            "repeat_orders": count(again),
            "value": count(np.ones(len(place), dtype=bool), value),
            "value_squared": count(np.ones(len(place), dtype=bool), value**2),
            "known_orders": np.array([count(mask) for mask in known]).reshape(len(known), length),
            "known_value": np.array([count(mask, value) for mask in known]).reshape(len(known), length),
        }

    def _add(self, values: NDArray) -> NDArray:
        return self._reduce(
            np.add, values.astype(np.float64) if values.dtype.kind == "f" else values.astype(np.int64)
        )

    def _reduce(self, how: np.ufunc, values: NDArray) -> NDArray:
        return how.reduceat(values, self.starts) if len(self.starts) else values[:0]


def day_rows(block: Block, stages: StageMap, zone: str, until: int) -> DayRows:
    """The orders of a block up to a day, with those of one customer's day as one; orders below zero are left out."""
    return block.once(("day_rows", stages, zone, until), lambda: _day_rows(block, stages, zone, until))


def _day_rows(block: Block, stages: StageMap, zone: str, until: int) -> DayRows:
    orders = orders_of(block, stages)
    days, real = local_days(orders.time, zone), ~(orders.value < 0)
    kept = real & (days <= until)
    owner, day, value = orders.owner[kept], days[kept], orders.value[kept]
    new = np.ones(len(day), dtype=bool)
    new[1:] = (np.diff(owner) != 0) | (np.diff(day) != 0)
    rows = np.flatnonzero(new)
    label = np.cumsum(new) - 1
    total = np.bincount(label, weights=np.nan_to_num(value), minlength=len(rows))
    known = np.bincount(label, weights=~np.isnan(value), minlength=len(rows)) > 0
    whose = owner[rows]
    starts = np.flatnonzero(np.diff(whose, prepend=-1))
    return DayRows(
        block.codes[whose[starts]].astype(np.int64),
        starts,
        whose,
        day[rows],
        np.where(known, total, np.nan),
        int((~real).sum()),
    )


@dataclass(frozen=True, eq=False)
class Buyers:
    """Everybody who has ordered, by name; arrays are (buyers,) or (buyers, cuts).

    Attributes:
        names: Who.
        codes: Their codes in the log.
        cuts: The days at which the rest was summed up; the last is the log's last.
        origin: The log's first day.
        first_day: The day of the first order.
        first_value: What was ordered on it; nan where the log doesn't say.
        days: Days with orders up to each cut.
        last_day: The last of them; -1 where there was none.
        repeat_value: What was ordered after the first day, up to each cut.
        valued: On how many of those days a value is known.
        next_day: The first day with an order after each cut; `NEVER` where the log has none.
        daily: By day from `origin`: orders, repeat_orders, value, value_squared; and of customers known at each cut but the last,
            after it: known_orders, known_value (cuts - 1, days).
        negative: Orders of less than nothing, passed over.
        without_order: Customers who never ordered.
        currencies: Order rows by currency, where the log has a column of that name.
        order_days: Code and day of every order day; empty unless the fold kept them.
    """

    names: pa.Array
    codes: NDArray[np.int64]
    cuts: tuple[int, ...]
    origin: int
    first_day: NDArray[np.int32]
    first_value: NDArray[np.float64]
    days: NDArray[np.int32]
    last_day: NDArray[np.int32]
    repeat_value: NDArray[np.float64]
    valued: NDArray[np.int32]
    next_day: NDArray[np.int32]
    daily: dict[str, NDArray]
    negative: int
    without_order: int
    currencies: dict[str, int]
    order_days: tuple[NDArray[np.int32], NDArray[np.int32]]

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def before(self) -> int:
        """The number of the last cut before the log's end; 0 where there is none."""
        return max(len(self.cuts) - 2, 0)

    @property
    def repeaters(self) -> int:
        """How many have ordered on more than one day by the log's end."""
        return int((self.days[:, -1] > 1).sum()) if len(self) else 0

    @cached_property
    def has_values(self) -> bool:
        """Whether money can be added up: some order has a value, and all are in one currency."""
        known = bool((~np.isnan(self.first_value)).any() or self.valued.any())
        return known and len(self.currencies) <= 1

    @property
    def total(self) -> NDArray[np.float64]:
        """What each has ordered for by the log's end; nan where money can't be added up."""
        if not self.has_values:
            return np.full(len(self), np.nan)
        return cents(self.repeat_value[:, -1] + np.nan_to_num(self.first_value))

    def at(self, cut: int = -1) -> Summary:
        """What is known of those who had ordered by cut number `cut`; by the log's end unless said."""
        who = np.flatnonzero(self.days[:, cut] > 0) if len(self) else np.zeros(0, dtype=np.int64)
        first, last = self.first_day[who], self.last_day[who, cut] if len(who) else self.first_day[who]
        valued = self.valued[who, cut] if len(who) else np.zeros(0)
        mean = self.repeat_value[who, cut] / np.maximum(valued, 1) if len(who) else np.zeros(0)
        return Summary(
            who=who,
            frequency=(self.days[who, cut] - 1).astype(float) if len(who) else np.zeros(0),
            recency=(last - first) / WEEK,
            age=(self.cuts[cut] - first) / WEEK,
            first=first / WEEK,
            end=self.cuts[cut] / WEEK,
            value=np.where((valued > 0) & self.has_values, cents(mean), np.nan),
        )


@dataclass(frozen=True, eq=False)
class Summary:
    """One row a buyer: `who` in `Buyers`; repeat order days, weeks from the first to the last, weeks since the first;
    the week since 1970 of the first and, for all, of the end; the mean value of the repeat order days (nan: unknown)."""

    who: NDArray[np.int64]
    frequency: NDArray[np.float64]
    recency: NDArray[np.float64]
    age: NDArray[np.float64]
    first: NDArray[np.float64]
    end: float
    value: NDArray[np.float64]

    @property
    def repeaters(self) -> int:
        """How many have ordered on more than one day."""
        return int((self.frequency > 0).sum())

    def every(self, step: int) -> Summary:
        """Every so many-th buyer by name."""
        rows = {name: getattr(self, name)[::step] for name in _BY_BUYER}
        return replace(self, **rows) if step > 1 else self


_BY_BUYER = ("who", "frequency", "recency", "age", "first", "value")


def cents(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Money without the dust of adding floats in another order."""
    return np.round(values, 6)


def last_moment(log: Log) -> int:
    """The last moment that the log has seen, µs UTC: the filter's end itself is no longer in it."""
    until = log.condition.until
    return log.ends - (until is not None and log.ends == until)


def span(study: Study) -> tuple[int, int]:
    """The log's first and last day, as days since 1970 in its zone."""
    first = study.log.facts.first
    if first is None:
        return 0, 0
    last = max(last_moment(study.log), first)
    low, high = local_days(np.array([first, last]), study.zone).tolist()
    return low, high


def order_days(study: Study, cuts: Sequence[int], keep: bool = False) -> OrderDays:
    """The fold for some days, the log's last among them."""
    origin, now = span(study)
    kept = sorted({min(max(cut, origin - 1), now) for cut in cuts} | {now})
    return OrderDays(study.stages, study.zone, tuple(kept), origin, keep)


def buyers_of(study: Study, fold: OrderDays, found: dict[str, Any]) -> Buyers:
    """The fold's answer with names, sorted by them."""
    chunks = found["buyers"]
    columns = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}
    names = study.log.names("customer").take(columns["code"])
    order = np.asarray(pc.sort_indices(names)) if len(names) else np.zeros(0, dtype=np.int64)
    columns = {name: values[order] for name, values in columns.items()}
    kept, none = found["order_days"], np.zeros(0, dtype=np.int32)
    currency = study.log.names("currency") if found["currencies"] else None
    return Buyers(
        names=names.take(pa.array(order)),
        codes=columns.pop("code"),
        cuts=fold.cuts,
        origin=fold.origin,
        daily=found["daily"],
        negative=found["negative"],
        without_order=found["without_order"],
        order_days=tuple(np.concatenate(c) for c in zip(*kept, strict=True)) if kept else (none, none),  # type: ignore[arg-type]
        currencies={currency[code]: rows for code, rows in found["currencies"].items()} if currency else {},
        **columns,
    )
