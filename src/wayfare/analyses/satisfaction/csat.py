"""Customer satisfaction: which share is satisfied, by the highest answers of the scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from wayfare.analyses.satisfaction._answers import Counted, count_answers
from wayfare.analyses.satisfaction._scores import Measure, ScoresResult, checked_scale, findings, tables
from wayfare.analysis import analysis
from wayfare.domain.parameters import Property
from wayfare.domain.survey import Csat
from wayfare.errors import InvalidParameter
from wayfare.stats.proportions import Difference, difference_of_proportions
from wayfare.stats.satisfaction import top_box
from wayfare.study import Study

_SCALES = ((1, 5), (1, 7), (0, 10), (0, 100))


@dataclass(frozen=True, kw_only=True)
class CsatResult(ScoresResult):
    """The share of satisfied answers, in all and by group."""


@analysis
def csat(
    study: Study,
    *,
    question: str | None = None,
    by: Property | None = None,
    satisfied: int | None = None,
) -> CsatResult:
    """How many are satisfied, where are they not, and what would those say who are silent?

    The share of answers among the highest points of the scale (the top-two box unless the survey says otherwise), of
    questions of kind `csat`; where the log does not tell kinds of questions apart, of all scored answers. The scale is
    the survey's; without its document, the smallest of 1 to 5, 1 to 7, 0 to 10 and 0 to 100 that holds all answers
    (the top box is then the same part of it). An answer belongs to the touchpoint that its survey names, else to the
    customer's last event before it. Intervals are Wilson's. Groups are compared with all other answers (Newcombe 1998),
    months with the month before, by Holm's correction within each dimension; under 10 answers nothing is compared.
    The weighted score brings answers of each first channel and number of orders to these customers' share
    (post-stratification, Holt & Smith 1979). Repeated answers of one customer count as independent.

    Args:
        question: The one question asked for, by its key; all questions of the kind unless given.
        by: A property that splits the answers: the answer's own value, else the customer's first.
        satisfied: How many of the highest points count as satisfied; as the survey says, else two of five.
    """
    counted = count_answers(study, "csat", question, by, untold=True)
    measure = _measure(study, counted, question, satisfied)
    checked_scale(np.atleast_2d(counted.scores), measure.values, measure.name)
    made = tables(counted, measure)
    return CsatResult(**made, findings=findings(made, measure))


def _measure(study: Study, counted: Counted, question: str | None, satisfied: int | None) -> Measure:
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
    low, high, boxes = scales.pop() if scales else (*_guessed(counted), 0)
    boxes = satisfied or boxes or max(round((high - low + 1) * 0.4), 1)
    values = tuple(range(low, high + 1))
    if not 1 <= boxes < len(values):
        raise InvalidParameter(
            f"The scale from {low} to {high} has no {boxes} highest points to tell from the rest.",
            where="satisfied",
            allowed=range(1, len(values)),
        )
    definition = (
        f"The share of answers of {high - boxes + 1} and more on the scale from {low} to {high} (the top-{boxes} box). "
        "Interval: Wilson."
    )
    return Measure(
        "CSAT", definition, values, "share", lambda counts: top_box(values, counts, boxes), _difference(boxes)
    )


def _guessed(counted: Counted) -> tuple[int, int]:
    given = np.flatnonzero(counted.scores[:1].sum(axis=0)) if len(counted.scores) else np.zeros(0)
    if not len(given):
        return _SCALES[0]
    return next((low, high) for low, high in _SCALES if low <= given[0] and given[-1] <= high)


def _difference(boxes: int) -> Any:
    def difference(own: Any, others: Any) -> Difference:
        hits, rest = own[..., -boxes:].sum(axis=-1), others[..., -boxes:].sum(axis=-1)
        return difference_of_proportions(hits, own.sum(axis=-1), rest, others.sum(axis=-1))

    return difference
