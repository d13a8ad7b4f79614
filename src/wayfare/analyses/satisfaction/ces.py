"""Customer effort: how easy it was to get something done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from wayfare.analyses._score_scales import checked_scale
from wayfare.analyses.satisfaction._answers import count_answers
from wayfare.analyses.satisfaction._scores import Measure, ScoresResult, findings, tables
from wayfare.analysis import analysis
from wayfare.domain.parameters import Property
from wayfare.domain.survey import Ces
from wayfare.stats.proportions import Difference, difference_of_proportions
from wayfare.stats.satisfaction import (
    EFFORT_DEFINITIONS,
    EffortDefinition,
    customer_effort,
    difference_of_means,
    mean_of_answers,
    nps_difference,
)
from wayfare.study import Study


@dataclass(frozen=True, kw_only=True)
class CesResult(ScoresResult):
    """The customer effort score, in all and by group, by the definition that is named."""


@analysis
def ces(
    study: Study,
    *,
    question: str | None = None,
    by: Property | None = None,
    definition: Literal["survey", "ces_1", "ces_2_mean", "ces_2", "net_easy"] = "survey",
) -> CesResult:
    """How much effort does it cost customers to get something done, and where is it most?

    Several figures go by this name; the one that was used stands in the table `definition`: the share that agrees that
    it was easy (`ces_2`, 5 to 7 of 7), the mean of that scale (`ces_2_mean`), easy less difficult (`net_easy`), or the
    mean effort of 2010 (`ces_1`, 1 to 5, where less is better). Questions of kind `ces` only. An answer belongs to the
    touchpoint that its survey names, else to the customer's last event before it. Groups are compared with all other
    answers, months with the month before, by Holm's correction within each dimension; under 10 answers nothing is
    compared. The weighted score brings answers of each first channel and number of orders to these customers' share
    (post-stratification, Holt & Smith 1979). Repeated answers of one customer count as independent.

    Args:
        question: The one question asked for, by its key; all questions of the kind unless given.
        by: A property that splits the answers: the answer's own value, else the customer's first.
        definition: Which figure; `survey`: `ces_1` where the survey measures effort, else `ces_2`.
    """
    counted = count_answers(study, "ces", question, by, untold=False)
    used = EFFORT_DEFINITIONS[_by_survey(study, question) if definition == "survey" else definition]
    measure = _measure(used)
    checked_scale(counted.scores[:1].sum(axis=0), measure.values, measure.name)
    made = tables(counted, measure)
    return CesResult(**made, findings=findings(made, measure))


def _by_survey(study: Study, question: str | None) -> str:
    asked = [
        q.measures
        for survey in study.surveys.values()
        for q in survey.questions
        if isinstance(q, Ces) and question in (None, q.key)
    ]
    return "ces_1" if asked and set(asked) == {"effort"} else "ces_2"


def _measure(used: EffortDefinition) -> Measure:
    unit = "mean" if not used.easy else "points" if used.difficult else "share"
    return Measure(
        "CES",
        used.text,
        used.values,
        unit,
        lambda counts: customer_effort(counts, used.name),
        _difference(used, unit),
        used.higher_is_better,
    )


def _difference(used: EffortDefinition, unit: str) -> Any:
    easy, difficult = (np.isin(used.values, part) for part in (used.easy, used.difficult))

    def bands(counts: Any) -> tuple[Any, Any, Any]:
        up, down = counts[..., easy].sum(axis=-1), counts[..., difficult].sum(axis=-1)
        return up, counts.sum(axis=-1) - up - down, down

    def difference(own: Any, others: Any) -> Difference:
        if unit == "points":
            return nps_difference(bands(own), bands(others))
        if unit == "share":
            (a, *_), (b, *_) = bands(own), bands(others)
            return difference_of_proportions(a, own.sum(axis=-1), b, others.sum(axis=-1))
        x, y = mean_of_answers(used.values, own), mean_of_answers(used.values, others)
        return difference_of_means(x.score, x.sd, x.n, y.score, y.sd, y.n)

    return difference
