"""Which steps of a funnel each history reaches: array by array, all histories of a block at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wayfare.histories.block import Block

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
    """The rows that matter, in the order in which chains run through them; a chain stays within one epoch."""

    row: NDArray[np.int64]
    event: NDArray
    code: NDArray
    time: NDArray[np.int64]
    epoch: NDArray

    def take(self, which: NDArray) -> _Rows:
        return _Rows(self.row[which], self.event[which], self.code[which], self.time[which], self.epoch[which])


def reached(block: Block, rules: Rules) -> Reached:
    """How far each history of the block comes under the rules.

    Ordered and strict keep, for each step, the latest start from which it was reached: a later start leaves more
    of the window, so that one chain a row is enough (the argument behind ClickHouse's `windowFunnel`).
    """
    rows = _rows_of(block, rules)
    return _unordered(rows, rules) if rules.order == "any" else _ordered(rows, rules)


def _rows_of(block: Block, rules: Rules) -> _Rows:
    event, code = block["event"], block["customer"]
    if rules.order == "strict":
        kept = np.arange(block.rows)
    else:
        kept = np.flatnonzero(_one_of(event, {*rules.steps, *rules.excluded}))
    rows = _in_step_order(_Rows(kept, event[kept], code[kept], block["time"][kept], code[kept]), rules.steps)
    if not rules.excluded:
        return rows
    return replace(rows, epoch=np.cumsum(_one_of(rows.event, set(rules.excluded)) | _new(rows.code)))


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
    (a position in the level before)."""

    row: NDArray[np.int64]
    history: NDArray[np.int64]
    began: NDArray[np.int64]
    after: NDArray[np.int64]


def _ordered(rows: _Rows, rules: Rules) -> Reached:
    first = np.flatnonzero(rows.event == rules.steps[0])
    new = _new(rows.code[first])
    if rules.start == "first":
        first, new = first[new], new[new]
    levels = [_Level(first, np.cumsum(new) - 1, rows.time[first], first)]
    for step in rules.steps[1:]:
        levels.append(_next_level(rows, levels[-1], step, rules))
    depth, times = _deepest(rows, levels)
    return Reached(rows.row[first[new]], depth, times, _open(rows, levels, rules))


def _next_level(rows: _Rows, before: _Level, step: int, rules: Rules) -> _Level:
    at = np.zeros(len(rows.event) + 1, dtype=bool)
    at[before.row + 1] = True
    row = np.flatnonzero(rows.event == step)
    after = np.cumsum(at, dtype=np.int32)[row] - 1
    ok = at[row] if rules.order == "strict" else after >= 0
    row, after = row[ok], after[ok]
    began = before.began[after]
    ok = (rows.epoch[before.row[after]] == rows.epoch[row]) & (rows.time[row] - began <= rules.within)
    row, after = row[ok], after[ok]
    return _Level(row, before.history[after], began[ok], after)


def _deepest(rows: _Rows, levels: Sequence[_Level]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Per history the number of steps reached, and the times of the first chain that reached that many."""
    histories = int(levels[0].history[-1]) + 1 if len(levels[0].history) else 0
    depth = np.ones(histories, dtype=np.int64)
    at = np.flatnonzero(_new(levels[0].history))
    for number, level in enumerate(levels[1:], 2):
        first = np.flatnonzero(_new(level.history))
        depth[level.history[first]] = number
        at[level.history[first]] = first
    times = np.zeros((len(levels), histories), dtype=np.int64)
    for number in range(len(levels), 0, -1):
        level, deep = levels[number - 1], np.flatnonzero(depth >= number)
        times[number - 1][deep] = rows.time[level.row[at[deep]]]
        at[deep] = level.after[at[deep]]
    return depth, times


def _open(rows: _Rows, levels: Sequence[_Level], rules: Rules) -> NDArray[np.bool_]:
    """Per history: whether a chain's window is still open at the log's end."""
    still = np.zeros(int(levels[0].history[-1]) + 1 if len(levels[0].history) else 0, dtype=bool)
    # The latest start of all is the latest first step; a strict chain lives only on its history's last row.
    for level in levels[:-1] if rules.order == "strict" else levels[:1]:
        alive = np.flatnonzero(level.began > rules.ends - rules.within)
        row = level.row[alive]
        last = np.searchsorted(rows.code, rows.code[row], side="right") - 1
        ok = row == last if rules.order == "strict" else rows.epoch[row] == rows.epoch[last]
        still[level.history[alive[ok]]] = True
    return still if rules.within < FOREVER else np.zeros_like(still)


def _unordered(rows: _Rows, rules: Rules) -> Reached:
    """As many of the steps as fall into one window, in whatever order."""
    rows = rows.take(_one_of(rows.event, set(rules.steps)))
    if rules.start == "first":
        new = _new(rows.code)
        rows = rows.take(rows.time - rows.time[new][np.cumsum(new) - 1] <= rules.within)
    new = _new(rows.code)
    history, first = np.cumsum(new) - 1, np.flatnonzero(new)
    latest = np.stack([_latest(rows, step, list(rules.steps[:k]).count(step)) for k, step in enumerate(rules.steps)])
    latest[rows.time - latest > rules.within] = -FOREVER
    count = (latest > -FOREVER).sum(axis=0)
    depth = np.maximum.reduceat(count, first) if len(first) else np.zeros(0, dtype=np.int64)
    best = np.flatnonzero(count == depth[history])
    best = best[_new(history[best])]
    times = np.sort(np.where(latest[:, best] > -FOREVER, latest[:, best], FOREVER), axis=0)
    pending = np.zeros(len(first), dtype=bool)
    if rules.within < FOREVER:
        pending[history[rules.ends - rows.time < rules.within]] = True
    return Reached(rows.row[first], depth, times, pending)


def _latest(rows: _Rows, step: int, skip: int) -> NDArray[np.int64]:
    """Per row: when the event `step` last was, up to this row, within the epoch; `skip` leaves out the newest ones."""
    mine = np.flatnonzero(rows.event == step)
    position = np.searchsorted(mine, np.arange(len(rows.event)), side="right") - 1 - skip
    found = mine[np.maximum(position, 0)] if len(mine) else np.zeros(len(rows.event), dtype=np.int64)
    ok = (position >= 0) & (len(mine) > 0)
    ok[ok] &= rows.epoch[found[ok]] == rows.epoch[ok]
    return np.where(ok, rows.time[found], -FOREVER)


def _new(values: NDArray) -> NDArray[np.bool_]:
    """Per element of a sorted array: whether it differs from the one before."""
    new = np.ones(len(values), dtype=bool)
    np.not_equal(values[1:], values[:-1], out=new[1:])
    return new
