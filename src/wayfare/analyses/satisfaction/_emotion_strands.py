"""The three strands of emotion, counted in passes over the log: scores, comments, and friction that was observed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses.satisfaction._emotion_places import (
    PLACE_COLUMNS,
    SCORE_COLUMNS,
    Ints,
    Places,
    Questions,
    scored_rows,
)
from wayfare.domain.journey import STAGES
from wayfare.histories.block import Block, owners_of_each
from wayfare.histories.fold import Fold
from wayfare.histories.stages import StageMap

MOST_COMMENTS = 4_000
"""More comments than this are not read: of those who wrote, some customers are chosen by a hash."""
_MOST_OF_ONE = 40
_WIDTH = len(STAGES)
_LAST = np.iinfo(np.uint64).max


def cluster_sums(group: Ints, owner: Ints, value: NDArray[np.float64], groups: int) -> NDArray[np.float64]:
    """Of each group, what the mean of its values, clustered in owners, needs (groups, 6).

    The sums over owners of x, y, x², xy, y² and 1, where x is an owner's total in the group and y how many values.
    """
    there = (group >= 0) & np.isfinite(value)
    owners = int(owner.max(initial=0)) + 1
    cell, label = np.unique(group[there] * owners + owner[there], return_inverse=True)
    x = np.bincount(label, weights=value[there], minlength=len(cell))
    y = np.bincount(label, minlength=len(cell)).astype(float)
    of = cell // owners
    parts = (x, y, x * x, x * y, y * y, np.ones(len(cell)))
    return np.stack([np.bincount(of, weights=part, minlength=groups) for part in parts], axis=1)


@dataclass(frozen=True)
class Scores(Fold[dict[str, NDArray[np.float64]]]):
    """Scores as positions on their own scale, summed by stage and then by touchpoint (stages + touchpoints, 6).

    And, as `asked`, how many each question has at each stage and what they add up to (stages, questions, 2).
    """

    places: Places
    questions: Questions
    question: int | None
    worst: tuple[float, ...]
    best: tuple[float, ...]
    touchpoints: int

    @property
    def columns(self) -> tuple[str, ...]:
        """What places a score and says which question it answers."""
        return (*PLACE_COLUMNS, *SCORE_COLUMNS)

    def scan(self, block: Block) -> dict[str, NDArray[np.float64]]:
        """The sums of one block."""
        rows = scored_rows(block, self.question)
        if not len(rows):
            asked = np.zeros((_WIDTH, self.questions.size, 2))
            return {"sums": np.zeros((_WIDTH + self.touchpoints, 6)), "asked": asked}
        number = self.questions.of(block, rows)
        worst, best = np.array(self.worst)[number], np.array(self.best)[number]
        value = 2 * (block["score"][rows] - worst) / (best - worst) - 1
        stage, met = self.places.of(block, rows)
        owner = block.owner[rows]
        sums = [cluster_sums(stage, owner, value, _WIDTH), cluster_sums(met, owner, value, self.touchpoints)]
        return {"sums": np.concatenate(sums), "asked": self._asked(stage, number, value)}

    def _asked(self, stage: Ints, number: Ints, value: NDArray[np.float64]) -> NDArray[np.float64]:
        there = (stage >= 0) & np.isfinite(value)
        cell, size = stage[there] * self.questions.size + number[there], _WIDTH * self.questions.size
        parts = [np.bincount(cell, weights=w, minlength=size) for w in (np.ones(len(cell)), value[there])]
        return np.stack(parts, axis=1).astype(np.float64).reshape(_WIDTH, self.questions.size, 2)


@dataclass(frozen=True)
class Comments(Fold[dict[str, Any]]):
    """The comments of some customers, all of theirs: those with the smallest hashes, as many as are read.

    A rating that goes with a comment is its own score, else that of the best-ranked question (how satisfied, how
    likely to recommend, other ratings, how easy) that the customer answered at the same instant.
    """

    places: Places
    questions: Questions
    question: int | None
    ranks: tuple[int, ...]
    most: int = MOST_COMMENTS

    @property
    def columns(self) -> tuple[str, ...]:
        """What places a comment, and the scores that may go with it."""
        return (*PLACE_COLUMNS, *SCORE_COLUMNS, "comment")

    def scan(self, block: Block) -> dict[str, Any]:
        """Comments (comments,), where they belong and the scores that go with them; how many were written."""
        rows = _written(block)
        mine = np.bincount(block.owner[rows], minlength=max(block.customers, 1))
        nth = np.arange(len(rows)) - (np.cumsum(mine) - mine)[block.owner[rows]]
        rows = rows[nth < _MOST_OF_ONE]
        stage, met = self.places.of(block, rows)
        rated = self._rated(block, rows)
        known = rated >= 0
        customer = block["customer"][rows].astype(np.int64)
        none = np.full(len(rows), np.nan)
        return self._smallest(
            {
                "written": int(mine.sum()),
                "from": int(_LAST),
                "hash": _hash(customer),
                "customer": customer,
                "stage": stage,
                "met": met,
                "score": np.where(known, block["score"][rated], np.nan) if block.has("score") else none,
                "question": np.where(known, self.questions.of(block, np.maximum(rated, 0)), -1),
                "comment": block["comment"][rows] if len(rows) else np.zeros(0, dtype=object),
            }
        )

    def merge(self, left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
        """The smallest hashes of both."""
        both = {
            key: np.concatenate([left[key], right[key]]) for key in left if isinstance(left[key], np.ndarray)
        }
        return self._smallest(
            {**both, "written": left["written"] + right["written"], "from": min(left["from"], right["from"])}
        )

    def _smallest(self, found: dict[str, Any]) -> dict[str, Any]:
        """As many whole customers as fit, in the order of their hashes; `from` is the first hash that is left out."""
        columns = {key: values for key, values in found.items() if isinstance(values, np.ndarray)}
        order = np.lexsort(
            (columns["customer"], columns["hash"])
        )  # stable: a customer's rows keep their order
        start = min(int(found["from"]), int(_LAST))
        if len(order) > self.most:
            start = min(start, int(columns["hash"][order[self.most]]))
        kept = order[columns["hash"][order] < np.uint64(start)] if start < int(_LAST) else order
        return {**found, "from": start, **{key: values[kept] for key, values in columns.items()}}

    def _rated(self, block: Block, rows: Ints) -> Ints:
        """The row with the rating that goes with each of `rows`, -1 for none."""
        scored = scored_rows(block, self.question)
        if not len(scored):
            return np.full(len(rows), -1)
        new = block.first.copy()
        new[1:] |= block["time"][1:] != block["time"][:-1]
        instant = np.cumsum(new.astype(np.int64)) - 1
        rank = np.array(self.ranks)[self.questions.of(block, scored)]
        order = scored[np.lexsort((rank, instant[scored]))][::-1]
        best = np.full(int(instant[-1]) + 1, -1)
        best[instant[order]] = order
        own = np.isin(rows, scored)
        return np.where(own, rows, best[instant[rows]])


def _written(block: Block) -> Ints:
    """The rows with a comment."""
    if not block.has("comment"):
        return np.zeros(0, dtype=np.int64)
    comment = block["comment"]
    # Comments are text or codes; None is missing among texts, and compared one by one.
    return np.flatnonzero(comment != None if comment.dtype.kind == "O" else comment >= 0)  # noqa: E711


def _hash(code: Ints) -> NDArray[np.uint64]:
    """A number that looks random for each code (the finaliser of SplitMix64; Steele, Lea & Flood 2014)."""
    z = code.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@dataclass(frozen=True)
class Friction(Fold[dict[str, NDArray[np.int64]]]):
    """Customers at each stage and touchpoint, and those who met friction there.

    Attributes:
        stages: Which stage each event stands for, and which are orders.
        touchpoint: The touchpoint's number by code of an event, -1 for none.
        touchpoints: How many there are.
        answer: The code of the event that an answer is.
        trouble: The place of an event that is friction by itself, by its code; -1 for others.
        retried: The place of an event whose repeat is friction, by its code; -1 for others.
        sorts: How many places there are.
        within: How soon a repeat is a retry, µs.
    """

    stages: StageMap
    touchpoint: tuple[int, ...]
    touchpoints: int
    answer: int
    trouble: tuple[int, ...]
    retried: tuple[int, ...]
    sorts: int
    within: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Only what happened."""
        return ("event",)

    def scan(self, block: Block) -> dict[str, NDArray[np.int64]]:
        """Customers and events by stage (and none), by sort of friction, and by touchpoint."""
        event, stage = block["event"], self.stages.stages(block).astype(np.int64)
        trouble = np.array([*self.trouble, -1])[event]
        bad, again = np.flatnonzero(trouble >= 0), self._retries(block)
        rows = np.concatenate([bad, again])
        sort = np.concatenate([trouble[bad], np.array([*self.retried, -1])[event[again]]])
        placed = _carried(block, stage >= 0, rows)
        at = np.where(placed >= 0, stage[placed] if block.rows else -1, -1)
        cause = _carried(block, (trouble < 0) & (event != self.answer), rows)
        met = np.array([*self.touchpoint, -1])[event]
        where = np.where(cause >= 0, met[cause] if block.rows else -1, -1)
        cell = np.where(at >= 0, at, _WIDTH) * self.sorts + sort
        cells = (_WIDTH + 1) * self.sorts
        owner = block.owner[rows]
        shown = np.where(trouble < 0, met, -1)
        return {
            "there": block.customers_of_each(stage, _WIDTH),
            "met_by": _customers(owner, at, _WIDTH),
            "events": np.bincount(cell, minlength=cells).reshape(_WIDTH + 1, self.sorts),
            "customers": _customers(owner, cell, cells).reshape(_WIDTH + 1, self.sorts),
            "at_touchpoint": block.customers_of_each(shown, self.touchpoints),
            "met_at_touchpoint": _customers(owner, where, self.touchpoints),
            "events_at_touchpoint": np.bincount(where[where >= 0], minlength=self.touchpoints),
        }

    def _retries(self, block: Block) -> Ints:
        """The rows at which a customer does the same again, soon and without an order in between."""
        place = np.array([*self.retried, -1])[block["event"]]
        rows = np.flatnonzero(place >= 0)
        order = rows[np.argsort(block.owner[rows] * self.sorts + place[rows], kind="stable")]
        orders = np.cumsum(self.stages.is_order(block).astype(np.int64))
        before, after = order[:-1], order[1:]
        wait = block["time"][after] - block["time"][before]
        same = (block.owner[after] == block.owner[before]) & (place[after] == place[before])
        return after[same & (wait > 0) & (wait <= self.within) & (orders[after] == orders[before])]


def _carried(block: Block, mask: NDArray[np.bool_], rows: Ints) -> Ints:
    """The customer's last row up to each of `rows` at which `mask` holds, or -1."""
    last = np.maximum.accumulate(np.where(mask, np.arange(block.rows), -1))[rows]
    return np.where(last >= block.starts[:-1][block.owner[rows]], last, -1)


def _customers(owner: Ints, group: Ints, groups: int) -> Ints:
    """How many owners are in each group, -1 for none."""
    there = np.flatnonzero(group >= 0)
    there = there[np.argsort(owner[there], kind="stable")]
    return owners_of_each(owner[there], group[there], groups)
