"""Kano classes derived from ordinary ratings, and what moves re-purchase: weaker than asking, and kept apart from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import pyarrow as pa

from wayfare.analyses._observed import whole_histories
from wayfare.analyses.kano import _derived_tables as tables
from wayfare.analyses.kano._derived_classes import class_rows
from wayfare.analyses.kano._derived_effects import effect_rows, levels_of
from wayfare.analyses.kano._derived_words import findings_of, leak_sentence
from wayfare.analyses.kano._leaks import leak_rows
from wayfare.analyses.kano._outcomes import outcomes_of
from wayfare.analyses.kano._respondents import Sample, leaving_events, respondents_fold, sample_of
from wayfare.analyses.kano._scales import overall_of
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.duration import Duration
from wayfare.domain.parameters import Event, Events, Properties
from wayfare.errors import InvalidParameter
from wayfare.result import Columns, Result
from wayfare.study import Study


@dataclass(frozen=True, kw_only=True)
class KanoDerivedResult(Result):
    """Classes from ratings, the effects of ratings and features on re-purchase and leaving, and the scores that leak them."""

    observational: ClassVar[str] = (
        "customers who rate a feature low, or have it, differ from others in more than the ratings, the features and the "
        "orders before that are adjusted for; and these classes are derived, which is weaker than asking with Kano's "
        "two questions."
    )

    classes: Annotated[
        pa.Table,
        Columns(
            feature="the question that was rated",
            against="what the rating is held against: overall satisfaction, re-purchase within the window, or staying",
            basis="derived: from ratings, not asked",
            penalty="change of the outcome where it is rated low, others equal: points of the overall rating, or share of customers",
            penalty_low="lower end of its 95% interval (bootstrap)",
            penalty_high="upper end",
            reward="change of the outcome where it is rated high, others equal",
            reward_low="lower end of its 95% interval (bootstrap)",
            reward_high="upper end",
            range="reward + |penalty|: how much it matters",
            range_low="lower end of its 95% interval (bootstrap)",
            range_high="upper end",
            asymmetry="(reward − |penalty|) / range: −1 only hurts, 1 only pleases",
            asymmetry_low="lower end of its 95% interval (bootstrap)",
            asymmetry_high="upper end",
            category="the Kano category that it resembles: M, O, A, or I where neither effect can be told from none; null where too few",
            category_probability="share of the bootstrap draws whose asymmetry gives this category; null for I",
            low_at="ratings up to this are low",
            high_at="ratings from this on are high",
            low_n="customers who rated it low",
            high_n="customers who rated it high",
            n="customers with all the ratings that were used",
            note="why nothing, or not all, can be said",
        ),
    ]
    effects: Annotated[
        pa.Table,
        Columns(
            outcome="re-purchase, or leaving where an event says so",
            feature="the question that was rated, or the feature",
            level="a low or high rating, or a value of the feature",
            reference="what it is compared with",
            customers="customers at this level whose window is over",
            share="of those, the share with the outcome within the window",
            share_low="lower end of its 95% interval (Wilson)",
            share_high="upper end",
            reference_share="the share among customers at the reference",
            odds_ratio="odds of the outcome against the reference, others equal (logistic regression); null where too few",
            odds_ratio_low="lower end of its 95% interval",
            odds_ratio_high="upper end",
            hazard_ratio="how much faster the outcome comes than at the reference, others equal (Cox regression)",
            hazard_ratio_low="lower end of its 95% interval",
            hazard_ratio_high="upper end",
            p="p value of an odds ratio of 1, corrected for looking at all (Holm)",
            effect="raises, lowers or can't be told (p < 0.05)",
        ),
    ]
    leaks: Annotated[
        pa.Table,
        Columns(
            feature="a rating or feature with which the outcome is as good as known",
            outcome="re-purchase or leaving",
            says="what the level says of its customers",
            level="the level, or levels, that say it",
            customers="customers at these levels",
            share="of those, the share of whom it is true",
            others_share="the share among all other levels",
            auc="how often it tells two customers of different outcome apart (area under the ROC curve)",
        ),
    ]

    def draw(self) -> Picture | None:
        """Penalty to the left and reward to the right of nothing, feature by feature."""
        from wayfare.analyses.kano._derived_picture import contrasts

        return contrasts(self)


@analysis
def kano_derived(
    study: Study,
    *,
    overall: str | None = None,
    features: Properties = (),
    used: Events = (),
    leaves: Event | None = None,
    within: Duration = Duration.parse("90d"),
    draws: int = 1000,
) -> KanoDerivedResult:
    """Which ratings and features move overall satisfaction, re-purchase and leaving, when bad and when good?

    Two things that are weaker than asking. *Classes*: the penalty of a low and the reward of a high rating in one
    regression of all ratings (Brandt 1987; Mikulić & Prebežac 2008), against overall satisfaction and against what the
    customer did: an asymmetry under −0.2 resembles a must-have, over 0.2 a delighter, between a satisfier. *Effects*:
    logistic regression of what happened within the window and Cox regression of the time to it, on low and high ratings and
    on features, adjusted for each other and for orders so far, time since the last order and since the first event, with
    a weak prior. Overall satisfaction and the NPS are verdicts on the whole that stand between the features and the
    outcome, so they are left out where something else is rated.

    A customer counts once: against overall satisfaction with the latest ratings, against what came after with those known at
    the last answer whose window is over at the log's end. Low and high
    are the outer quarters of the scale (NPS 0–6 and 9–10), or the outer fifths of the answers where those are empty.
    A score that gives the outcome away (99% of 20 customers or more at a level, or an area under the ROC curve of .95)
    is named and left out: it says the same thing twice. Regressions need 10 customers with and without the outcome. Classes need 30 with
    all ratings; ratings that fewer than half as many gave as the commonest one are contrasted among themselves.

    Args:
        overall: The question on satisfaction as a whole; else the one that calls itself overall, a CSAT question, the NPS,
            or one with *satisf* in its name, in this order.
        features: Columns that say which features a customer has, as known at the answer; those that belong to the customer
            unless given. Of a number it counts whether it is above 0.
        used: Events that are features: present where they happened before the answer.
        leaves: The event with which a customer leaves; else those whose names say churn, unsubscribing or closing.
        within: How long after the answer orders and leaving count.
        draws: How often the classes are redrawn.
    """
    if draws < 1:
        raise InvalidParameter(
            f"{draws} draws are too few.", where="draws", hint="Give 1 or more, such as 1000."
        )
    since, study = study.log.condition.since, whole_histories(study)
    leaving = (leaves,) if leaves else leaving_events(study)
    columns = features or tuple(name for name in study.log.attributes if name in study.log.schema)
    fold, rated = respondents_fold(study, since, within.microseconds, leaving, used, columns)
    sample = sample_of(study, fold, rated, study.fold(fold))
    whole = _overall(sample, overall)
    outcomes = outcomes_of(sample, leaving)
    leaks = leak_rows(sample, outcomes)
    leaky = {(row["feature"], row["outcome"]) for row in leaks}
    classes = class_rows(sample, whole, outcomes, leaky, draws)
    effects = effect_rows(sample, levels_of(sample, whole), outcomes, leaky)
    return KanoDerivedResult(
        classes=tables.class_table(classes),
        effects=tables.effect_table(effects),
        leaks=tables.leak_table(leaks),
        findings=findings_of(sample, whole, outcomes, classes, effects, leaks),
        warnings=tuple(leak_sentence(row) for row in leaks),
    )


def _overall(sample: Sample, said: str | None) -> int:
    answered = (~np.isnan(sample.then)).sum(axis=0)
    if said is None:
        return overall_of(sample.rated, answered)
    found = [place for place, rated in enumerate(sample.rated) if said in (rated.key, rated.label)]
    if not found:
        raise InvalidParameter(
            f"Nobody rated {said!r}.", where="overall", allowed=[rated.key for rated in sample.rated]
        )
    return found[0]
