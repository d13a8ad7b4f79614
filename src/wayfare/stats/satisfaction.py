"""How satisfied are they, and how sure are we: NPS, mean ratings, top-box shares, effort; all from counts.

Every function takes counts of answers, numbers or arrays that broadcast (one element a group), and counts may
be fractional: `poststratification` turns a survey into effective counts that go in here unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from wayfare.errors import InvalidParameter, UnknownName
from wayfare.stats.intervals import Floats, Numbers, plain, t_of, z_of
from wayfare.stats.proportions import Difference, mean_interval, wilson

NpsMethod = Literal["adjusted_wald", "wald"]

_PSEUDO_ANSWERS = {"adjusted_wald": 3.0, "wald": 0.0}


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """A satisfaction figure and between which values the true one lies; NaN where nobody answered.

    Attributes:
        score: The figure, in the unit of its scale.
        low: The lower bound of its interval.
        high: The upper bound.
        n: How many answers it rests on.
        sd: The standard deviation of the answers, in the same unit; NaN below two answers.
    """

    score: Any
    low: Any
    high: Any
    n: Any
    sd: Any


def nps(
    promoters: Numbers,
    passives: Numbers,
    detractors: Numbers,
    confidence: float = 0.95,
    method: NpsMethod = "adjusted_wald",
) -> Score:
    """By how many points do promoters outnumber detractors, from −100 to 100?

    Score 100·(p − d), variance of one answer 100²·(p + d − (p − d)²). The adjusted Wald interval adds three
    answers, ¾ promoters and ¾ detractors and the rest passives, before Wald's formula, and covers as it
    should from few answers on (Rocks 2016, The American Statistician 70, 365–372). Bounds stay on the scale.

    Raises:
        InvalidParameter: a count is negative, or `confidence` is not between 0 and 1.
        UnknownName: there is no such method.
    """
    counts = _counts("promoters, passives, detractors", promoters, passives, detractors)
    if method not in _PSEUDO_ANSWERS:
        raise UnknownName.among("interval method", method, _PSEUDO_ANSWERS, where="method")
    z, n = z_of(confidence), counts.sum(axis=0)
    score, variance = _net_score(counts, 0.0)
    centre, adjusted = _net_score(counts, _PSEUDO_ANSWERS[method])
    with np.errstate(divide="ignore", invalid="ignore"):
        half = z * np.sqrt(adjusted / (n + _PSEUDO_ANSWERS[method]))
        sd = np.sqrt(np.where(n > 1, variance * n / (n - 1), np.nan))
    low = np.minimum(np.maximum(centre - half, -100.0), score)
    high = np.maximum(np.minimum(centre + half, 100.0), score)
    return _score(score, low, high, n, sd)


def nps_counts(answers: Numbers) -> tuple[Any, Any, Any]:
    """How many promoters (9, 10), passives (7, 8) and detractors (0 to 6) are in counts by answer?

    Args:
        answers: Counts of shape (..., 11): how many answered 0, 1, ... 10.

    Raises:
        InvalidParameter: there are not eleven answers.
    """
    table = np.asarray(answers, dtype=float)
    if table.ndim == 0 or table.shape[-1] != 11:
        raise InvalidParameter(
            f"The NPS question has eleven answers, 0 to 10, not {table.shape[-1] if table.ndim else 1}.",
            where="answers",
            hint="Recode the scale, or read the question as a rating.",
        )
    bands = (slice(9, 11), slice(7, 9), slice(0, 7))
    promoters, passives, detractors = (plain(table[..., band].sum(axis=-1)) for band in bands)
    return promoters, passives, detractors


def nps_difference(
    counts_a: tuple[Numbers, Numbers, Numbers],
    counts_b: tuple[Numbers, Numbers, Numbers],
    confidence: float = 0.95,
) -> Difference:
    """How many points is NPS a above NPS b, and could they be the same?

    Counts are (promoters, passives, detractors). Wald's interval after 1½ further answers in each group, half
    of Rocks's adjustment each, as Agresti & Caffo (2000, The American Statistician 54) share out theirs; the
    p value belongs to the interval. The estimate is the plain difference. NaN where a group is empty.

    Raises:
        InvalidParameter: a count is negative, or `confidence` is not between 0 and 1.
    """
    z, half_of_adjustment = z_of(confidence), _PSEUDO_ANSWERS["adjusted_wald"] / 2
    a, b = _counts("counts_a", *counts_a), _counts("counts_b", *counts_b)
    estimate = _net_score(a, 0.0)[0] - _net_score(b, 0.0)[0]
    (centre_a, variance_a), (centre_b, variance_b) = (_net_score(part, half_of_adjustment) for part in (a, b))
    spread = np.sqrt(
        variance_a / (a.sum(axis=0) + half_of_adjustment) + variance_b / (b.sum(axis=0) + half_of_adjustment)
    )
    centre = np.where(np.isnan(estimate), np.nan, centre_a - centre_b)
    low = np.maximum(np.minimum(centre - z * spread, estimate), -200.0)
    high = np.minimum(np.maximum(centre + z * spread, estimate), 200.0)
    return Difference(plain(estimate), plain(low), plain(high), plain(_two_sided(centre / spread)))


def mean_of_answers(values: Numbers, counts: Numbers, confidence: float = 0.95) -> Score:
    """What is the mean rating, given how many gave each answer?

    Student's t interval, cut to the scale. Where all answers are equal it would have no width, however few
    they are: there the bounds say how far the mean could lie if as many others as Wilson's interval allows
    had given the answers at the ends of the scale. With few and skewed answers the t interval covers a little
    less than it says (92 % instead of 95 % with eight).

    Args:
        values: The scale's values, such as 1 to 5; shape (k,).
        counts: How many gave each answer; shape (..., k).
        confidence: That of the interval.

    Raises:
        InvalidParameter: shapes don't fit, a count is negative or `confidence` is not between 0 and 1.
    """
    scale, table = _scale_and_counts(values, counts)
    n = table.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = table @ scale / n
    # Centred on the middle of the scale, so that sums of squares don't cancel.
    middle = (scale.min() + scale.max()) / 2
    total, squares = table @ (scale - middle), table @ (scale - middle) ** 2
    interval = mean_interval(total, squares, n, confidence)
    others = wilson(np.zeros(n.shape), n, confidence).high
    equal = ((table > 0).sum(axis=-1) == 1) | (n <= 1)
    low = np.where(equal, mean - others * (mean - scale.min()), middle + np.asarray(interval.low))
    high = np.where(equal, mean + others * (scale.max() - mean), middle + np.asarray(interval.high))
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.maximum(squares - total**2 / n, 0.0) / (n - 1)
    sd = np.sqrt(np.where(n > 1, variance, np.nan))
    return _score(mean, np.maximum(low, scale.min()), np.minimum(high, scale.max()), n, sd)


def share_of_answers(
    values: Numbers, counts: Numbers, among: Sequence[float], confidence: float = 0.95
) -> Score:
    """Which share gave one of the answers `among`: 4 and 5 of 5 for the top-two-box CSAT?

    A share from 0 to 1 with Wilson's interval.

    Raises:
        InvalidParameter: shapes don't fit, a count is negative, or an answer is not on the scale.
    """
    scale, table = _scale_and_counts(values, counts)
    chosen = np.isin(scale, np.asarray(among, dtype=float))
    if chosen.sum() != len(set(among)):
        off_scale = [value for value in among if value not in scale]
        raise InvalidParameter(f"{off_scale} is not on the scale.", where="among", allowed=scale)
    n = table.sum(axis=-1)
    hits = np.minimum(table[..., chosen].sum(axis=-1), n)
    interval = wilson(hits, n, confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = hits / n
        sd = np.sqrt(np.where(n > 1, share * (1 - share) * n / (n - 1), np.nan))
    return _score(share, np.asarray(interval.low), np.asarray(interval.high), n, sd)


def top_box(values: Numbers, counts: Numbers, boxes: int = 2, confidence: float = 0.95) -> Score:
    """Which share gave one of the highest answers: the usual CSAT with two boxes?

    A share from 0 to 1 with Wilson's interval.

    Raises:
        InvalidParameter: shapes don't fit, or `boxes` is not below the number of answers.
    """
    scale, _ = _scale_and_counts(values, counts)
    if not 1 <= boxes < scale.size:
        raise InvalidParameter(
            f"The top {boxes} of {scale.size} answers can't be told from the rest.",
            where="boxes",
            allowed=range(1, scale.size),
        )
    return share_of_answers(values, counts, sorted(scale.tolist())[-boxes:], confidence)


@dataclass(frozen=True, slots=True)
class EffortDefinition:
    """One of the figures that go by the name of customer effort score.

    Attributes:
        name: What it is called here.
        text: The question, the scale and what is computed, with its source.
        values: The scale.
        easy: The answers that count as easy; empty for a mean.
        difficult: Those that count as difficult, taken off.
        higher_is_better: Whether a higher score is less effort.
    """

    name: str
    text: str
    values: tuple[int, ...]
    easy: tuple[int, ...]
    difficult: tuple[int, ...]
    higher_is_better: bool


EFFORT_DEFINITIONS = {
    definition.name: definition
    for definition in (
        EffortDefinition(
            "ces_1",
            "Mean answer to “How much effort did you personally have to put forth to handle your request?”, "
            "1 very low to 5 very high; lower is better (Dixon, Freeman & Toman 2010, HBR 88).",
            (1, 2, 3, 4, 5),
            (),
            (),
            higher_is_better=False,
        ),
        EffortDefinition(
            "ces_2_mean",
            "Mean agreement with “The company made it easy for me to handle my issue”, 1 strongly disagree to "
            "7 strongly agree; higher is better (CES 2.0; Dixon, Toman & DeLisi 2013).",
            (1, 2, 3, 4, 5, 6, 7),
            (),
            (),
            higher_is_better=True,
        ),
        EffortDefinition(
            "ces_2",
            "Share that agrees (5, 6 or 7 of 7) that “The company made it easy for me to handle my issue”; "
            "higher is better (CES 2.0; Dixon, Toman & DeLisi 2013).",
            (1, 2, 3, 4, 5, 6, 7),
            (5, 6, 7),
            (),
            higher_is_better=True,
        ),
        EffortDefinition(
            "net_easy",
            "Easy (5, 6, 7 of 7) minus difficult (1, 2, 3 of 7) answers, in points from −100 to 100; higher is "
            "better (the net easy score of BT).",
            (1, 2, 3, 4, 5, 6, 7),
            (5, 6, 7),
            (1, 2, 3),
            higher_is_better=True,
        ),
    )
}


def customer_effort(counts: Numbers, definition: str = "ces_2", confidence: float = 0.95) -> Score:
    """How much effort did it take, by the named definition?

    Args:
        counts: How many gave each answer of the definition's scale, lowest first; shape (..., 5) or (..., 7).
        definition: One of `EFFORT_DEFINITIONS`; print its text beside the score.
        confidence: That of the interval: t for a mean, Wilson for a share, adjusted Wald for a net score.

    Raises:
        UnknownName: there is no such definition.
        InvalidParameter: the counts don't fit the definition's scale.
    """
    if definition not in EFFORT_DEFINITIONS:
        raise UnknownName.among("effort definition", definition, EFFORT_DEFINITIONS, where="definition")
    used = EFFORT_DEFINITIONS[definition]
    if not used.easy:
        return mean_of_answers(used.values, counts, confidence)
    if not used.difficult:
        return share_of_answers(used.values, counts, used.easy, confidence)
    scale, table = _scale_and_counts(used.values, counts)
    easy, difficult = (table[..., np.isin(scale, part)].sum(axis=-1) for part in (used.easy, used.difficult))
    neither = np.maximum(table.sum(axis=-1) - easy - difficult, 0.0)
    return nps(easy, neither, difficult, confidence)


def difference_of_means(
    mean_a: Numbers,
    sd_a: Numbers,
    n_a: Numbers,
    mean_b: Numbers,
    sd_b: Numbers,
    n_b: Numbers,
    confidence: float = 0.95,
) -> Difference:
    """How far is mean a above mean b, and could they be the same? Welch's t test (Welch 1947, Biometrika 34).

    NaN bounds and p where a group has fewer than two answers, or where neither group varies: equal answers
    say nothing about how far others would stray.
    """
    from scipy.special import stdtr

    parts = [np.asarray(part, dtype=float) for part in (mean_a, sd_a, n_a, mean_b, sd_b, n_b)]
    m_a, s_a, k_a, m_b, s_b, k_b = np.broadcast_arrays(*parts)
    with np.errstate(divide="ignore", invalid="ignore"):
        v_a, v_b = s_a**2 / k_a, s_b**2 / k_b
        usable = (k_a > 1) & (k_b > 1) & (v_a + v_b > 0)
        spread = np.sqrt(np.where(usable, v_a + v_b, np.nan))
        freedom = (v_a + v_b) ** 2 / (v_a**2 / (k_a - 1) + v_b**2 / (k_b - 1))
        estimate = m_a - m_b
        half = t_of(confidence, np.where(usable, freedom, 0.0)) * spread
        p = 2 * stdtr(np.where(usable, freedom, np.nan), -np.abs(estimate / spread))
    return Difference(plain(estimate), plain(estimate - half), plain(estimate + half), plain(p))


def _net_score(counts: Floats, added: float) -> tuple[Floats, Floats]:
    """The net score and the variance of one answer, with `added` further answers: ¼, ½, ¼ of them."""
    promoters, _, detractors = counts
    with np.errstate(divide="ignore", invalid="ignore"):
        n = counts.sum(axis=0)
        n = np.where(n > 0, n + added, np.nan)
        p, d = (promoters + added / 4) / n, (detractors + added / 4) / n
    return 100.0 * (p - d), 1e4 * np.maximum(p + d - (p - d) ** 2, 0.0)


def _two_sided(z: Floats) -> Floats:
    from scipy.special import ndtr

    return np.asarray(2 * ndtr(-np.abs(z)))


def _counts(where: str, *parts: Numbers) -> Floats:
    table = np.stack(np.broadcast_arrays(*(np.asarray(part, dtype=float) for part in parts)))
    if not (table >= 0).all():
        raise InvalidParameter("A count is negative or missing.", where=where, hint="Give 0 for none.")
    return table


def _scale_and_counts(values: Numbers, counts: Numbers) -> tuple[Floats, Floats]:
    scale, table = np.asarray(values, dtype=float), np.asarray(counts, dtype=float)
    if scale.ndim != 1 or table.ndim == 0 or table.shape[-1] != scale.size or scale.size < 2:
        raise InvalidParameter(
            f"{table.shape[-1] if table.ndim else 1} counts don't fit a scale of {scale.size} answers.",
            where="counts",
            hint="Give one count for each answer of the scale, two answers at least.",
        )
    return scale, _counts("counts", table)[0]


def _score(score: Floats, low: Floats, high: Floats, n: Floats, sd: Floats) -> Score:
    return Score(plain(score), plain(low), plain(high), plain(n), plain(sd))
