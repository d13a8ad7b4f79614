"""Answers to one kind of question, counted by score and group, and the customers who were there to answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses._score_scales import POINTS, UNKNOWN, code_of, kind_code
from wayfare.domain.journey import STAGES
from wayfare.domain.survey import SURVEY_ANSWER
from wayfare.errors import UnknownName
from wayfare.histories.block import Block
from wayfare.histories.calendar import period_index, period_label
from wayfare.histories.fold import Fold
from wayfare.histories.orders import ORDER_COLUMNS, orders_of
from wayfare.histories.stages import StageMap
from wayfare.log import Log
from wayfare.study import Study

"""Whole points that are counted, from 0; other scores are on no scale that is known here."""
ORDERS = ("no order", "1 order", "2 orders", "3 or more orders")
_MONTHS = 12 * 130
_MANY_CHANNELS = 200


@dataclass(frozen=True)
class Layout:
    """Where the counts of each group stand: all answers, then by touchpoint, stage, month and value of a property."""

    touchpoints: int
    values: int

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """Where each kind of group begins, and where the last one ends."""
        sizes = (1, self.touchpoints, len(STAGES), _MONTHS, self.values)
        return (0, *np.cumsum(sizes).tolist())

    @property
    def size(self) -> int:
        """How many groups there are."""
        return self.starts[-1]


@dataclass(frozen=True)
class Answers(Fold[dict[str, Any]]):
    """Counts of scores by group; customers who answered, and who were there, by group and by kind of customer.

    Attributes:
        answer: The code of the event that an answer is.
        kind: The code of the kind of question; None where the log does not tell kinds apart.
        question: The code of the one question that is asked for, or None.
        invitation: The code of the event that asks for an answer; None where everybody in the log is asked.
        named: The touchpoint's number by code of the column `touchpoint`.
        by: The property that splits the answers, or nothing.
        channels: How many channels customers are told apart by.
    """

    answer: int
    kind: int | None
    question: int | None
    invitation: int | None
    layout: Layout
    named: tuple[int, ...]
    by: str
    channels: int
    stages: StageMap
    zone: str

    @property
    def columns(self) -> tuple[str, ...]:
        """What answers and orders are read off from."""
        return (*ORDER_COLUMNS, "score", "question_kind", "question", "touchpoint", "channel", *self._by)

    @property
    def _by(self) -> tuple[str, ...]:
        return (self.by,) if self.by else ()

    def scan(self, block: Block) -> dict[str, Any]:
        """Counts by (group, score), and customers by group and by cell."""
        row = np.flatnonzero(self._chosen(block))
        score = block["score"][row] if len(row) else np.zeros(0)
        whole = (score >= 0) & (score < POINTS) & (score == np.rint(score))
        row, point = row[whole], score[whole].astype(np.int64)
        value = self._values(block)
        asked = self._asked(block)
        mine = asked[block.owner[row]]
        groups = self._groups_of(block, row, value)
        cell = self._cells(block)
        cells = (self.channels + 1) * len(ORDERS)
        said = cell[block.owner[row]]
        found = np.concatenate([start + g for start, g in zip(self.layout.starts, groups, strict=False)])
        keys = (found * POINTS + np.tile(point, len(groups)))[np.concatenate([g >= 0 for g in groups])]
        distinct, counts = np.unique(keys, return_counts=True)
        return {
            "keys": [distinct],
            "counts": [counts],
            "off_scale": len(whole) - len(row),
            "answered": self._distinct(block.owner[row[mine]], [g[mine] for g in groups]),
            "there": self._there(block, asked, value),
            "cells": np.bincount(cell[asked], minlength=cells),
            "cells_answered": np.bincount(cell[np.unique(block.owner[row[mine]])], minlength=cells),
            "cells_scores": np.bincount(said * POINTS + point, minlength=cells * POINTS),
        }

    def _chosen(self, block: Block) -> NDArray[np.bool_]:
        chosen: NDArray[np.bool_] = block["event"] == self.answer
        if not block.has("score"):
            return chosen & False
        if self.kind is not None:
            chosen &= block.has("question_kind") and block["question_kind"] == self.kind
        if self.question is not None:
            chosen &= block["question"] == self.question
        return chosen & ~np.isnan(block["score"])

    def _asked(self, block: Block) -> NDArray[np.bool_]:
        if self.invitation is None:
            return np.ones(block.customers, dtype=bool)
        return block.any_of(block["event"] == self.invitation)

    def _values(self, block: Block) -> NDArray[np.int64]:
        """Per row: the value of the property, the customer's first one where the row has none; the last is none."""
        if not self.by or not block.has(self.by):
            return np.full(block.rows, -1)
        code = block[self.by].astype(np.int64)
        first = block.first_row(code >= 0)
        usual = np.where(first >= 0, code[np.maximum(first, 0)], self.layout.values - 1)
        return np.where(code >= 0, code, usual[block.owner])

    def _groups_of(
        self, block: Block, row: NDArray[np.int64], value: NDArray[np.int64]
    ) -> list[NDArray[np.int64]]:
        """Of each answer: its number among touchpoints, stages, months and values, -1 for none; all are in group 0."""
        if not len(row):
            return [row] * 5
        before = np.where(block["event"] != self.answer, np.arange(block.rows), -1)
        before = np.maximum.accumulate(before)[row]
        before = np.where(before >= block.starts[:-1][block.owner[row]], before, -1)
        met = np.where(before >= 0, block["event"][before], -1)
        stage = np.where(before >= 0, self.stages.stages(block)[before], -1)
        if block.has("touchpoint"):
            code = block["touchpoint"][row].astype(np.int64)
            named = np.array([*self.named, -1])[code]
            met = np.where(code >= 0, named, met)
            stage = np.where(code >= 0, self._stage_named(block, row, named), stage)
        month = period_index(block["time"][row], self.zone, "month")
        return [
            np.zeros(len(row), dtype=np.int64),
            met.astype(np.int64),
            stage.astype(np.int64),
            month,
            value[row],
        ]

    def _stage_named(
        self, block: Block, row: NDArray[np.int64], named: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """The stage that a touchpoint named in the answer stands for at that time; -1 where it is no event."""
        known = len(self.stages.before)
        before, after = np.array([*self.stages.before, -1]), np.array([*self.stages.after, -1])
        event = np.where((named >= 0) & (named < known), named, known)
        return np.where(self.stages.has_ordered(block)[row], after[event], before[event])

    def _distinct(self, owner: NDArray[np.int64], groups: list[NDArray[np.int64]]) -> NDArray[np.int64]:
        """How many customers are in each group."""
        pairs = [
            owner[g >= 0] * self.layout.size + start + g[g >= 0]
            for start, g in zip(self.layout.starts, groups, strict=False)
        ]
        return np.bincount(np.unique(np.concatenate(pairs)) % self.layout.size, minlength=self.layout.size)

    def _there(self, block: Block, asked: NDArray[np.bool_], value: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many of those who were asked are in each group: who met it, was active then, or has that value."""
        # The kind of question has no part in it, so that all kinds that are counted in a pass share it.
        key = ("there", self.answer, self.invitation, self.layout, self.by, self.stages, self.zone)
        return block.once(key, lambda: self._count_there(block, asked, value))

    def _count_there(
        self, block: Block, asked: NDArray[np.bool_], value: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        there = asked[block.owner]
        _, *starts = self.layout.starts
        met = np.where(there & (block["event"] != self.answer), block["event"], -1)
        stage = np.where(there, self.stages.stages(block), -1)
        month = period_index(block["time"], self.zone, "month")
        new = block.first.copy()
        new[1:] |= month[1:] != month[:-1]
        usual = value[block.starts[:-1]][asked] if self.layout.values else np.zeros(0, dtype=np.int64)
        found = np.zeros(self.layout.size, dtype=np.int64)
        found[0] = np.count_nonzero(asked)
        found[starts[0] : starts[1]] = block.customers_of_each(met, self.layout.touchpoints)
        found[starts[1] : starts[2]] = block.customers_of_each(stage, len(STAGES))
        found[starts[2] : starts[3]] = np.bincount(month[new & there], minlength=_MONTHS)
        found[starts[3] : starts[4]] = np.bincount(usual, minlength=self.layout.values)
        return found

    def _cells(self, block: Block) -> NDArray[np.int64]:
        """Per customer: first channel and orders, as one number."""
        return block.once(("cells", self.channels, self.stages), lambda: self._number_cells(block))

    def _number_cells(self, block: Block) -> NDArray[np.int64]:
        number = np.bincount(orders_of(block, self.stages).owner, minlength=block.customers)
        kind = np.minimum(number, len(ORDERS) - 1)
        if not self.channels or not block.has("channel"):
            return kind
        channel = block["channel"].astype(np.int64)
        first = block.first_row(channel >= 0)
        code = np.where(first >= 0, channel[np.maximum(first, 0)], self.channels)
        return code * len(ORDERS) + kind


@dataclass(frozen=True, eq=False)
class Counted:
    """What was found, group by group, those without an answer left out.

    Attributes:
        groups: What each group is (`all`, `touchpoint`, `stage`, `month` or the property) and its name.
        scores: How many gave each score (groups, POINTS).
        answered: How many customers who were asked answered (groups,).
        there: How many customers there were to answer (groups,).
        off_scale: Answers that are no whole number from 0 to 100.
        anonymous: Answers of people who are not in the log, among those of the groups.
        cells: Customers by first channel and orders, as (channels + 1, orders), and how many of them answered.
        cells_scores: Their scores (channels + 1, orders, POINTS).
        channels: The channels' names.
    """

    groups: list[tuple[str, str]]
    scores: NDArray[np.int64]
    answered: NDArray[np.int64]
    there: NDArray[np.int64]
    off_scale: int
    anonymous: int
    cells: NDArray[np.int64]
    cells_answered: NDArray[np.int64]
    cells_scores: NDArray[np.int64]
    channels: list[str]


def count_answers(study: Study, kind: str, question: str | None, by: str | None, untold: bool) -> Counted:
    """The answers to the questions of one kind, of customers and of people who stayed anonymous.

    Args:
        study: Whose answers.
        kind: Of the questions.
        question: The one question, or None for all of the kind.
        by: The property that splits them.
        untold: Whether all scored answers count where the log does not say of what kind a question was.
    """
    fold, names = _fold(study, study.log, kind, question, by, untold)
    found = study.fold(fold)
    scores = _dense(found, fold.layout)
    anonymous = np.zeros_like(scores)
    if study.anonymous is not None:
        apart, apart_names = _fold(study, study.anonymous, kind, question, by, untold)
        anonymous = _brought_over(_dense(study.anonymous.fold(apart), apart.layout), apart_names, names)
    total = _padded(scores, len(names)) + anonymous
    size = total.sum(axis=1)
    order = sorted(np.flatnonzero(size), key=lambda g: (*_place(names[g][0], size[g]), g))
    cells = (fold.channels + 1, len(ORDERS))
    return Counted(
        groups=[names[g] for g in order],
        scores=total[order],
        answered=_padded(found["answered"], len(names))[order],
        there=_padded(found["there"], len(names))[order],
        off_scale=int(found["off_scale"]),
        anonymous=int(anonymous[0].sum()),
        cells=found["cells"].reshape(cells),
        cells_answered=found["cells_answered"].reshape(cells),
        cells_scores=found["cells_scores"].reshape(*cells, POINTS),
        channels=study.log.names("channel").to_list() if fold.channels else [],
    )


def _place(kind: str, answers: int) -> tuple[int, int]:
    """All first, then stages and months in their order; touchpoints and values by how many answered."""
    ranks = {"all": 0, "touchpoint": 1, "stage": 2, "month": 3}
    return ranks.get(kind, 4), 0 if kind in ("stage", "month") else -answers


def _fold(
    study: Study, log: Log, kind: str, question: str | None, by: str | None, untold: bool
) -> tuple[Answers, list[tuple[str, str]]]:
    """The fold for one log, and what its groups are called."""
    events = log.names("event").to_list()
    named = log.names("touchpoint").to_list() if "touchpoint" in log.schema else []
    touchpoints = [*events, *(name for name in named if name not in set(events))]
    number = {name: index for index, name in enumerate(touchpoints)}
    values = [*log.names(by).to_list(), "(none)"] if by and by in log.schema else []
    channels = len(log.names("channel").to_list()) if "channel" in log.schema else 0
    invitations = {s.invitation for s in study.surveys.values() if s.invitation and s.of_kind(kind)}
    invited = log.names("event").code(min(invitations)) if len(invitations) == 1 else None
    fold = Answers(
        answer=code_of(log, "event", SURVEY_ANSWER),
        kind=kind_code(log, kind, untold),
        question=None if question is None else _asked_for(log, study, question),
        invitation=invited,
        layout=Layout(len(touchpoints), len(values)),
        named=tuple(number[name] for name in named),
        by=by or "",
        channels=channels if channels <= _MANY_CHANNELS else 0,
        stages=study.stages if log is study.log else _stages(study, log),
        zone=study.zone,
    )
    months = [("month", period_label(index, "month")) for index in range(_MONTHS)]
    names = [("all", "all answers"), *(("touchpoint", name) for name in touchpoints)]
    return fold, [*names, *(("stage", s.label) for s in STAGES), *months, *((by or "", v) for v in values)]


def _stages(study: Study, log: Log) -> StageMap:
    from wayfare.histories.stages import stage_map

    return stage_map(study.journey, log.names("event"))


def _asked_for(log: Log, study: Study, question: str) -> int:
    """The question's code; unknown to both logs, it is refused."""
    if log is study.log and code_of(log, "question", question) == UNKNOWN:
        apart = study.anonymous
        if apart is None or code_of(apart, "question", question) == UNKNOWN:
            known = log.names("question").to_list() if "question" in log.schema else []
            raise UnknownName.among("question", question, known, where="question")
    return code_of(log, "question", question)


def _dense(found: dict[str, Any], layout: Layout) -> NDArray[np.int64]:
    keys = np.concatenate(found["keys"])
    counts = np.bincount(keys, weights=np.concatenate(found["counts"]), minlength=layout.size * POINTS)
    return np.rint(counts).astype(np.int64).reshape(layout.size, POINTS)


def _padded(counts: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """`counts` with rows of 0 up to `size` groups."""
    return np.concatenate((counts, np.zeros((size - len(counts), *counts.shape[1:]), dtype=np.int64)))


def _brought_over(
    scores: NDArray[np.int64], own: list[tuple[str, str]], names: list[tuple[str, str]]
) -> NDArray[np.int64]:
    """Anonymous scores in the groups of the log with customers; groups that it does not know come after them."""
    place = {name: index for index, name in enumerate(names)}
    there = np.flatnonzero(scores.sum(axis=1))
    for name in (own[g] for g in there):
        if name not in place:
            place[name] = len(names)
            names.append(name)
    into = np.zeros((len(names), POINTS), dtype=np.int64)
    for group in there:
        into[place[own[group]]] += scores[group]
    return into
