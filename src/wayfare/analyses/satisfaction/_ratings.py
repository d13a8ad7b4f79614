"""Ratings side by side: what each respondent gave each driver, how satisfied they were in all, and what they did next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses._score_scales import code_of
from wayfare.domain.survey import SURVEY_ANSWER
from wayfare.histories.block import Block
from wayfare.histories.fold import Fold
from wayfare.histories.stages import StageMap
from wayfare.log import Log
from wayfare.study import Study

SCORED = ("rating", "csat", "ces", "nps")
"""Kinds of question whose answers are points of a scale."""
_DAY = 86_400_000_000


@dataclass(frozen=True)
class Ratings(Fold[dict[str, list[NDArray[Any]]]]):
    """A row for each time that a customer answered: ratings, experiences, and what came after.

    Attributes:
        answer: The code of the event that an answer is.
        overall: The code of the question about everything.
        questions: The codes of the questions that may drive it.
        experiences: The codes of the events that may.
        window: How long before an answer other ratings and experiences count, µs.
        horizon: How long after it an order or a referral is waited for, µs.
        stages: Which events are orders.
        referrals: The codes of the events by which a customer brings others.
        ends: The log's end, µs.
    """

    answer: int
    overall: int
    questions: tuple[int, ...]
    experiences: tuple[int, ...]
    window: int
    horizon: int
    stages: StageMap
    referrals: tuple[int, ...]
    ends: int

    @property
    def columns(self) -> tuple[str, ...]:
        """What tells one answer from another."""
        return ("event", "score", "question", "survey", "wave")

    def scan(self, block: Block) -> dict[str, list[NDArray[Any]]]:
        """Ratings (answers, questions), experiences (answers, experiences), and outcomes (answers,)."""
        asked = self._scores(block)
        at, overall = self._moments(block, asked)
        ratings = [self._latest(block, at, asked[q], self.window, scored=True) for q in self.questions]
        event = block["event"]
        met = [self._latest(block, at, np.flatnonzero(event == e), self.window) for e in self.experiences]
        orders = np.flatnonzero(self.stages.is_order(block))
        referred = np.flatnonzero(block.happened(self.referrals))
        open_still = block["time"][at] + self.horizon > self.ends
        return {
            "ratings": [np.stack(ratings, axis=1).astype(np.float32)] if ratings else [],
            "experiences": [np.stack(met, axis=1).astype(np.float32)] if met else [],
            "satisfaction": [overall],
            "repurchase": [np.where(open_still, np.nan, self._next(block, at, orders))],
            "referral": [np.where(open_still, np.nan, self._next(block, at, referred))],
        }

    def _scores(self, block: Block) -> dict[int, NDArray[np.int64]]:
        """The rows that answer each question with a score."""
        if not (block.has("question") and block.has("score")):
            return dict.fromkeys((*self.questions, self.overall), np.zeros(0, dtype=np.int64))
        given = np.flatnonzero((block["event"] == self.answer) & ~np.isnan(block["score"]))
        question = block["question"][given]
        return {q: given[question == q] for q in (*self.questions, self.overall)}

    def _moments(
        self, block: Block, asked: dict[int, NDArray[np.int64]]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The last row of each time that a customer answered a survey, and how satisfied the customer then was in all."""
        rows = np.sort(np.concatenate(list(asked.values()))) if asked else np.zeros(0, dtype=np.int64)
        code = {n: block[n][rows].astype(np.int64) for n in ("survey", "wave") if block.has(n)}
        none = np.full(len(rows), -1)
        wave = code.get("wave", none)
        when = np.where(wave >= 0, -1 - wave, block["time"][rows] // _DAY)
        key = np.stack([block.owner[rows], code.get("survey", none), when])
        _, which = np.unique(key, axis=1, return_inverse=True)
        last = np.zeros(int(which.max(initial=-1)) + 1, dtype=np.int64)
        last[which] = rows  # in the order of the rows, so that the last one stays
        found = np.full(len(last), np.nan)
        whole = np.isin(rows, asked[self.overall])
        found[which[whole]] = block["score"][rows[whole]] if whole.any() else np.nan
        return last, found

    def _latest(
        self,
        block: Block,
        at: NDArray[np.int64],
        rows: NDArray[np.int64],
        window: int,
        *,
        scored: bool = False,
    ) -> NDArray[np.float64]:
        """The score of the customer's last one of `rows` up to `at`, or whether there is one at all."""
        if not len(rows):
            return np.full(len(at), np.nan if scored else 0.0)
        position = np.searchsorted(rows, at, side="right") - 1
        row = rows[np.maximum(position, 0)]
        known = (position >= 0) & (block.owner[row] == block.owner[at])
        known &= block["time"][at] - block["time"][row] <= window
        return np.where(known, block["score"][row], np.nan) if scored else known.astype(float)

    def _next(self, block: Block, at: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Whether the customer has one of `rows` after `at`, within the horizon."""
        if not len(rows):
            return np.zeros(len(at))
        position = np.searchsorted(rows, at, side="right")
        row = rows[np.minimum(position, len(rows) - 1)]
        came = (position < len(rows)) & (block.owner[row] == block.owner[at])
        return (came & (block["time"][row] - block["time"][at] <= self.horizon)).astype(float)


@dataclass(frozen=True)
class _Asked(Fold[dict[str, Any]]):
    """How often each question of each kind was answered with a score."""

    answer: int
    questions: int
    kinds: int

    @property
    def columns(self) -> tuple[str, ...]:
        return ("event", "score", "question", "question_kind")

    def scan(self, block: Block) -> dict[str, Any]:
        size = self.questions * (self.kinds + 1)
        if not (block.has("question") and block.has("score")):
            return {"asked": np.zeros(size, dtype=np.int64)}
        rows = np.flatnonzero((block["event"] == self.answer) & ~np.isnan(block["score"]))
        kind = block["question_kind"][rows].astype(np.int64) if block.has("question_kind") else 0 * rows
        question = block["question"][rows].astype(np.int64)
        key = (question * (self.kinds + 1) + kind)[(question >= 0) & (kind >= 0)]
        return {"asked": np.bincount(key, minlength=size)}


def questions_asked(study: Study) -> list[tuple[str, str, int]]:
    """The questions that were answered with points of a scale: key, kind (or nothing) and how often."""
    counted: dict[tuple[str, str], int] = {}
    for log in logs_of(study):
        if "question" not in log.schema or "score" not in log.schema:
            continue
        names = log.names("question").to_list()
        kinds = log.names("question_kind").to_list() if "question_kind" in log.schema else [""]
        fold = _Asked(code_of(log, "event", SURVEY_ANSWER), len(names), len(kinds))
        found = (study if log is study.log else log).fold(fold)["asked"].reshape(len(names), len(kinds) + 1)
        for q, k in zip(*np.nonzero(found), strict=True):
            if kinds[k] in ("", *SCORED):
                key = (names[q], kinds[k])
                counted[key] = counted.get(key, 0) + int(found[q, k])
    return sorted(((*key, count) for key, count in counted.items()), key=lambda one: (-one[2], one[0]))


def logs_of(study: Study) -> tuple[Log, ...]:
    """The log of customers, and that of anonymous answers where there are any."""
    return (study.log,) if study.anonymous is None else (study.log, study.anonymous)
