"""How well activities do, read off a block: every run of an activity from its start to its end."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wayfare.domain.duration import Duration
from wayfare.domain.journey import STAGES, Stage
from wayfare.domain.value_chain import Activity, ValueChain
from wayfare.histories.block import Block
from wayfare.histories.orders import orders_of
from wayfare.histories.source import Names
from wayfare.histories.stages import StageMap

NEVER = np.iinfo(np.int64).max
HOUR = 3_600_000_000
WAITED = Duration.parse("30d")
"""How long an end is waited for where the document doesn't say."""


@dataclass(frozen=True)
class Measure:
    """A performance measure in the codes of one log.

    Attributes:
        activity: The activity's id.
        start: The code of the event that a run starts with.
        end: The code of the event that it ends with.
        within: How long the end is waited for, µs.
        target: The longest wait that meets the target, µs; `NEVER` without one.
        defect: Whether the end is a defect, and not the end of a wait.
        ordering: Whether its end is a step of ordering: then who orders and how it does are one thing.
        referring: Whether its end brings others, likewise.
        silent_misses: Whether a run that never ends has missed: nobody answered. A delivery that never comes may be one
            that was never due (bought in a store), and is left out.
    """

    activity: str
    start: int
    end: int
    within: int
    target: int
    defect: bool
    ordering: bool
    referring: bool
    silent_misses: bool

    @property
    def timed(self) -> bool:
        """Whether there is a target in hours."""
        return not self.defect and self.target < NEVER

    @property
    def landmark(self) -> int:
        """How long after the start it is known whether the target was met, µs; 0 where there is no target."""
        return self.within if self.defect else self.target if self.timed else 0


def measures_of(
    chain: ValueChain, events: Names, stages: StageMap, referrals: Collection[int]
) -> tuple[tuple[Measure, ...], dict[str, str]]:
    """The measures that the log has both events for, in the document's order; and why the others can't be taken."""
    found, missing = [], {}
    purchase = STAGES.index(Stage.PURCHASE)
    for _, activity in chain.activities():
        said = activity.performance
        if said is None:
            continue
        start, end = events.code(said.start), events.code(said.end)
        if start is None or end is None:
            missing[activity.id] = f"the log has no event {said.start if start is None else said.end}"
            continue
        ordering = stages.orders[end] or stages.before[end] == purchase
        found.append(_measure(activity, start, end, ordering=ordering, referring=end in referrals))
    return tuple(found), missing


def _measure(activity: Activity, start: int, end: int, *, ordering: bool, referring: bool) -> Measure:
    said = activity.performance
    assert said is not None
    within = Duration.parse(said.within).microseconds if said.within else WAITED.microseconds
    defect = said.measure == "defect"
    target = NEVER if defect or said.at_most is None else round(said.at_most * HOUR)
    silent_misses = said.measure in ("waiting", "first_response")
    return Measure(activity.id, start, end, within, target, defect, ordering, referring, silent_misses)


@dataclass(frozen=True, eq=False)
class Runs:
    """The runs of one activity in a block, by customer and time; arrays are (runs,).

    Attributes:
        row: The row that it starts at.
        last: The last row of that customer at that instant.
        owner: The customer's position in the block.
        time: When it starts, µs UTC.
        end: The row that it ends at; -1 where no end came in time.
        wait: How long that took, µs; `NEVER` where no end came in time.
        known: Whether it can be judged: its time to end is over, and an end came where one was not to be taken for granted.
        missed: Whether it missed the target, or had a defect; false throughout where there is no target.
    """

    row: NDArray[np.int64]
    last: NDArray[np.int64]
    owner: NDArray[np.int64]
    time: NDArray[np.int64]
    end: NDArray[np.int64]
    wait: NDArray[np.int64]
    known: NDArray[np.bool_]
    missed: NDArray[np.bool_]


def runs_of(block: Block, stages: StageMap, measure: Measure, log_ends: int) -> Runs:
    """Every run of the activity that starts in the block.

    The lines of one order are one start. An end that carries an order's id ends the run of that order; where either
    carries none, a run ends with the next end.
    """
    row = _starts(block, stages, measure.start)
    owner, time = block.owner[row], block["time"][row]
    end = following_of_order(block, row, row, np.flatnonzero(block["event"] == measure.end))
    there = end >= 0
    wait = np.where(there, block["time"][np.maximum(end, 0)] - time, NEVER)
    late = wait > measure.within
    end, wait = np.where(late, -1, end), np.where(late, NEVER, wait)
    over = time + measure.within <= log_ends
    came = wait < NEVER
    known = over & (came | measure.defect | measure.silent_misses)
    missed = came if measure.defect else known & (wait > measure.target) & measure.timed
    return Runs(row, last_of_instant(block)[row], owner, time, end, wait, known, missed)


def last_of_instant(block: Block) -> NDArray[np.int64]:
    """Per row: the last row of its customer at the same instant (rows,)."""
    return block.once("last of instant", lambda: _last_of_instant(block))


def _last_of_instant(block: Block) -> NDArray[np.int64]:
    if not block.rows:
        return np.zeros(0, np.int64)
    new = block.changes("time")
    starts = np.flatnonzero(new)
    lasts = np.append(starts[1:], block.rows) - 1
    return lasts[np.cumsum(new) - 1]


def _starts(block: Block, stages: StageMap, start: int) -> NDArray[np.int64]:
    if stages.orders[start]:
        row = orders_of(block, stages).row
        return row[block["event"][row] == start]
    row = np.flatnonzero(block["event"] == start)
    # The same thing twice at one instant is one.
    again = np.zeros(row.size, dtype=bool)
    again[1:] = last_of_instant(block)[row[1:]] == last_of_instant(block)[row[:-1]]
    return row[~again]


def following_of_order(
    block: Block, since: NDArray[np.int64], row: NDArray[np.int64], targets: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The first of the ascending rows `targets` after each row `since` that is of the order of `row`; -1 for none.

    A target that carries another order's id is not taken; where the row or the target carries none, any will do.
    """
    if not block.has("order") or not block.rows:
        return following_row(block, since, targets)
    order, size = block["order"].astype(np.int64), block.rows + 1
    named = order[targets] >= 0
    anonymous = following_row(block, since, targets[~named])
    # (order, row) ascending, so that one search finds the next one of the same order.
    keys = np.append(np.sort(order[targets[named]] * size + targets[named]), np.iinfo(np.int64).max)
    key = keys[np.searchsorted(keys, order[row] * size + since, side="right")]
    own = np.where(key // size == order[row], key % size, 0)
    fits = (key // size == order[row]) & (block.owner[own] == block.owner[row])
    own = np.where(fits, own, -1)
    either = np.where((own < 0) | ((anonymous >= 0) & (anonymous < own)), anonymous, own)
    return np.where(order[row] >= 0, either, following_row(block, since, targets))


def following_row(
    block: Block, row: NDArray[np.int64], targets: NDArray[np.int64], owner: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """The first of the ascending rows `targets` after each row, of the same customer (or of `owner`); -1 for none."""
    if not targets.size:
        return np.full(row.size, -1, dtype=np.int64)
    place = np.searchsorted(targets, row, side="right")
    found = targets[np.minimum(place, targets.size - 1)]
    fits = (place < targets.size) & (block.owner[found] == (block.owner[row] if owner is None else owner))
    return np.where(fits, found, -1)


def next_time(block: Block, runs: Runs, targets: NDArray[np.int64]) -> NDArray[np.int64]:
    """When the first of the ascending rows `targets` comes after the instant of each run's start; `NEVER` for none."""
    found = following_row(block, runs.last, targets)
    return np.where(found >= 0, block["time"][np.maximum(found, 0)] if block.rows else NEVER, NEVER)
