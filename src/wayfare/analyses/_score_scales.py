"""Scores of surveys: which answers are of a kind of question, and the scale that they are on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wayfare.domain.survey import Csat
from wayfare.errors import InvalidParameter
from wayfare.log import Log
from wayfare.study import Study

POINTS = 101
"""Scores are whole numbers from 0 up to below this."""
UNKNOWN = -2
"""The code of a name that no row has, not even a row without a value."""
_NO_KIND = -1
_SCALES = ((1, 5), (1, 7), (0, 10), (0, 100))


@dataclass(frozen=True)
class CsatScale:
    """The scale of answers to satisfaction questions, and how many of its highest points count as satisfied."""

    low: int
    high: int
    satisfied: int

    @property
    def values(self) -> tuple[int, ...]:
        """Its points."""
        return tuple(range(self.low, self.high + 1))

    @property
    def words(self) -> str:
        """What is counted, as the beginning of a sentence."""
        return f"The share of answers of {self.high - self.satisfied + 1} and more on the scale from {self.low} to {self.high}"


def code_of(log: Log, column: str, name: str) -> int:
    """The code of a name; `UNKNOWN` where the log does not know it."""
    code = log.names(column).code(name) if column in log.schema else None
    return UNKNOWN if code is None else code


def kind_code(log: Log, kind: str, untold: bool) -> int | None:
    """The code of a kind of question; None where every answer stands for it.

    Args:
        log: Whose answers.
        kind: The kind.
        untold: Whether answers without a kind stand in for one that nobody asked.
    """
    if "question_kind" not in log.schema:
        return None if untold else UNKNOWN
    code = code_of(log, "question_kind", kind)
    return _NO_KIND if code == UNKNOWN and untold else code


def csat_scale(
    study: Study, given: NDArray[np.int64], question: str | None = None, satisfied: int | None = None
) -> CsatScale:
    """The scale of the study's satisfaction questions, or of the one named; guessed from the answers where no survey tells.

    Args:
        study: Whose surveys.
        given: How many gave each score (POINTS,).
        question: The one question that is meant.
        satisfied: How many of the highest points count as satisfied, where the survey shall not say.

    Raises:
        InvalidParameter: The questions have different scales, or the scale has no so many points to tell from the rest.
    """
    asked = [
        q
        for survey in study.surveys.values()
        for q in survey.questions
        if isinstance(q, Csat) and question in (None, q.key)
    ]
    scales = {(int(q.scale.low), int(q.scale.high), q.satisfied) for q in asked}
    if len(scales) > 1:
        raise InvalidParameter(
            "The questions have different scales, so that their answers can't be counted together.",
            where="question",
            allowed=sorted(q.key for q in asked),
            hint="Name one question.",
        )
    low, high, boxes = scales.pop() if scales else (*_guessed(given), 0)
    boxes = satisfied or boxes or max(round((high - low + 1) * 0.4), 1)
    if not 1 <= boxes <= high - low:
        raise InvalidParameter(
            f"The scale from {low} to {high} has no {boxes} highest points to tell from the rest.",
            where="satisfied",
            allowed=range(1, high - low + 1),
        )
    return CsatScale(low, high, boxes)


def checked_scale(given: NDArray[np.int64], values: tuple[int, ...], name: str) -> None:
    """Refuses answers off the scale (how many gave each score, (POINTS,)): scales were mixed, or it is another question."""
    off = [point for point in np.flatnonzero(given).tolist() if point not in values]
    if off:
        raise InvalidParameter(
            f"{name} is on a scale from {values[0]} to {values[-1]}, and there are answers of {off[0]}.",
            where="question",
            hint="Name one question with `question`, or describe the scales in a survey document.",
        )


def _guessed(given: NDArray[np.int64]) -> tuple[int, int]:
    points = np.flatnonzero(given)
    if not len(points):
        return _SCALES[0]
    return next((low, high) for low, high in _SCALES if low <= points[0] and points[-1] <= high)
