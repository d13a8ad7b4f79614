"""Kano: which features are must-haves, satisfiers and delighters, how surely, to whom, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import pyarrow as pa

from wayfare.analyses.kano import _kano_tables as tables
from wayfare.analyses.kano._asked import Choices, asked
from wayfare.analyses.kano._kano_words import findings_of, warnings_of
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.parameters import Property
from wayfare.errors import InvalidParameter
from wayfare.result import Columns, Result
from wayfare.study import Study

_COUNTS = {
    "A": "answers that make it a delighter (attractive)",
    "O": "answers that make it a satisfier (one-dimensional)",
    "M": "answers that make it a must-have (must-be)",
    "I": "answers of indifference",
    "R": "answers that want the opposite (reverse)",
    "Q": "answers that contradict themselves (questionable)",
    "n": "answers in all",
    "category": "the category by the rule: A, O, M, I, R or Q",
    "category_probability": "chance that all customers together would give this category (bootstrap of the counts)",
}


@dataclass(frozen=True, kw_only=True)
class KanoResult(Result):
    """The category of each feature that customers were asked about, with everything that says how sure it is."""

    features: Annotated[
        pa.Table,
        Columns(
            feature="the feature; must-haves first, then satisfiers, delighters and the rest, the strongest first",
            **_COUNTS,
            total_strength="(A + O + M) / n: to how many it matters",
            category_strength="share of the most frequent category less that of the second",
            cs_plus="(A + O) / (A + O + M + I): how far it can satisfy when there, 0 to 1",
            cs_minus="−(O + M) / (A + O + M + I): how far its lack can dissatisfy, −1 to 0",
            top_two_p="p value of no difference between the two most frequent categories (exact binomial test)",
        ),
    ]
    certainty: Annotated[
        pa.Table,
        Columns(
            feature="the feature",
            chance_A="chance that all customers together would make it a delighter",
            chance_O="a satisfier",
            chance_M="a must-have",
            chance_I="indifferent",
            chance_R="reverse",
            chance_Q="questionable",
            cs_plus_low="lower end of the 95% interval of CS+ (Wilson)",
            cs_plus_high="upper end",
            cs_minus_low="lower end of the 95% interval of CS− (Wilson)",
            cs_minus_high="upper end",
            first="the most frequent category",
            second="the next one",
            answers_needed="answers that would tell these two apart 4 times in 5 if the shares stay as they are; null where they are equal",
            fong_difference="difference in answers from which Fong's test tells the two apart, for comparison",
            fong_distinct="whether it does; too liberal, so the exact test decides",
        ),
    ]
    scores: Annotated[
        pa.Table,
        Columns(
            feature="the feature",
            functional="mean score of how it is when there, −2 (disliked) to 4 (liked)",
            functional_low="lower end of its 95% interval",
            functional_high="upper end",
            functional_sd="standard deviation between respondents",
            dysfunctional="mean score of how it is when not there, −2 (liked) to 4 (disliked)",
            dysfunctional_low="lower end of its 95% interval",
            dysfunctional_high="upper end",
            dysfunctional_sd="standard deviation between respondents",
            correlation="between a respondent's two scores",
            importance="mean stated importance; null where it was not asked",
            importance_low="lower end of its 95% interval",
            importance_high="upper end",
            importance_sd="standard deviation between respondents",
            importance_n="how many stated it",
        ),
    ]
    groups: Annotated[
        pa.Table,
        Columns(
            group="what `by` says of the respondent; the largest first",
            feature="the feature",
            **_COUNTS,
            others_category="the category to all other respondents",
            cs_plus="CS+ of the group",
            cs_minus="CS− of the group",
            cs_plus_difference="CS+ of the group less that of all others",
            cs_plus_difference_low="lower end of its 95% interval (Newcombe)",
            cs_plus_difference_high="upper end",
            cs_minus_difference="CS− of the group less that of all others; negative where its lack hurts the group more",
            cs_minus_difference_low="lower end of its 95% interval (Newcombe)",
            cs_minus_difference_high="upper end",
            p=f"p value of equal answers (chi-squared), corrected for looking at all (Holm); null under {tables.ENOUGH} answers on either side",
            significant="whether p < 0.05",
        ),
    ]
    waves: Annotated[
        pa.Table,
        Columns(
            wave="when the answers were given: the survey's wave, or a calendar period; the earliest first",
            feature="the feature",
            **_COUNTS,
            cs_plus="CS+ of the wave",
            cs_minus="CS− of the wave",
            cs_plus_low="lower end of the 95% interval of CS+ (Wilson)",
            cs_plus_high="upper end",
            cs_minus_low="lower end of the 95% interval of CS− (Wilson)",
            cs_minus_high="upper end",
        ),
    ]
    changes: Annotated[
        pa.Table,
        Columns(
            feature="the feature",
            from_wave="the wave before",
            to_wave="the next wave in which it was asked; a last row goes from the first to the last",
            from_category="the category then",
            to_category="the category since",
            from_n="answers then",
            to_n="answers since",
            cs_plus_change="CS+ since less CS+ then",
            cs_plus_change_low="lower end of its 95% interval (Newcombe)",
            cs_plus_change_high="upper end",
            cs_minus_change="CS− since less CS− then; negative where its lack hurts more than it did",
            cs_minus_change_low="lower end of its 95% interval (Newcombe)",
            cs_minus_change_high="upper end",
            moved="chance that the category is another one; two small waves differ by chance too, so see p",
            p=f"p value of equal answers (chi-squared), corrected for looking at all (Holm); null under {tables.ENOUGH} answers in either wave",
            significant="whether p < 0.05",
        ),
    ]

    respondents: Annotated[
        pa.Table,
        Columns(
            answers="`customers`, or `anonymous` for answers that are tied to nobody",
            customers="who answered at least one pair",
            straight_liners="of those, who gave one and the same answer to everything",
        ),
    ]

    def draw(self) -> Picture | None:
        """Each feature by what its lack does (across) and what its presence does (up), with its uncertainty."""
        from wayfare.analyses.kano._kano_picture import plane

        return plane(self) if self.features.num_rows else None


@analysis
def kano(
    study: Study,
    *,
    by: Property | None = None,
    waves: Literal["auto", "survey", "month", "quarter", "year"] = "auto",
    rule: Literal["evaluation", "mode", "blauth"] = "evaluation",
    evaluation: str | None = None,
    survey: str | None = None,
    straight_liners: Literal["count", "leave out"] = "count",
    draws: int = 1000,
) -> KanoResult:
    """Which features are must-haves, satisfiers and delighters, how surely, to whom, and does it change?

    Of each respondent the last answer to a feature counts; in a wave the last of that wave. The evaluation table of
    the survey (the classic one unless it names another) makes a category of each pair of answers; the rule makes one
    category of the counts: the most frequent, and where others come within 6% of all answers of it, the first of
    M > O > A > I among those (Lee & Newcomb 1997). Whether the two most frequent can be told apart is the exact
    binomial test; the category's probability comes from redrawing the counts. CS+ and CS− are Berger's (1993), with
    Wilson intervals. Groups and waves are compared as if other people answered. Under 30 answers a feature is *too
    few to say*, whatever category the counts give. Anonymous answers count too, where no segment is chosen.

    Args:
        by: A column: features are also judged for each of its values, as the answer or else the customer's last known
            row says it.
        waves: What a wave is: the survey's own where it names them, else a quarter (a year, if the log is longer than
            two); or one of these.
        rule: How counts become a category: `evaluation` as said; `mode` without the 6%; `blauth` first weighs A, O and
            M against I, R and Q.
        evaluation: An evaluation table for all answers, such as `classic` or `reppel`, instead of those of the surveys.
        survey: The only survey whose answers count.
        straight_liners: Whether respondents count who gave one and the same answer to everything.
        draws: How often the counts are redrawn.
    """
    if draws < 1:
        raise InvalidParameter(
            f"{draws} draws are too few.", where="draws", hint="Give 1 or more, such as 1000."
        )
    found = asked(study, Choices(by or "", waves, straight_liners, survey, evaluation))
    order = tables.order_of(found.counts, found.features, rule)
    names, counts = [found.features[i] for i in order], found.counts[order]
    made = {
        "features": tables.feature_table(names, counts, rule, draws),
        "certainty": tables.certainty_table(names, counts, rule, draws),
        "scores": tables.score_table(found, order),
        "groups": tables.group_table(found, order, rule, draws, by or ""),
        "waves": tables.wave_table(found, order, rule, draws),
        "changes": tables.change_table(found, order, rule, draws),
        "respondents": tables.respondent_table(found),
    }
    return KanoResult(
        **made,
        findings=findings_of(found, made, by or ""),
        warnings=warnings_of(found, straight_liners == "leave out"),
    )
