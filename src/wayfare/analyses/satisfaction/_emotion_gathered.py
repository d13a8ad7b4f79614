"""All that is known of how customers felt: scores, comments and friction, of customers and of people who stayed anonymous."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses.satisfaction._emotion_places import (
    Places,
    Questions,
    Scale,
    Spans,
    documented_scales,
    places_of,
    questions_of,
    scale_of,
    touchpoints_of,
)
from wayfare.analyses.satisfaction._emotion_strands import MOST_COMMENTS, Comments, Friction, Scores
from wayfare.domain.journey import STAGES
from wayfare.domain.survey import SURVEY_ANSWER
from wayfare.histories.fold import Fold
from wayfare.histories.schema import Kind
from wayfare.log import Log
from wayfare.study import Study

SORTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("cancellation", ("cancel",)),
    ("refund or return", ("refund", "return", "chargeback")),
    ("complaint or call for help", ("complain", "support", "ticket", "claim", "helpdesk", "hotline")),
    ("failure", ("fail", "error", "declin", "reject")),
)
"""Sorts of friction by what the names of their events hold; the first that fits counts."""
RETRY, OTHER = "retry", "friction"
_RETRIED = ("checkout", "payment", "pay_", "billing", "login", "log_in", "sign_in", "verif", "form_submit")


@dataclass(frozen=True)
class Trouble:
    """What counts as friction: events by themselves, and events whose quick repeat is a retry."""

    events: tuple[tuple[str, str], ...]
    retried: tuple[str, ...]

    @property
    def sorts(self) -> list[tuple[str, str]]:
        """Each event with the sort of friction that it is."""
        return [*self.events, *((event, RETRY) for event in self.retried)]


@dataclass(frozen=True, eq=False)
class Said:
    """Comments with where they belong and the rating, −1 to 1, that was given with them; NaN where none was."""

    text: list[str]
    rating: NDArray[np.float64]
    customer: NDArray[np.int64]
    stage: NDArray[np.int64]
    met: NDArray[np.int64]
    written: int


@dataclass(frozen=True, eq=False)
class Gathered:
    """What the passes found.

    Attributes:
        touchpoints: Names of touchpoints, by number.
        sums: What means of scores need, by stage and then by touchpoint (stages + touchpoints, 6).
        asked: Of each question, how many scores it has at each stage and what they add up to (stages, 2).
        scales: Question, kind, scale and number of scores; without a scale the scores are left out.
        said: The comments that are read.
        friction: Counts of friction.
        trouble: What counted as friction.
    """

    touchpoints: list[str]
    sums: NDArray[np.float64]
    asked: dict[tuple[str, str], NDArray[np.float64]]
    scales: list[tuple[str, str, Scale | None, int]]
    said: Said
    friction: dict[str, NDArray[np.int64]]
    trouble: Trouble


def trouble_of(study: Study, friction: Sequence[str], retried: Sequence[str]) -> Trouble:
    """What was asked for, else what the events' names say; an order or an answer is never friction."""
    names = [n for n in study.log.names("event").to_list() if n not in (*study.journey.orders, SURVEY_ANSWER)]
    sorts = {name: next((sort for sort, words in SORTS if _speaks(name, words)), "") for name in names}
    events = friction or [name for name in sorted(names) if sorts[name]]
    again = retried or [name for name in sorted(names) if not sorts[name] and _speaks(name, _RETRIED)]
    return Trouble(
        tuple((name, sorts.get(name) or OTHER) for name in dict.fromkeys(events)), tuple(dict.fromkeys(again))
    )


def gather(study: Study, question: str | None, trouble: Trouble, within: int) -> Gathered:
    """Everything, in one pass, and a second one over scores once their scales are known."""
    logs = [study.log, *([study.anonymous] if study.anonymous is not None else [])]
    touchpoints = touchpoints_of(logs)
    placed = [_Asked.of(study, log, touchpoints, question) for log in logs]
    most = MOST_COMMENTS // len(logs)
    first: list[list[Fold[Any]]] = [[asked.comments(most), asked.spans] for asked in placed]
    friction, *own = study.fold_all(
        [_friction(study, placed[0].places, trouble, within, len(touchpoints)), *first[0]]
    )
    found = [own, *(log.fold_all(folds) for log, folds in zip(logs[1:], first[1:], strict=True))]
    spans = _joined([(asked, span) for asked, (_, span) in zip(placed, found, strict=True)])
    documented = documented_scales(study.surveys)
    scales = {name: scale_of(name, low, high, documented) for name, (_, low, high) in spans.items()}
    sums, by_question = np.zeros((len(STAGES) + len(touchpoints), 6)), {}
    if any(scales.values()):
        folds = [asked.scores(scales, len(touchpoints)) for asked in placed]
        each = [study.fold(folds[0]), *(log.fold(f) for log, f in zip(logs[1:], folds[1:], strict=True))]
        sums = np.sum([one["sums"] for one in each], axis=0)
        by_question = _by_question(placed, [one["asked"] for one in each])
    said = [
        asked.said(comments, scales, apart=bool(n))
        for n, (asked, (comments, _)) in enumerate(zip(placed, found, strict=True))
    ]
    listed = sorted((name for name in spans), key=lambda name: (-spans[name][0], name))
    return Gathered(
        touchpoints,
        sums,
        by_question,
        [(*name, scales[name], spans[name][0]) for name in listed],
        _together(said),
        friction,
        trouble,
    )


@dataclass(frozen=True)
class _Asked:
    """One log with where its rows belong, and what is asked of it."""

    log: Log
    places: Places
    questions: Questions
    question: int | None

    @staticmethod
    def of(study: Study, log: Log, touchpoints: list[str], question: str | None) -> _Asked:
        known = log.names("question").code(question) if question and "question" in log.schema else None
        code = None if question is None else (-2 if known is None else known)
        return _Asked(log, places_of(study, log, touchpoints), questions_of(log), code)

    @property
    def spans(self) -> Spans:
        return Spans(self.questions, self.question)

    def comments(self, most: int) -> Comments:
        return Comments(self.places, self.questions, self.question, self.questions.ranks(), most)

    def scores(self, scales: dict[tuple[str, str], Scale | None], touchpoints: int) -> Scores:
        its = [scales.get(self.questions.name(n)) for n in range(self.questions.size)]
        worst, best = (
            tuple(np.nan if scale is None else getattr(scale, end) for scale in its)
            for end in ("worst", "best")
        )
        return Scores(self.places, self.questions, self.question, worst, best, touchpoints)

    def said(
        self, found: dict[str, Any], scales: dict[tuple[str, str], Scale | None], *, apart: bool
    ) -> Said:
        """The comments as text, with ratings as positions on their scales."""
        text = found["comment"]
        if "comment" in self.log.schema and self.log.schema["comment"] is Kind.CODE and len(text):
            text = self.log.names("comment").take(text.astype(np.int64)).to_pylist()
        rating = np.full(len(text), np.nan)
        for number in np.unique(found["question"][found["question"] >= 0]).tolist():
            scale, its = scales[self.questions.name(number)], found["question"] == number
            rating[its] = np.nan if scale is None else scale.emotion(found["score"][its])
        customer = -1 - found["customer"] if apart else found["customer"]
        return Said(
            [str(one).strip() for one in text], rating, customer, found["stage"], found["met"], found["written"]
        )  # fmt: skip


def _joined(found: list[tuple[_Asked, dict[int, Any]]]) -> dict[tuple[str, str], tuple[int, float, float]]:
    """How many scores each question has in all logs, and from where to where they go."""
    spans: dict[tuple[str, str], tuple[int, float, float]] = {}
    for asked, its in found:
        for number, (n, low, high) in its.items():
            name = asked.questions.name(number)
            before = spans.get(name, (0, low, high))
            spans[name] = before[0] + n, min(before[1], low), max(before[2], high)
    return spans


def _by_question(
    placed: list[_Asked], found: list[NDArray[np.float64]]
) -> dict[tuple[str, str], NDArray[np.float64]]:
    """Counts and sums of scores by stage (stages, 2), question by question, of all logs."""
    total: dict[tuple[str, str], NDArray[np.float64]] = {}
    for asked, counts in zip(placed, found, strict=True):
        for number in np.flatnonzero(counts[:, :, 0].any(axis=0)).tolist():
            name = asked.questions.name(number)
            total[name] = total.get(name, 0) + counts[:, number]
    return total


def _together(parts: list[Said]) -> Said:
    there = [np.array([i for i, text in enumerate(part.text) if text], dtype=np.int64) for part in parts]

    def of(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(part, name)[rows] for part, rows in zip(parts, there, strict=True)])

    return Said(
        [part.text[row] for part, rows in zip(parts, there, strict=True) for row in rows.tolist()],
        of("rating"), of("customer"), of("stage"), of("met"), sum(part.written for part in parts),
    )  # fmt: skip


def _friction(study: Study, places: Places, trouble: Trouble, within: int, touchpoints: int) -> Friction:
    number = {event: place for place, (event, _) in enumerate(trouble.events)}
    again = {event: place for place, event in enumerate(trouble.retried, len(number))}
    events = study.log.names("event").to_list()
    return Friction(
        study.stages,
        places.touchpoint,
        touchpoints,
        places.answer,
        tuple(number.get(event, -1) for event in events),
        tuple(again.get(event, -1) for event in events),
        len(number) + len(again),
        within,
    )


def _speaks(name: str, words: Sequence[str]) -> bool:
    return any(word in name.lower().replace(" ", "_") for word in words)
