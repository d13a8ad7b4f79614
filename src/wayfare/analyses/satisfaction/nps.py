"""The Net Promoter Score: how many more customers would recommend us than warn of us."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wayfare.analyses._score_scales import checked_scale
from wayfare.analyses.satisfaction._answers import count_answers
from wayfare.analyses.satisfaction._scores import Measure, ScoresResult, findings, tables
from wayfare.analysis import analysis
from wayfare.domain.parameters import Property
from wayfare.stats import satisfaction
from wayfare.stats.proportions import Difference
from wayfare.stats.satisfaction import Score
from wayfare.study import Study


@dataclass(frozen=True, kw_only=True)
class NpsResult(ScoresResult):
    """The Net Promoter Score, in all and by group."""


def _score(counts: Any) -> Score:
    return satisfaction.nps(*satisfaction.nps_counts(counts))


def _difference(own: Any, others: Any) -> Difference:
    return satisfaction.nps_difference(satisfaction.nps_counts(own), satisfaction.nps_counts(others))


MEASURE = Measure(
    "NPS",
    "“How likely is it that you would recommend us to a friend or colleague?”, 0 to 10: the share of promoters (9, 10) "
    "less that of detractors (0 to 6), in points from −100 to 100 (Reichheld 2003, HBR 81). Interval: adjusted Wald "
    "(Rocks 2016).",
    tuple(range(11)),
    "points",
    _score,
    _difference,
)


@analysis
def nps(study: Study, *, question: str | None = None, by: Property | None = None) -> NpsResult:
    """Would customers recommend us, where would they not, and what would those say who are silent?

    The Net Promoter Score of all answers to questions of kind `nps`, from 0 to 10: promoters (9 and 10) less detractors
    (0 to 6) in points of 100 (Reichheld 2003). An answer belongs to the touchpoint that its survey names, else to the
    customer's last event before it. Intervals are adjusted Wald ones (Rocks 2016). Groups are compared with all other
    answers, months with the month before, by Holm's correction within each dimension; under 10 answers nothing is
    compared. The weighted score brings answers of each first channel and number of orders to these customers' share
    (post-stratification, Holt & Smith 1979). Repeated answers of one customer count as independent.

    Args:
        question: The one question asked for, by its key; all questions of the kind unless given.
        by: A property that splits the answers: the answer's own value, else the customer's first.
    """
    counted = count_answers(study, "nps", question, by, untold=False)
    checked_scale(counted.scores[:1].sum(axis=0), MEASURE.values, MEASURE.name)
    made = tables(counted, MEASURE)
    return NpsResult(**made, findings=findings(made, MEASURE))
