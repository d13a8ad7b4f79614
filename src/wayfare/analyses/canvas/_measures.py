"""What each measure of a canvas reads off a customer's history: whether it counts, for how much, and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses._order_days import DayRows, day_rows
from wayfare.histories.block import Block
from wayfare.histories.orders import Orders, orders_of
from wayfare.histories.stages import StageMap

Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

NEVER = np.iinfo(np.int64)
MET = "met"
"""The figure of what has no measure: customers who met a touchpoint, or are of a segment."""
ANSWERED = ("customer_satisfaction", "net_promoter_score")
"""Measures of answers, which are counted by their score."""
_DAY = 86_400_000_000


@dataclass(frozen=True, order=True)
class Figure:
    """A measure as it is read off customers, whatever their segment.

    Attributes:
        measure: Of the canvas; `churn_rate` is read as `retention_rate`; `met` counts customers.
        within: How long customers have for it, µs; None for as long as the log goes.
        touches: Codes of the events where the clock starts; None for the customer's first event.
    """

    measure: str
    within: int | None = None
    touches: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Moments:
    """What a log's figures are read with.

    Attributes:
        stages: Which events are orders.
        referrals: Codes of the events by which a customer invites others.
        zone: Whose days and months are meant.
        ends: The log's end, µs.
        last_day: Its last day, as days since 1970.
        months: When each calendar month begins, µs, and when the last one ends.
        over: How many of the months are over.
    """

    stages: StageMap
    referrals: tuple[int, ...]
    zone: str
    ends: int
    last_day: int
    months: tuple[int, ...]
    over: int


@dataclass(frozen=True, eq=False)
class Sample:
    """One value a customer of the block; (customers,) each.

    Attributes:
        counted: Whether the customer counts.
        x: What is added up: a success, successes, money.
        y: What it is divided by: 1, chances, orders.
        first: The first moment that counted, µs; the largest integer where none did.
        last: The last one; the smallest integer where none did.
    """

    counted: Flags
    x: Floats
    y: Floats
    first: Ints
    last: Ints

    def products(self) -> Floats:
        """Rows of n, x, y, x², xy, y² (6, customers); 0 where the customer does not count."""
        n = self.counted.astype(float)
        x, y = np.where(self.counted, self.x, 0.0), np.where(self.counted, self.y, 0.0)
        return np.stack([n, x, y, x * x, x * y, y * y])


def sample_of(block: Block, figure: Figure, moments: Moments) -> Sample:
    """What a figure reads off the customers of a block."""
    return _SAMPLES[figure.measure](block, figure, moments)


def _repurchase(block: Block, figure: Figure, moments: Moments) -> Sample:
    """The first order counts once its window is closed; a success has a second order within it."""
    orders, within = orders_of(block, moments.stages), figure.within or 0
    first = np.flatnonzero(orders.number == 1)
    owner, time = orders.owner[first], orders.time[first]
    follower = np.minimum(first + 1, max(len(orders.row) - 1, 0))
    second = orders.time[follower]
    again = (follower > first) & (orders.owner[follower] == owner) & (second - time <= within)
    closed = time + within <= moments.ends
    return _spread(block, owner[closed], again[closed], time[closed], np.where(again, second, time)[closed])


def _conversion(block: Block, figure: Figure, moments: Moments) -> Sample:
    return _did(block, figure, moments, orders_of(block, moments.stages).row)


def _referred(block: Block, figure: Figure, moments: Moments) -> Sample:
    return _did(block, figure, moments, np.flatnonzero(block.happened(moments.referrals)))


def _did(block: Block, figure: Figure, moments: Moments, rows: Ints) -> Sample:
    """Whether one of `rows` follows the customer's first event, that one included, or the first meeting of touchpoints."""
    if figure.touches is None:
        start, after = block.starts[:-1], block.starts[:-1] - 1
    else:
        start = after = block.first_row(block.happened(figure.touches))
    owner = block.owner[rows]
    later = rows[(start[owner] >= 0) & (rows > after[owner])][::-1]
    found = np.full(block.customers, -1, dtype=np.int64)
    found[block.owner[later]] = later
    who = np.flatnonzero(start >= 0)
    began, done = block["time"][start[who]], block["time"][np.maximum(found[who], 0)]
    success = found[who] >= 0
    if figure.within is not None:
        success &= done - began <= figure.within
        closed = began + figure.within <= moments.ends
        who, began, done, success = who[closed], began[closed], done[closed], success[closed]
    return _spread(block, who, success, began, np.where(success, done, began))


def _spread(block: Block, owner: Ints, success: Flags, first: Ints, last: Ints) -> Sample:
    """One success or failure each of the customers `owner`."""
    counted = np.zeros(block.customers, dtype=bool)
    counted[owner] = True
    x = np.zeros(block.customers)
    x[owner] = success
    begin, end = _never(block)
    begin[owner], end[owner] = first, last
    return Sample(counted, x, np.ones(block.customers), begin, end)


def _added(block: Block, owner: Ints, values: Floats) -> Floats:
    total: Floats = np.bincount(owner, weights=values, minlength=block.customers).astype(float)
    return total


def _never(block: Block) -> tuple[Ints, Ints]:
    return np.full(block.customers, NEVER.max), np.full(block.customers, NEVER.min)


def _ends(block: Block, owner: Ints, time: Ints) -> tuple[Ints, Ints]:
    """The first and the last of some moments of each customer, given by customer and time."""
    first, last = _never(block)
    first[owner[::-1]] = time[::-1]
    last[owner] = time
    return first, last


def _retention(block: Block, figure: Figure, moments: Moments) -> Sample:
    """Of months in which a customer ordered, those that were followed by another; the next has to be over."""
    orders = orders_of(block, moments.stages)
    if figure.within is not None:
        return _retained(block, orders, moments.ends, figure.within)
    month = np.searchsorted(np.array(moments.months), orders.time, side="right") - 1
    new = np.ones(len(month), dtype=bool)
    new[1:] = (np.diff(month) != 0) | (np.diff(orders.owner) != 0)
    month, owner = month[new], orders.owner[new]
    followed = np.zeros(len(month), dtype=bool)
    followed[:-1] = (np.diff(month) == 1) & (np.diff(owner) == 0)
    seen = month + 1 < moments.over
    y = np.bincount(owner[seen], minlength=block.customers).astype(float)
    x = np.bincount(owner[seen & followed], minlength=block.customers).astype(float)
    return Sample(y > 0, x, y, *_ends(block, orders.owner, orders.time))


def _retained(block: Block, orders: Orders, ends: int, within: int) -> Sample:
    """Of those who ordered in the span before the last one, those who ordered in the last one."""
    recent = orders.time > ends - within
    before = ~recent & (orders.time > ends - 2 * within)
    y = np.minimum(np.bincount(orders.owner[before], minlength=block.customers), 1).astype(float)
    x = np.minimum(np.bincount(orders.owner[recent], minlength=block.customers), 1) * y
    counted = recent | before
    return Sample(y > 0, x, y, *_ends(block, orders.owner[counted], orders.time[counted]))


def _order_value(block: Block, figure: Figure, moments: Moments) -> Sample:
    """Money and the orders of known value."""
    orders = orders_of(block, moments.stages)
    kept = _in_time(orders, figure.within, moments.ends) & ~np.isnan(orders.value)
    owner = orders.owner[kept]
    y = np.bincount(owner, minlength=block.customers).astype(float)
    x = _added(block, owner, orders.value[kept])
    return Sample(y > 0, x, y, *_ends(block, owner, orders.time[kept]))


def _in_time(orders: Orders, within: int | None, ends: int) -> Flags:
    """Per order: whether it came within the time from the customer's first one, and that time is over."""
    if within is None:
        return np.ones(len(orders.row), dtype=bool)
    first = orders.number == 1
    began = orders.time[first][np.cumsum(first) - 1] if len(first) else orders.time
    return (orders.time - began <= within) & (began + within <= ends)


def _customer_value(block: Block, figure: Figure, moments: Moments) -> Sample:
    """Money of each who ordered: all of it, or that of the first days, as the analysis `value` compares groups by."""
    if figure.within is not None:
        return _early_value(block, figure.within, moments)
    orders = orders_of(block, moments.stages)
    x = _added(block, orders.owner, np.nan_to_num(orders.value))
    counted = np.bincount(orders.owner, minlength=block.customers) > 0
    return Sample(counted, x, np.ones(block.customers), *_ends(block, orders.owner, orders.time))


def _early_value(block: Block, within: int, moments: Moments) -> Sample:
    days, length = (
        day_rows(block, moments.stages, moments.zone, moments.last_day),
        max(round(within / _DAY), 1),
    )
    began = np.repeat(days.day[days.starts], np.diff(np.append(days.starts, len(days.day))))
    kept = (days.day - began < length) & (began + length <= moments.last_day + 1)
    x = _added(block, days.owner[kept], np.nan_to_num(days.value[kept]))
    counted = np.bincount(days.owner[kept], minlength=block.customers) > 0
    orders = orders_of(block, moments.stages)
    in_time = _in_time(orders, within, moments.ends)
    first, last = _ends(block, orders.owner[in_time], orders.time[in_time])
    return Sample(counted, x, np.ones(block.customers), first, last)


def so_far(block: Block, moments: Moments) -> tuple[DayRows, Sample]:
    """What each who ordered has brought so far, as `value` and `forecast` count it: without orders below zero."""
    days = day_rows(block, moments.stages, moments.zone, moments.last_day)
    x = _added(block, days.owner, np.nan_to_num(days.value))
    counted = np.bincount(days.owner, minlength=block.customers) > 0
    orders = orders_of(block, moments.stages)
    return days, Sample(counted, x, np.ones(block.customers), *_ends(block, orders.owner, orders.time))


def _referrals(block: Block, figure: Figure, moments: Moments) -> Sample:
    """How often each customer invited others."""
    rows = np.flatnonzero(block.happened(moments.referrals))
    counted = np.ones(block.customers, dtype=bool)
    time = block["time"]
    if figure.within is not None:
        began = time[block.starts[:-1]]
        counted = began + figure.within <= moments.ends
        rows = rows[(time[rows] - began[block.owner[rows]] <= figure.within) & counted[block.owner[rows]]]
    x = np.bincount(block.owner[rows], minlength=block.customers).astype(float)
    return Sample(counted, x, np.ones(block.customers), *_ends(block, block.owner[rows], time[rows]))


def _met(block: Block, figure: Figure, _: Moments) -> Sample:
    """Who met one of the touchpoints; everybody where none is named."""
    rows = np.arange(block.rows) if figure.touches is None else np.flatnonzero(block.happened(figure.touches))
    counted = np.bincount(block.owner[rows], minlength=block.customers) > 0
    ones = np.ones(block.customers)
    return Sample(counted, ones, ones, *_ends(block, block.owner[rows], block["time"][rows]))


_SAMPLES: dict[str, Callable[[Block, Figure, Moments], Sample]] = {
    "repurchase_rate": _repurchase,
    "conversion_rate": _conversion,
    "referral_rate": _referred,
    "retention_rate": _retention,
    "average_order_value": _order_value,
    "value_per_customer": _customer_value,
    "referrals": _referrals,
    MET: _met,
}
