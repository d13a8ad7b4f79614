"""One pass for all bindings of a canvas: each distinct condition is judged once a block, each distinct pair added up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses._observed import rows_of
from wayfare.analyses._score_scales import POINTS
from wayfare.analyses.canvas._measures import (
    ANSWERED,
    NEVER,
    Figure,
    Flags,
    Floats,
    Ints,
    Moments,
    sample_of,
    so_far,
)
from wayfare.histories.block import Block
from wayfare.histories.filter import Condition
from wayfare.histories.fold import Fold, add_up
from wayfare.histories.orders import ORDER_COLUMNS

LIFETIME = "lifetime_value"
EVERYBODY = 0
"""The segment without conditions; it is always the first."""


@dataclass(frozen=True)
class Kept:
    """What a filter by time or event leaves to count; segments are judged on what was before, too."""

    since: int | None
    events: tuple[int, ...] | None

    def part(self, block: Block) -> tuple[Block, NDArray | None]:
        """The rows that count, and the positions of the customers that are left; None where all are."""
        if self.since is None and self.events is None:
            return block, None
        mask = rows_of(block, self.events)
        if self.since is not None:
            mask = mask & (block["time"] >= self.since)
        return block.keep(mask), np.unique(block.owner[mask])


@dataclass(frozen=True)
class Asked:
    """Which answers are of which kind of question: the code of the event, and of each measure's kind of question.

    A kind of None takes every scored answer: the log does not tell kinds apart.
    """

    answer: int
    kinds: tuple[tuple[str, int | None], ...]


@dataclass(frozen=True)
class Measured(Fold[dict[str, Any]]):
    """The sums of every pair of a figure and a segment.

    Attributes:
        moments: What figures are read with.
        asked: Which answers count.
        kept: What the filter leaves.
        conditions: Every distinct condition.
        segments: The positions of the conditions that all hold for each segment; the first has none.
        figures: Every distinct figure.
        pairs: (figure, segment) by their positions.
    """

    moments: Moments
    asked: Asked
    kept: Kept
    conditions: tuple[Condition, ...]
    segments: tuple[tuple[int, ...], ...]
    figures: tuple[Figure, ...]
    pairs: tuple[tuple[int, int], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of orders, of the answers that are asked for, and of the conditions."""
        answers = ("score", "question_kind") if any(f.measure in ANSWERED for f in self.figures) else ()
        return (*ORDER_COLUMNS, *answers, *(condition.column for condition in self.conditions))

    def scan(self, block: Block) -> dict[str, Any]:
        """The sums of one block (pairs, 6), counts of scores (pairs, POINTS), and the moments that counted (pairs,)."""
        members = self._members(block)
        block, left = self.kept.part(block)
        if left is not None:
            members = [flags[left] for flags in members]
        found = _Sums.of(len(self.pairs))
        for figure in range(len(self.figures)):
            mine = [(pair, members[s]) for pair, (f, s) in enumerate(self.pairs) if f == figure]
            self._add(block, self.figures[figure], mine, found)
        return {
            "sums": found.sums,
            "scores": found.scores,
            "first": found.first,
            "last": found.last,
            "lifetime": found.lifetime,
        }

    def merge(self, left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
        """Sums add; the moments are those of both."""
        whole: dict[str, Any] = add_up(left, right)
        whole["first"] = np.minimum(left["first"], right["first"])
        whole["last"] = np.maximum(left["last"], right["last"])
        return whole

    def _members(self, block: Block) -> list[Flags]:
        """Per segment: who is of it (customers,)."""
        holds = [condition.members(block) for condition in self.conditions]
        everybody = np.ones(block.customers, dtype=bool)
        return [
            np.logical_and.reduce([holds[c] for c in which]) if which else everybody
            for which in self.segments
        ]

    def _add(self, block: Block, figure: Figure, mine: list[tuple[int, Flags]], found: _Sums) -> None:
        if figure.measure in ANSWERED:
            row, point = self._answers(block, figure.measure)
            found.add_scores(block, row, point, mine)
        elif figure.measure == LIFETIME:
            days, sample = so_far(block, self.moments)
            owner = days.owner[days.starts]
            found.lifetime.append(
                {
                    "code": days.codes,
                    "value": sample.x[owner],
                    "member": np.stack([m[owner] for _, m in mine], axis=1),
                }
            )
            found.add_moments(mine, sample.counted, sample.first, sample.last)
        else:
            sample = sample_of(block, figure, self.moments)
            products = sample.products()
            for pair, member in mine:
                found.sums[pair] = products @ member
            found.add_moments(mine, sample.counted, sample.first, sample.last)

    def _answers(self, block: Block, measure: str) -> tuple[Ints, Ints]:
        """The rows of the answers of a measure's kind, and their points."""
        chosen = block["event"] == self.asked.answer
        kind = dict(self.asked.kinds)[measure]
        if not block.has("score"):
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        if kind is not None:
            chosen &= block["question_kind"] == kind if block.has("question_kind") else False
        row = np.flatnonzero(chosen & ~np.isnan(block["score"]))
        score = block["score"][row]
        whole = (score >= 0) & (score < POINTS) & (score == np.rint(score))
        return row[whole], score[whole].astype(np.int64)


@dataclass(frozen=True, eq=False)
class _Sums:
    """What is added up in a block, filled pair by pair."""

    sums: Floats
    scores: Ints
    first: Ints
    last: Ints
    lifetime: list[dict[str, NDArray]]

    @classmethod
    def of(cls, pairs: int) -> _Sums:
        """Nothing yet."""
        return cls(
            np.zeros((pairs, 6)),
            np.zeros((pairs, POINTS), dtype=np.int64),
            np.full(pairs, NEVER.max),
            np.full(pairs, NEVER.min),
            [],
        )

    def add_scores(self, block: Block, row: Ints, point: Ints, mine: list[tuple[int, Flags]]) -> None:
        owner, time = block.owner[row], block["time"][row]
        for pair, member in mine:
            there = member[owner]
            self.scores[pair] = np.bincount(point[there], minlength=POINTS)
            self.first[pair] = time[there].min(initial=NEVER.max)
            self.last[pair] = time[there].max(initial=NEVER.min)

    def add_moments(self, mine: list[tuple[int, Flags]], counted: Flags, first: Ints, last: Ints) -> None:
        for pair, member in mine:
            there = np.flatnonzero(member & counted)
            self.first[pair] = first[there].min(initial=NEVER.max)
            self.last[pair] = last[there].max(initial=NEVER.min)
