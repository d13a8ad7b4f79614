"""The questions that were rated: their scales, and which ratings are low and high on them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wayfare.domain.survey import Survey
from wayfare.histories.schema import Kind
from wayfare.study import Study

RATED = ("nps", "csat", "ces", "rating")
"""Kinds of question that a score answers."""

_USUAL = {"nps": (0.0, 10.0), "csat": (1.0, 5.0), "ces": (1.0, 7.0)}
_NPS = (6.0, 9.0)
_OUTER = 0.25
_OVERALL = ("overall", "in general", "all in all", "general satisfaction", "total satisfaction")


@dataclass(frozen=True)
class Rated:
    """A question that was rated.

    Attributes:
        key: Its key; the event's name, where the log has no questions.
        label: How people know it.
        kind: The kind of question; nothing where the log does not tell.
        low: The scale's lowest point.
        high: The scale's highest point.
        fewer_is_better: Whether a high score is bad (an effort).
    """

    key: str
    label: str
    kind: str
    low: float = np.nan
    high: float = np.nan
    fewer_is_better: bool = False

    def seen(self, scores: NDArray[np.float64], kind: str) -> Rated:
        """The question with the usual scale of its kind, or the range that was seen, where nothing says the scale."""
        if not self.kind and kind:
            low, high = _USUAL.get(kind, (np.nan, np.nan))
            return replace(self, kind=kind, low=low, high=high).seen(scores, kind)
        known = scores[~np.isnan(scores)]
        if not np.isnan(self.low) or not len(known):
            return self
        low, high = float(known.min()), float(known.max())
        # Without a survey's word, scores up to 5, 7 and 10 are taken for the usual scales.
        usual = next((end for end in (5.0, 7.0, 10.0) if high <= end and low >= 0), None)
        whole = bool((known == np.rint(known)).all())
        if usual is not None and whole and high > 1:
            low, high = (0.0 if low == 0 else 1.0), usual
        return replace(self, low=low, high=high)

    @property
    def cuts(self) -> tuple[float, float]:
        """Ratings up to the first are low, from the second on high: the outer quarters of the scale."""
        if self.kind == "nps":
            return _NPS
        span = self.high - self.low
        return self.low + _OUTER * span, self.high - _OUTER * span

    def unhappy(self, scores: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Who rates it below the middle of the scale, of the NPS 0 to 6; a missing score is not."""
        middle = (self.low + self.high) / 2
        if self.kind == "nps":
            return scores <= _NPS[0]
        return scores > middle if self.fewer_is_better else scores < middle


def rated_questions(study: Study) -> tuple[tuple[Rated, ...], NDArray[np.int64], bool]:
    """The rated questions by alphabet; each one's place by code; and whether events stand for questions."""
    log = study.log
    if "score" not in log.schema:
        return (), np.full(1, -1, dtype=np.int64), False
    per_event = "question" not in log.schema or log.schema["question"] is not Kind.CODE
    names = log.names("event" if per_event else "question").to_list()
    documents = _documents(study)
    kinds = {key: question.kind for key, question in documents.items()}
    chosen = sorted(name for name in names if kinds.get(name, "rating") in RATED)
    place = np.full(len(names) + 1, -1, dtype=np.int64)
    for number, name in enumerate(chosen):
        place[names.index(name)] = number
    return tuple(_rated(name, documents) for name in chosen), place, per_event


def _documents(study: Study) -> dict[str, Any]:
    surveys: list[Survey] = [study.surveys[name] for name in sorted(study.surveys)]
    return {question.key: question for survey in surveys for question in survey.questions}


def _rated(name: str, documents: dict[str, Any]) -> Rated:
    question = documents.get(name)
    if question is None:
        return Rated(name, name, "")
    kind, scale = question.kind, getattr(question, "scale", None)
    low, high = (scale.low, scale.high) if scale is not None else _USUAL.get(kind, (np.nan, np.nan))
    effort = kind == "ces" and getattr(question, "measures", "") == "effort"
    return Rated(name, question.label, kind, low, high, effort)


def overall_of(rated: tuple[Rated, ...], answered: NDArray[np.int64]) -> int:
    """The place of the question on satisfaction as a whole, -1 where there is none.

    The one that calls itself overall; else a CSAT question, else the NPS, else one with *satisf* in its name; of several
    the one answered most.
    """
    wordings = [f"{q.key} {q.label}".lower().replace("_", " ") for q in rated]
    tests = (
        [any(word in text for word in _OVERALL) for text in wordings],
        [q.kind == "csat" for q in rated],
        [q.kind == "nps" or "nps" in text.split() for q, text in zip(rated, wordings, strict=True)],
        ["satisf" in text for text in wordings],
    )
    for passed in tests:
        found = [place for place, ok in enumerate(passed) if ok and answered[place]]
        if found:
            return min(found, key=lambda place: (-int(answered[place]), rated[place].key))
    return 0 if len(rated) == 1 and answered[0] else -1


def drivers_of(rated: tuple[Rated, ...], overall: int) -> list[int]:
    """The places of the questions that are no verdict on the whole: neither the overall question nor the NPS."""
    return [place for place, question in enumerate(rated) if place != overall and question.kind != "nps"]


def bands_of(rated: Rated, scores: NDArray[np.float64]) -> tuple[float, float]:
    """Up to where ratings are low and from where they are high; by what is usual where the scale's outer quarters are empty."""
    low, high = rated.cuts
    known = scores[~np.isnan(scores)]
    if not len(known):
        return low, high
    least = max(0.05 * len(known), 5)
    bottom, top = (sign * np.quantile(sign * known, 0.2, method="inverted_cdf") for sign in (1, -1))
    low = low if (known <= low).sum() >= least else float(bottom)
    high = high if (known >= high).sum() >= least else float(top)
    if not low < high:
        low, high = rated.cuts
    return (np.floor(low), np.ceil(high)) if (known == np.rint(known)).all() else (low, high)
