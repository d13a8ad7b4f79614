"""Which steps of a funnel each history reaches: array by array, all histories of a block at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wayfare.histories.block import Block
from wayfare.histories.orders import one_row_an_order

Order = Literal["ordered", "strict", "any"]
Start = Literal["any", "first"]
FOREVER = np.iinfo(np.int64).max // 4


@dataclass(frozen=True)
class Rules:
    """What counts as going through the funnel; steps and excluded events are codes, `within` is in µs."""

    steps: tuple[int, ...]
    order: Order
    start: Start
    within: int
    excluded: tuple[int, ...]
    ends: int

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read, beside `customer` and `time`."""
        return ("event", "order") if self._tells_lines else ("event",)

    def events(self, block: Block) -> Block:
        """The block as the rules count it: the lines of one order are one event."""
        return one_row_an_order(block) if self._tells_lines else block

    @property
    def _tells_lines(self) -> bool:
        # Elsewhere an order's first line fills the step and its other lines change nothing.
        return self.order == "strict" or len(set(self.steps)) < len(self.steps)


@dataclass(frozen=True, eq=False)
class Reached:
    """How far the histories of a block came that reached the first step at least.

    Attributes:
        row: A row of each history, to look up whose it is (histories,).
        depth: How many steps were reached, from 1 (histories,).
        times: When each step of the deepest chain was, µs (steps, histories); nothing beyond `depth`.
        pending: Whether a chain that has not come to its end may still go on (histories,).
    """

    row: NDArray[np.int64]
    depth: NDArray[np.int64]
    times: NDArray[np.int64]
    pending: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Rows:
    """The rows that matter, in the order in which chains run through them: where they are in the block, and what.

    `epochs` are what a chain has to stay within; without exclusions that is its customer.
    """

    block: Block
    row: NDArray[np.int64]
    event: NDArray
    epochs: NDArray[np.int64] | None = None

    @cached_property
    def time(self) -> NDArray[np.int64]:
        return self.block["time"][self.row]

    @cached_property
    def code(self) -> NDArray:
        return self.block["customer"][self.row]

    @property
    def epoch(self) -> NDArray:
        return self.code if self.epochs is None else self.epochs

    def take(self, which: NDArray) -> _Rows:
        return _Rows(
            self.block,
            self.row[which],
            self.event[which],
            None if self.epochs is None else self.epochs[which],
        )


def reached(block: Block, rules: Rules) -> Reached:
    """How far each history of the block (of `rules.events`) comes under the rules.

    Ordered and strict keep, for each step, the latest start from which it was reached: a later start leaves more
    of the window, so that one chain a row is enough (the argument behind ClickHouse's `windowFunnel`).
    """
    rows = _rows_of(block, rules)
    return _unordered(rows, rules) if rules.order == "any" else _ordered(rows, rules)


def _rows_of(block: Block, rules: Rules) -> _Rows:
    event = block["event"]
    if rules.order == "strict":
        kept = np.arange(block.rows)
    else:
        kept = np.flatnonzero(_one_of(event, {*rules.steps, *rules.excluded}))
    rows = _in_step_order(_Rows(block, kept, event[kept]), rules.steps)
    if not rules.excluded:
        return rows
    return replace(rows, epochs=np.cumsum(_one_of(rows.event, set(rules.excluded)) | _new(rows.code)))


def _one_of(event: NDArray, codes: set[int]) -> NDArray[np.bool_]:
    # Comparing whole arrays is ten times faster than looking codes up, until there are many of them.
    if len(codes) > 16:
        return np.isin(event, list(codes))
    found = np.zeros(len(event), dtype=bool)
    for code in codes:
        found |= event == code
    return found


def _in_step_order(rows: _Rows, steps: Sequence[int]) -> _Rows:
    """The rows with those of one customer's instant in the order of the steps that they can fill."""
    tied = rows.time[1:] == rows.time[:-1]
    if not tied.any():
        return rows
    tied &= rows.code[1:] == rows.code[:-1]
    place = _places(rows, steps, tied)
    if not (tied & (np.diff(place) < 0)).any():
        return rows
    return rows.take(np.lexsort((place, rows.time, rows.code)))


def _places(rows: _Rows, steps: Sequence[int], tied: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The step that each row would fill within its instant: the nth row of an event fills the event's nth step."""
    place = np.full(len(rows.event), len(steps))
    instant = np.concatenate(([0], np.cumsum(~tied)))
    for code in set(steps):
        positions = np.flatnonzero(np.array(steps) == code)
        mine = np.flatnonzero(rows.event == code)
        group = instant[mine]
        nth = np.arange(len(mine)) - np.searchsorted(group, group)
        place[mine] = positions[np.minimum(nth, len(positions) - 1)]
    return place


@dataclass(frozen=True, eq=False)
class _Level:
    """The rows at which one step is reached: where, of which history, from which start, and after which row
    (a position in the level before). At the first step each row is its own start."""

    row: NDArray[np.int64]
    history: NDArray[np.int64]
    began: NDArray[np.int64] | None = None
    after: NDArray[np.int64] | None = None


def _ordered(rows: _Rows, rules: Rules) -> Reached:
    first = np.flatnonzero(rows.event == rules.steps[0])
    starts = np.flatnonzero(_new(rows.code[first]))
    if rules.start == "first":
        first, starts = first[starts], np.arange(len(starts))
    ends = np.append(starts[1:], len(first))[: len(starts)]
    levels = [_Level(first, np.repeat(np.arange(len(starts)), ends - starts))]
    for before, step in pairwise(rules.steps):
        levels.append(_next_level(rows, levels[-1], step, rules, again=step == before))
    depth, times = _deepest(rows, levels, starts)
    pending = _open(rows, levels, first[ends - 1], rules)
    return Reached(rows.row[first[starts]], depth, times, pending)


def _next_level(rows: _Rows, before: _Level, step: int, rules: Rules, *, again: bool) -> _Level:
    row, after = _after(rows, before, step, again=again)
    since = before.row[after]
    began = rows.time[since] if before.began is None else before.began[after]
    ok = rows.epoch[since] == rows.epoch[row]
    ok &= rows.time[row] - began <= rules.within
    if rules.order == "strict":
        ok &= since == row - 1
    kept = np.flatnonzero(ok)
    after = after[kept]
    return _Level(row[kept], before.history[after], began[kept], after)


def _after(
    rows: _Rows, before: _Level, step: int, *, again: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows of a step's event, and after which row of the level before each of them is; `again`: of one event."""
    if again:
        row = np.flatnonzero(rows.event == step)
        after = np.searchsorted(before.row, row) - 1
    else:
        # Among both kinds of rows together, what lies before the nth of one kind but n is of the other kind.
        either = rows.event == step
        either[before.row] = True
        both = np.flatnonzero(either)
        mine = np.flatnonzero(rows.event[both] == step)
        row, after = both[mine], mine - np.arange(1, len(mine) + 1)
    none = int(np.searchsorted(after, 0))
    return row[none:], after[none:]


def _deepest(
    rows: _Rows, levels: Sequence[_Level], starts: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Per history the number of steps reached, and the times of the first chain that reached that many."""
    depth, at = np.ones(len(starts), dtype=np.int64), starts.copy()
    for number, level in enumerate(levels[1:], 2):
        first = np.flatnonzero(_new(level.history))
        depth[level.history[first]] = number
        at[level.history[first]] = first
    times = np.zeros((len(levels), len(starts)), dtype=np.int64)
    for number in range(len(levels), 0, -1):
        level, deep = levels[number - 1], np.flatnonzero(depth >= number)
        times[number - 1][deep] = rows.time[level.row[at[deep]]]
        if level.after is not None:
            at[deep] = level.after[at[deep]]
    return depth, times


def _open(
    rows: _Rows, levels: Sequence[_Level], latest: NDArray[np.int64], rules: Rules
) -> NDArray[np.bool_]:
    """Per history: whether a chain's window is still open at the log's end; `latest` is its last first step."""
    still = np.zeros(len(latest), dtype=bool)
    if rules.within >= FOREVER:
        return still
    if rules.order == "strict":
        # A strict chain lives only on its history's last row.
        for level in levels[:-1]:
            began = rows.time[level.row] if level.began is None else level.began
            alive = np.flatnonzero(began > rules.ends - rules.within)
            still[level.history[alive[level.row[alive] == _last(rows, level.row[alive])]]] = True
        return still
    # The latest start of all is the latest first step.
    alive = np.flatnonzero(rows.time[latest] > rules.ends - rules.within)
    row = latest[alive]
    still[alive] = rows.epochs is None or rows.epoch[row] == rows.epoch[_last(rows, row)]
    return still


def _last(rows: _Rows, row: NDArray[np.int64]) -> NDArray[np.int64]:
    """The last row of the history that each of `row` is in."""
    return np.searchsorted(rows.code, rows.code[row], side="right") - 1


def _unordered(rows: _Rows, rules: Rules) -> Reached:
    """As many of the steps as fall into one window, in whatever order."""
    unbroken = rows.epochs is None or rows.epoch == rows.epoch[_last(rows, np.arange(len(rows.row)))]
    mine = _one_of(rows.event, set(rules.steps))
    rows, unbroken = rows.take(mine), np.broadcast_to(unbroken, len(mine))[mine]
    if rules.start == "first":
        clock = np.flatnonzero(_new(rows.code))[np.cumsum(_new(rows.code)) - 1]
        within = (rows.time - rows.time[clock] <= rules.within) & (rows.epoch == rows.epoch[clock])
        rows, unbroken = rows.take(within), unbroken[within]
    new = _new(rows.code)
    history, first = np.cumsum(new) - 1, np.flatnonzero(new)
    latest = np.stack(
        [_latest(rows, step, list(rules.steps[:k]).count(step)) for k, step in enumerate(rules.steps)]
    )
    latest[rows.time - latest > rules.within] = -FOREVER
    count = (latest > -FOREVER).sum(axis=0)
    depth = np.maximum.reduceat(count, first) if len(first) else np.zeros(0, dtype=np.int64)
    best = np.flatnonzero(count == depth[history])
    best = best[_new(history[best])]
    times = np.sort(np.where(latest[:, best] > -FOREVER, latest[:, best], FOREVER), axis=0)
    pending = np.zeros(len(first), dtype=bool)
    if rules.within < FOREVER:
        starts = new | (rules.start == "any")
        pending[history[starts & unbroken & (rules.ends - rows.time < rules.within)]] = True
    return Reached(rows.row[first], depth, times, pending)


def _latest(rows: _Rows, step: int, skip: int) -> NDArray[np.int64]:
    """Per row: when the event `step` last was, up to this row, within the epoch; `skip` leaves out the newest ones."""
    mine = np.flatnonzero(rows.event == step)
    position = np.searchsorted(mine, np.arange(len(rows.event)), side="right") - 1 - skip
    found = mine[np.maximum(position, 0)] if len(mine) else np.zeros(len(rows.event), dtype=np.int64)
    ok = (position >= 0) & (len(mine) > 0)
    asked = np.flatnonzero(ok)
    ok[asked] = rows.epoch[found[asked]] == rows.epoch[asked]
    return np.where(ok, rows.time[found], -FOREVER)


def _new(values: NDArray) -> NDArray[np.bool_]:
    """Per element of a sorted array: whether it differs from the one before."""
    new = np.ones(len(values), dtype=bool)
    np.not_equal(values[1:], values[:-1], out=new[1:])
    return new
