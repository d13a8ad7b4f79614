"""What customers do on their visits, read off a block: the draws that personas are made of."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wayfare.histories.block import Block
from wayfare.histories.calendar import local_time
from wayfare.histories.fold import Fold

HOUR, DAY, DEPTH = "time of day", "day of week", "events a visit"
VISITS = "visits"
TOUCHPOINT = "touchpoint"
OF_A_VISIT = (HOUR, DAY, DEPTH)
LABELS = {
    HOUR: ("at night", "in the morning", "in the afternoon", "in the evening"),
    DAY: ("on weekdays", "at weekends"),
    DEPTH: ("1", "2 to 3", "4 to 7", "8 or more"),
    VISITS: ("1", "2 to 3", "4 to 7", "8 or more"),
}
_BANDS = np.array([2, 4, 8])
_HOUR, _PER_DAY = 3_600_000_000, 86_400_000_000
_DENSE = 1 << 25


@dataclass(frozen=True)
class Habits:
    """What is read of each customer, and until when.

    Attributes:
        window: How long after a customer's first event behaviour counts, in µs.
        gap: The pause that ends a visit, in µs.
        zone: That of the clock.
        columns: Coded columns of which a visit has one value.
        once: Columns that belong to the customer.
        left_out: Codes of events that are no behaviour: survey answers, referrals, reviews.
        orders: Codes of events that are orders: part of a visit, but no touchpoint of it.
        choices: Codes of `question_kind` whose answers are used; empty where there are none.
        events: How many event names there are.
    """

    window: int
    gap: int
    zone: str
    columns: tuple[str, ...]
    once: tuple[str, ...]
    left_out: tuple[int, ...]
    orders: tuple[int, ...]
    choices: tuple[int, ...]
    events: int

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns that have to be read."""
        asked = ("question", "question_kind", "answer") if self.choices else ()
        return ("event", *self.columns, *self.once, *asked)


@dataclass(frozen=True, eq=False)
class Seen:
    """What was read of some customers.

    Attributes:
        codes: Their codes in the log (customers,).
        owner: Each visit's customer, as a position in `codes` (visits,).
        marks: Each visit's value of the facets `OF_A_VISIT` and the columns, -1 where there is none (visits, facets).
        visit: The visit of each different touchpoint met on it (meetings,).
        event: Its event code (meetings,).
        once: What belongs to the customer, nan where it is missing (customers, columns).
        answered: The customer of each answer to a question with choices (answers,).
        answers: Its question's and answer's codes (answers, 2).
    """

    codes: NDArray[np.int64]
    owner: NDArray[np.int64]
    marks: NDArray[np.int16]
    visit: NDArray[np.int64]
    event: NDArray[np.int32]
    once: NDArray[np.float64]
    answered: NDArray[np.int64]
    answers: NDArray[np.int32]

    def of(self, mask: NDArray[np.bool_]) -> Seen:
        """The same of the customers for whom `mask` (customers,) holds."""
        number = np.cumsum(mask) - 1
        visits = mask[self.owner]
        meetings = visits[self.visit]
        answers = mask[self.answered]
        return Seen(
            self.codes[mask], number[self.owner[visits]], self.marks[visits],
            (np.cumsum(visits) - 1)[self.visit[meetings]], self.event[meetings], self.once[mask],
            number[self.answered[answers]], self.answers[answers],
        )  # fmt: skip

    def sorted_by(self, key: NDArray) -> Seen:
        """The same with the customers in the order of `key` (customers,)."""
        order = np.argsort(key, kind="stable")
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        visits = np.argsort(rank[self.owner], kind="stable")
        place = np.empty_like(visits)
        place[visits] = np.arange(len(visits))
        meetings = np.argsort(place[self.visit], kind="stable")
        answers = np.argsort(rank[self.answered], kind="stable")
        return Seen(
            self.codes[order], rank[self.owner][visits], self.marks[visits], place[self.visit][meetings],
            self.event[meetings], self.once[order], rank[self.answered][answers], self.answers[answers],
        )  # fmt: skip


def joined(left: Seen, right: Seen) -> Seen:
    """Both, the right one's customers after the left one's."""
    customers, visits = len(left.codes), len(left.owner)
    moved = replace(
        right,
        owner=right.owner + customers,
        visit=right.visit + visits,
        answered=right.answered + customers,
    )
    return Seen(*(np.concatenate([getattr(left, name), getattr(moved, name)]) for name in vars(left)))


def behaviour(block: Block, habits: Habits) -> NDArray[np.int64]:
    """The rows that are behaviour within the window."""
    return block.once(("behaviour", habits), lambda: _behaviour(block, habits))


def _behaviour(block: Block, habits: Habits) -> NDArray[np.int64]:
    begun = block["time"][block.starts[:-1]]
    inside = block["time"] - begun[block.owner] < habits.window
    return np.flatnonzero(inside & ~block.happened(habits.left_out))


def seen_in(block: Block, habits: Habits) -> Seen:
    """What the customers of a block did within the window."""
    rows = behaviour(block, habits)
    owner, time = block.owner[rows], block["time"][rows]
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (np.diff(owner) != 0) | (np.diff(time) >= habits.gap)
    first, visit_of = np.flatnonzero(new), np.cumsum(new) - 1
    answered, answers = _answers(block, habits)
    met = ~block.happened(habits.orders)[rows]
    visit, event = _meetings(block["event"][rows[met]], visit_of[met], len(first), habits)
    marks = [*_of_the_clock(time[first], habits.zone), _band(np.bincount(visit_of, minlength=len(first)))]
    marks += [_first_known(block[name][rows], visit_of, len(first)) for name in habits.columns]
    once = [_number(block[name][block.starts[:-1]]) for name in habits.once]
    return Seen(
        block.codes.astype(np.int64),
        owner[first],
        np.stack(marks, axis=1).astype(np.int16),
        visit,
        event.astype(np.int32),
        np.stack(once, axis=1) if once else np.empty((block.customers, 0)),
        answered,
        answers,
    )


def _meetings(
    event: NDArray, visit: NDArray[np.int64], visits: int, habits: Habits
) -> tuple[NDArray, NDArray]:
    """Each visit with each different touchpoint on it."""
    key = visit * habits.events + event
    if visits * habits.events > _DENSE:
        found = np.unique(key)
    else:
        met = np.zeros(visits * habits.events, dtype=bool)
        met[key] = True
        found = np.flatnonzero(met)
    return np.divmod(found, max(habits.events, 1))


def _of_the_clock(times: NDArray[np.int64], zone: str) -> tuple[NDArray, NDArray]:
    local = local_time(times, zone)
    # 1970-01-01 was a Thursday
    return local % _PER_DAY // (6 * _HOUR), ((local // _PER_DAY + 3) % 7 >= 5).astype(np.int64)


def _band(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.searchsorted(_BANDS, counts, side="right")


def _first_known(values: NDArray, visit: NDArray[np.int64], visits: int) -> NDArray[np.int64]:
    """Per visit: the first value that is not missing, or -1."""
    found = np.full(visits, -1, dtype=np.int64)
    known = np.flatnonzero(values >= 0)[::-1]
    found[visit[known]] = values[known]
    return found


def _number(values: NDArray) -> NDArray[np.float64]:
    numbers = values.astype(np.float64)
    return numbers if values.dtype.kind == "f" else np.where(values < 0, np.nan, numbers)


def _answers(block: Block, habits: Habits) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    if not habits.choices:
        return np.empty(0, dtype=np.int64), np.empty((0, 2), dtype=np.int32)
    asked = (
        np.isin(block["question_kind"], habits.choices) & (block["question"] >= 0) & (block["answer"] >= 0)
    )
    rows = np.flatnonzero(asked)
    pairs = np.stack([block["question"][rows], block["answer"][rows]], axis=1)
    return block.owner[rows], pairs.astype(np.int32)


@dataclass(frozen=True)
class Sampled(Fold[Seen]):
    """What the customers with the smallest hashes did: the sample that personas are fitted to.

    Attributes:
        habits: What is read.
        hashes: A hash of each customer's id, by code (customers of the log,).
        size: How many customers are kept.
        limit: Hashes from here on are not even looked at; where a filter drops customers it is the largest number.
    """

    habits: Habits
    hashes: NDArray[np.uint64]
    size: int
    limit: int

    @property
    def columns(self) -> tuple[str, ...]:
        """What habits are read from."""
        return self.habits.reads

    def scan(self, block: Block) -> Seen:
        """What the block's customers of the sample did."""
        near = self.hashes[block["customer"]] <= np.uint64(self.limit)
        return self._smallest(seen_in(block.keep(near), self.habits))

    def merge(self, left: Seen, right: Seen) -> Seen:
        """Both, as far as they stay in the sample."""
        return self._smallest(joined(left, right))

    def _smallest(self, seen: Seen) -> Seen:
        if len(seen.codes) <= self.size:
            return seen
        hashes = self.hashes[seen.codes]
        return seen.of(hashes <= np.partition(hashes, self.size - 1)[self.size - 1])


def hashed(ids: NDArray[np.object_]) -> NDArray[np.uint64]:
    """A hash of each id that is the same on every machine, so that the sample does not hang on the codes."""
    from pandas.util import hash_array

    return hash_array(ids, categorize=False)
