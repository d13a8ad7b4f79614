"""Customer satisfaction: which share is satisfied, by the highest answers of the scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wayfare.analyses._score_scales import CsatScale, checked_scale, csat_scale
from wayfare.analyses.satisfaction._answers import count_answers
from wayfare.analyses.satisfaction._scores import Measure, ScoresResult, findings, tables
from wayfare.analysis import analysis
from wayfare.domain.parameters import Property
from wayfare.stats.proportions import Difference, difference_of_proportions
from wayfare.stats.satisfaction import top_box
from wayfare.study import Study


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
    given = counted.scores[:1].sum(axis=0)
    measure = _measure(csat_scale(study, given, question, satisfied))
    checked_scale(given, measure.values, measure.name)
    made = tables(counted, measure)
    return CsatResult(**made, findings=findings(made, measure))


def _measure(scale: CsatScale) -> Measure:
    definition = f"{scale.words} (the top-{scale.satisfied} box). Interval: Wilson."
    return Measure(
        "CSAT", definition, scale.values, "share",
        lambda counts: top_box(scale.values, counts, scale.satisfied), _difference(scale.satisfied),
    )  # fmt: skip


def _difference(boxes: int) -> Any:
    def difference(own: Any, others: Any) -> Difference:
        hits, rest = own[..., -boxes:].sum(axis=-1), others[..., -boxes:].sum(axis=-1)
        return difference_of_proportions(hits, own.sum(axis=-1), rest, others.sum(axis=-1))

    return difference
