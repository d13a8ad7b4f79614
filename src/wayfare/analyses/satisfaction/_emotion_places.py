"""Where an answer, a score or a comment belongs, and on which scale it was given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wayfare.domain.survey import SURVEY_ANSWER, Ces, Scored, Survey
from wayfare.histories.block import Block
from wayfare.histories.fold import Fold
from wayfare.histories.stages import StageMap, stage_map
from wayfare.log import Log
from wayfare.study import Study

Ints = NDArray[np.int64]

PLACE_COLUMNS = ("event", "touchpoint")
SCORE_COLUMNS = ("score", "question", "question_kind")
_SCALES = ((1, 5), (1, 7), (1, 10), (0, 5), (0, 10), (0, 100))
_KINDS = ("csat", "nps", "rating", "ces")


@dataclass(frozen=True)
class Places:
    """Where rows of one log belong; touchpoints have the same numbers in every log of a study.

    Attributes:
        answer: The code of the event that an answer is; -1 where the log has none.
        touchpoint: The touchpoint's number by code of an event.
        named: The same by code of the column `touchpoint`, and the event's code that it stands for, -1 for none.
        stages: Which stage each event stands for.
    """

    answer: int
    touchpoint: tuple[int, ...]
    named: tuple[tuple[int, int], ...]
    stages: StageMap

    def of(self, block: Block, rows: Ints) -> tuple[Ints, Ints]:
        """The stage and the touchpoint that each of `rows` belongs to, -1 for none (rows,), (rows,).

        That is the row's own event; of an answer, the touchpoint that it names, else the customer's last event before it.
        """
        if not len(rows):
            return rows, rows
        event = block["event"]
        before = np.maximum.accumulate(np.where(event != self.answer, np.arange(block.rows), -1))[rows]
        before = np.where(before >= block.starts[:-1][block.owner[rows]], before, -1)
        known = before >= 0
        met = np.where(known, np.array([*self.touchpoint, -1])[event[before]], -1)
        stage = np.where(known, self.stages.stages(block)[before], -1).astype(np.int64)
        if block.has("touchpoint"):
            code = np.where(event[rows] == self.answer, block["touchpoint"][rows].astype(np.int64), -1)
            place, its_event = np.array([*self.named, (-1, -1)]).T
            met = np.where(code >= 0, place[code], met)
            stage = np.where(code >= 0, self._stage_of(block, rows, its_event[code]), stage)
        return stage, met

    def _stage_of(self, block: Block, rows: Ints, event: Ints) -> Ints:
        """The stage that `event` would have stood for at the time of each of `rows`."""
        before, after = np.array([*self.stages.before, -1]), np.array([*self.stages.after, -1])
        return np.where(self.stages.has_ordered(block)[rows], after[event], before[event])


@dataclass(frozen=True)
class Questions:
    """Which question a score answers, as one number: of the question and its kind, else of the event it came with."""

    questions: tuple[str, ...]
    kinds: tuple[str, ...]
    events: tuple[str, ...]

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return (len(self.questions) + 1) * (len(self.kinds) + 1) + len(self.events)

    def of(self, block: Block, rows: Ints) -> Ints:
        """The number of the question that each of `rows` answers (rows,)."""
        none = np.full(len(rows), -1)
        question, kind = (
            block[name][rows].astype(np.int64) if block.has(name) else none
            for name in ("question", "question_kind")
        )
        pair = (question + 1) * (len(self.kinds) + 1) + kind + 1
        return np.where(pair > 0, pair, (self.size - len(self.events)) + block["event"][rows])

    def name(self, number: int) -> tuple[str, str]:
        """The question and its kind, "" where the log does not say it; of a number beyond, the event."""
        pairs = self.size - len(self.events)
        if number >= pairs:
            return self.events[number - pairs], ""
        question, kind = divmod(number, len(self.kinds) + 1)
        return ("", *self.questions)[question], ("", *self.kinds)[kind]

    def ranks(self) -> tuple[int, ...]:
        """By number: its place among questions that may stand for how content a customer is, the best first."""
        names = [self.name(number) for number in range(self.size)]
        order = sorted(
            range(self.size),
            key=lambda n: (_KINDS.index(names[n][1]) if names[n][1] in _KINDS else len(_KINDS), names[n]),
        )
        return tuple(np.argsort(order).tolist())


@dataclass(frozen=True)
class Scale:
    """The worst and the best point of a question's scale, and how that is known."""

    worst: float
    best: float
    source: str

    def emotion(self, score: Any) -> Any:
        """The position on the scale, from −1 at its worst point to 1 at its best."""
        return 2 * (score - self.worst) / (self.best - self.worst) - 1


@dataclass(frozen=True)
class Spans(Fold[dict[int, tuple[int, float, float]]]):
    """How many scores each question has, and from where to where they go."""

    questions: Questions
    question: int | None

    @property
    def columns(self) -> tuple[str, ...]:
        """What tells one question from another."""
        return ("event", *SCORE_COLUMNS)

    def scan(self, block: Block) -> dict[int, tuple[int, float, float]]:
        """Number, lowest and highest of a block's scores, by question."""
        rows = scored_rows(block, self.question)
        number, score = self.questions.of(block, rows), block["score"][rows] if len(rows) else rows
        found = {}
        for one in np.unique(number).tolist():
            its = score[number == one]
            found[one] = len(its), float(its.min()), float(its.max())
        return found

    def merge(
        self, left: dict[int, tuple[int, float, float]], right: dict[int, tuple[int, float, float]]
    ) -> dict[int, tuple[int, float, float]]:
        """The same of two partials together."""
        both = dict(left)
        for one, (n, low, high) in right.items():
            before = both.get(one, (0, low, high))
            both[one] = before[0] + n, min(before[1], low), max(before[2], high)
        return both


def scored_rows(block: Block, question: int | None) -> Ints:
    """The rows with a score, of the one question where one is asked for; Kano answers and choices have none."""
    if not block.has("score"):
        return np.zeros(0, dtype=np.int64)
    given = np.isfinite(block["score"])
    if question is not None:
        given &= block.has("question") and block["question"] == question
    return np.flatnonzero(given)


def touchpoints_of(logs: list[Log]) -> list[str]:
    """All touchpoints of the logs, by name: their events, and what answers name."""
    names = {name for log in logs for name in log.names("event").to_list()}
    for log in logs:
        names |= set(log.names("touchpoint").to_list()) if "touchpoint" in log.schema else set()
    return sorted(names - {SURVEY_ANSWER})


def places_of(study: Study, log: Log, touchpoints: list[str]) -> Places:
    """How rows of `log` are placed on the study's journey."""
    events = log.names("event")
    number = {name: index for index, name in enumerate(touchpoints)}
    named = log.names("touchpoint").to_list() if "touchpoint" in log.schema else []
    answer, codes = events.code(SURVEY_ANSWER), [events.code(name) for name in named]
    return Places(
        answer=-1 if answer is None else answer,
        touchpoint=tuple(number.get(name, -1) for name in events.to_list()),
        named=tuple((number.get(n, -1), -1 if c is None else c) for n, c in zip(named, codes, strict=True)),
        stages=study.stages if log is study.log else stage_map(study.journey, events),
    )


def questions_of(log: Log) -> Questions:
    """The questions of a log's scores."""
    question, kind = (
        tuple(log.names(name).to_list()) if name in log.schema else () for name in SCORE_COLUMNS[1:]
    )
    return Questions(question, kind, tuple(log.names("event").to_list()))


def scale_of(name: tuple[str, str], low: float, high: float, documented: Mapping[str, Scale]) -> Scale | None:
    """The scale of a question with answers from `low` to `high`; None where they are all one number off every scale."""
    question, kind = name
    if question in documented:
        scale = documented[question]
        inside = min(scale.worst, scale.best) <= low and high <= max(scale.worst, scale.best)
        if inside:
            return scale
    if kind == "nps" and low >= 0 and high <= 10:
        return Scale(0, 10, "the Net Promoter Score")
    for worst, best in _SCALES:
        if worst <= low and high <= best:
            return Scale(worst, best, "guessed from the answers")
    return Scale(low, high, "lowest and highest answer") if high > low else None


def documented_scales(surveys: Mapping[str, Survey]) -> dict[str, Scale]:
    """The scales that the survey documents say, by question; of one key in two documents, the first by name."""
    found: dict[str, Scale] = {}
    for name in sorted(surveys):
        for question in surveys[name].questions:
            if isinstance(question, Scored):
                ends = question.scale.low, question.scale.high
                effort = isinstance(question, Ces) and question.measures == "effort"
                worst, best = reversed(ends) if effort else ends
                found.setdefault(question.key, Scale(worst, best, "the survey document"))
    return found
