"""The planned path against the ones taken: who took it in order, where they left it, where they went instead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wayfare.histories.block import Block
from wayfare.histories.filter import Condition, Filter
from wayfare.histories.fold import Fold
from wayfare.histories.orders import one_row_an_order
from wayfare.histories.tally import Tally
from wayfare.stats.proportions import wilson
from wayfare.study import Study

JOIN = " > "
LEFT, CUT = "(left)", "…"
MOST_STEPS = 8
"""A path taken is told up to so many touchpoints."""
VARIANTS = 10
_ENDINGS = ("", LEFT, JOIN.join((CUT, LEFT)), JOIN.join((CUT, "")))
Row = dict[str, Any]


@dataclass(frozen=True)
class Ways(Fold[dict[str, Any]]):
    """How the customers who meet the conditions went through a plan.

    Attributes:
        plan: The codes of the planned events, in order; -1 for one that the log does not know.
        placed: The codes of the events that the map places.
        events: How many events the log knows.
        silent_since: Who has been silent since (µs) or longer has left.
        conditions: Whose ways are told.
    """

    plan: tuple[int, ...]
    placed: tuple[int, ...]
    events: int
    silent_since: int
    conditions: tuple[Condition, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads."""
        return ("event", "order", *(condition.column for condition in self.conditions))

    @property
    def ended(self) -> int:
        """The code that stands for nothing more; those above it stand for a path too long to be told, left or finished."""
        return self.events

    @property
    def steps(self) -> int:
        """How many touchpoints of a path fit into one number."""
        return min(MOST_STEPS, int(63 // np.log2(self.events + 4)) - 1)

    def scan(self, block: Block) -> dict[str, Any]:
        """The counts of one block."""
        block = Filter(conditions=self.conditions).apply(block)
        members = block.customers
        block = one_row_an_order(block)
        silent = (block["time"][block.starts[1:] - 1] <= self.silent_since)[block.owner]
        block = block.with_columns({"silent": silent})
        walk = block.keep(block.happened({*self.placed, *self.plan}))
        return {"customers": members, **self._walked(walk)}

    def _walked(self, block: Block) -> dict[str, Any]:
        event, silent = block["event"].astype(np.int64), block["silent"][block.starts[:-1]]
        after, row = _next_other(block), self._first(block, 0)
        start, wide = row, self.events + 1
        found: dict[str, Any] = {
            name: np.zeros(len(self.plan), dtype=np.int64) for name in ("reached", "lost")
        }
        found |= {name: np.zeros((len(self.plan), wide), dtype=np.int64) for name in ("went", "back")}
        for step in range(len(self.plan)):
            here = row >= 0
            found["reached"][step] = here.sum()
            if step == len(self.plan) - 1:
                break
            later = self._first(block, step + 1, row)
            found["lost"][step] = (here & (later < 0) & silent).sum()
            then = np.where(here, after[np.maximum(row, 0)], -1)
            to = np.where(then >= 0, event[np.maximum(then, 0)], self.ended)
            told = here & ((then >= 0) | silent)
            found["went"][step] = np.bincount(to[told], minlength=wide)
            found["back"][step] = np.bincount(to[told & (later >= 0)], minlength=wide)
            row = later
        return {**found, "taken": self._taken(block, start, row, silent)}

    def _first(self, block: Block, step: int, since: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """Per customer: the first row at that step of the plan, after the row `since`; -1 where there is none."""
        if step >= len(self.plan):
            return np.full(block.customers, -1, dtype=np.int64)
        there = block["event"] == self.plan[step]
        if since is not None:
            at = since[block.owner]
            there &= (at >= 0) & (np.arange(block.rows) > at)
        return block.first_row(there)

    def _taken(self, block: Block, start: NDArray, goal: NDArray, silent: NDArray) -> Tally:
        """The paths from the plan's beginning to its end, or as far as they went, of those whose way is decided."""
        decided = (start >= 0) & ((goal >= 0) | silent)
        stop = np.where(goal >= 0, goal, block.rows)[block.owner]
        number = np.arange(block.rows)
        on = decided[block.owner] & (number >= start[block.owner]) & (number <= stop)
        rows = np.flatnonzero(on)
        # Each touchpoint counts where it was first met: who looks twice goes no other way than who looks once.
        _, first = np.unique(
            block.owner[rows] * np.int64(self.events) + block["event"][rows], return_index=True
        )
        rows = rows[np.sort(first)]
        owner = block.owner[rows]
        begin = np.flatnonzero(np.append(True, owner[1:] != owner[:-1])) if len(rows) else rows
        place = np.arange(len(rows)) - np.repeat(begin, np.diff(np.append(begin, len(rows))))
        base, key = np.int64(self.events + 4), np.zeros(block.customers, dtype=np.int64)
        length = np.bincount(owner, minlength=block.customers)
        for step in range(self.steps):
            at = place == step
            key[owner[at]] = key[owner[at]] * base + block["event"][rows[at]] + 1
        whole, finished = length <= self.steps, goal >= 0
        ending = np.select(
            [whole & finished, whole, ~finished], [0, self.ended + 1, self.ended + 2], self.ended + 3
        )
        return Tally.of((key * base + ending)[decided])

    def path(self, key: int, names: Sequence[str]) -> str:
        """The text of a path taken."""
        key, ending = divmod(key, self.events + 4)
        goal = names[self.plan[-1]] if ending == self.ended + 3 else ""
        parts = [_ENDINGS[max(ending - self.ended, 0)] + goal]
        while key:
            key, digit = divmod(key, self.events + 4)
            parts.append(names[digit - 1])
        return JOIN.join(part for part in reversed(parts) if part)


def _next_other(block: Block) -> NDArray[np.int64]:
    """Per row: the customer's next row with another event, -1 where there is none (rows,)."""
    runs = np.append(np.flatnonzero(block.changes("event")), block.rows)
    then = runs[np.searchsorted(runs[:-1], np.arange(block.rows), side="right")]
    inside = then < block.starts[1:][block.owner]
    return np.where(inside, then, -1)


@dataclass(frozen=True)
class Plan:
    """A planned path and whose it is: '' for everybody."""

    persona: str
    events: tuple[str, ...]
    fold: Ways


def plan_of(
    study: Study,
    persona: str,
    events: Sequence[str],
    silent_since: int,
    conditions: tuple[Condition, ...] = (),
) -> Plan:
    """What a pass has to be asked for the ways through `events`."""
    names, where = study.log.names("event"), study.stages
    placed = tuple(c for c in range(len(where.before)) if where.before[c] >= 0 or where.after[c] >= 0)
    codes = [names.code(event) for event in events]
    plan = tuple(-1 if code is None else code for code in codes)
    return Plan(persona, tuple(events), Ways(plan, placed, len(where.before), silent_since, conditions))


def path_rows(plan: Plan, found: dict[str, Any], names: Sequence[str]) -> Iterator[Row]:
    """The planned path and the most frequent ones that were taken by those who began it."""
    if not plan.events:
        return
    began, took = int(found["reached"][0]), int(found["reached"][-1])
    decided = took + int(found["lost"].sum())
    keys, counts = found["taken"].counted()
    taken = [(-n, plan.fold.path(key, names)) for key, n in zip(keys.tolist(), counts.tolist(), strict=True)]
    yield _path(plan, "planned", JOIN.join(plan.events), took, decided, began)
    for fewer, path in sorted(taken)[:VARIANTS]:
        yield _path(plan, "actual", path, -fewer, decided, began)


def _path(plan: Plan, kind: str, path: str, customers: int, decided: int, began: int) -> Row:
    sure = wilson(customers, decided)
    share = customers / decided if decided else None
    return {"path": path, "kind": kind, "persona": plan.persona, "customers": customers, "share": share,
            "low": sure.low, "high": sure.high, "began": began, "pending": began - decided}  # fmt: skip


def step_rows(plan: Plan, found: dict[str, Any]) -> Iterator[Row]:
    """How many got how far on the plan."""
    began = int(found["reached"][0]) if plan.events else 0
    for step, event in enumerate(plan.events):
        reached, lost = int(found["reached"][step]), int(found["lost"][step])
        yield {"persona": plan.persona, "step": step + 1, "event": event, "customers": reached,
               "share": reached / began if began else None, "left": lost}  # fmt: skip


def deviation_rows(plan: Plan, found: dict[str, Any], names: Sequence[str]) -> Iterator[Row]:
    """What came right after each step of the plan."""
    for step, (event, planned) in enumerate(zip(plan.events, plan.events[1:], strict=False)):
        went, back = found["went"][step], found["back"][step]
        rows = [
            (-int(went[code]), names[code] if code < len(names) else LEFT, int(back[code]))
            for code in np.flatnonzero(went).tolist()
        ]
        for fewer, actual, came in sorted(rows):
            yield {"step": step + 1, "planned_next": planned, "actual_next": actual, "customers": -fewer,
                   "share": -fewer / int(went.sum()), "at": event, "came_back": 0 if actual == planned else came,
                   "persona": plan.persona}  # fmt: skip
