"""Which kind of feature is it: a delighter, a satisfier, a must-be, one that leaves customers cold?

Kano's method (Kano, Seraku, Takahashi & Tsuji 1984): each feature is asked of twice, how would you feel if it
were there (functional) and if it were not (dysfunctional), and an evaluation table turns each pair of answers
into a category. Here answers become counts at once, and everything else works on counts. Arrays of counts have
the categories on their last axis, in the order of `CATEGORIES`; counts may be fractional (weighted).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from wayfare.errors import InvalidParameter, UnknownName
from wayfare.stats.intervals import Floats, Interval, Numbers, interval_of, plain
from wayfare.stats.proportions import wilson
from wayfare.stats.satisfaction import Score, mean_of_answers

Codes = npt.NDArray[np.int8]

CATEGORIES = ("A", "O", "M", "I", "R", "Q")
"""Attractive, one-dimensional, must-be, indifferent, reverse, questionable: the order of all counts."""

CATEGORY_NAMES = {
    "A": "attractive",
    "O": "one-dimensional",
    "M": "must-be",
    "I": "indifferent",
    "R": "reverse",
    "Q": "questionable",
}

ANSWERS = ("like", "must-be", "neutral", "live-with", "dislike")
"""The five answers to either half, in the order of the classic table's rows and columns."""

CLASSIC_TABLE = ("QAAAO", "RIIIM", "RIIIM", "RIIIM", "RRRRQ")
"""Functional answers down, dysfunctional across (Berger et al. 1993, CQM Journal 2(4), 3–36)."""

FUNCTIONAL_SCORES = (4.0, 2.0, 0.0, -1.0, -2.0)
DYSFUNCTIONAL_SCORES = (-2.0, -1.0, 0.0, 2.0, 4.0)
"""DuMouchel's scores of the five answers (in Berger et al. 1993, section IV)."""

# Where a category has no majority, the one whose lack hurts most goes first: M > O > A > I (Berger et al. 1993).
_PRIORITY = np.array([CATEGORIES.index(letter) for letter in "MOAIRQ"])


@dataclass(frozen=True, slots=True)
class CategoryRule:
    """How counts become one category.

    Attributes:
        text: The rule in words, to be printed beside its result.
        close: Categories at most this share of all answers below the most frequent one count as tied with it,
            as long as that is A, O, M or I; ties go M > O > A > I.
        by_group: Whether (A + O + M) is first weighed against (I + R + Q).
    """

    text: str
    close: float
    by_group: bool


RULES = {
    "mode": CategoryRule(
        "The most frequent category; ties go M > O > A > I (Berger et al. 1993).", close=0.0, by_group=False
    ),
    "evaluation": CategoryRule(
        "The most frequent category, unless others come within 6 % of all answers of it (a category strength "
        "that does not tell them apart; Lee & Newcomb 1997): among those, M > O > A > I.",
        close=0.06,
        by_group=False,
    ),
    "blauth": CategoryRule(
        "The most frequent of A, O, M where they outnumber I, R and Q together, else the most frequent of "
        "those; ties go M > O > A > I.",
        close=0.0,
        by_group=True,
    ),
}


def evaluation_table(rows: Sequence[Sequence[str]]) -> Codes:
    """The table as codes: which category does each pair of answers mean?

    Args:
        rows: One a functional answer, each with a letter of `CATEGORIES` for every dysfunctional answer;
            strings such as "QAAAO" or lists of letters. Any number of answers: three, five.

    Raises:
        InvalidParameter: rows of different length, or a letter that is no category.
    """
    letters = [list(row) for row in rows]
    if not letters or len({len(row) for row in letters}) != 1 or not letters[0]:
        raise InvalidParameter(
            "The rows of the evaluation table differ in length, or there are none.",
            where="evaluation_table",
            hint="Give one row for each functional answer, one letter for each dysfunctional one.",
        )
    unknown = sorted({letter for row in letters for letter in row} - set(CATEGORIES))
    if unknown:
        raise InvalidParameter(
            f"{unknown[0]!r} in the evaluation table is no Kano category.",
            where="evaluation_table",
            allowed=CATEGORIES,
        )
    return np.array([[CATEGORIES.index(letter) for letter in row] for row in letters], dtype=np.int8)


def classify(functional: npt.ArrayLike, dysfunctional: npt.ArrayLike, table: Codes | None = None) -> Codes:
    """Which category does each pair of answers mean? Codes of `CATEGORIES`; −1 where a half is missing (−1).

    Raises:
        InvalidParameter: a code beyond the table, or arrays of different shape.
    """
    used = evaluation_table(CLASSIC_TABLE) if table is None else table
    f, d = _pairs(functional, dysfunctional, used.shape)
    return np.where((f < 0) | (d < 0), np.int8(-1), used[f, d])


def pair_counts(
    functional: npt.ArrayLike,
    dysfunctional: npt.ArrayLike,
    feature: npt.ArrayLike | None = None,
    *,
    features: int = 1,
    answers: tuple[int, int] = (5, 5),
    weights: Numbers | None = None,
) -> Floats:
    """How often was each pair of answers given, by feature?

    Args:
        functional: Answer codes, one a pair, 0 the first answer; −1 where missing.
        dysfunctional: The other half.
        feature: Which feature the pair is about, 0 to `features` − 1; all the first where not given.
        features: How many there are.
        answers: How many functional and dysfunctional answers there are.
        weights: What a pair counts; 1 each where not given.

    Returns:
        Counts of shape (features, functional answers, dysfunctional answers). Pairs with a missing half are
        left out.

    Raises:
        InvalidParameter: a code is out of range, or arrays of different length.
    """
    f, d = _pairs(functional, dysfunctional, answers)
    which = np.zeros(f.shape, dtype=np.int64) if feature is None else np.asarray(feature, dtype=np.int64)
    weight = None if weights is None else np.asarray(weights, dtype=float)
    if which.shape != f.shape or (weight is not None and weight.shape != f.shape):
        raise InvalidParameter("Features, weights and pairs differ in length.", where="feature, weights")
    if which.size and not (which.min() >= 0 and which.max() < features):
        raise InvalidParameter(
            f"A feature code lies outside 0 to {features - 1}.", where="feature", hint="Raise `features`."
        )
    kept = (f >= 0) & (d >= 0)
    cell = (which[kept] * answers[0] + f[kept]) * answers[1] + d[kept]
    counted = np.bincount(
        cell,
        weights=None if weight is None else weight[kept],
        minlength=features * answers[0] * answers[1],
    )
    return counted.astype(float).reshape(features, *answers)


def category_counts(pairs: Numbers, table: Codes | None = None) -> Floats:
    """How many answers fall in each category? Pairs (..., f, d) become counts (..., 6).

    Raises:
        InvalidParameter: pairs and table differ in their answers.
    """
    used = evaluation_table(CLASSIC_TABLE) if table is None else table
    counts = np.asarray(pairs, dtype=float)
    if counts.shape[-2:] != used.shape:
        raise InvalidParameter(
            f"Pairs of {counts.shape[-2:]} answers don't fit an evaluation table of {used.shape}.",
            where="pairs",
            hint="Use the table made for this wording.",
        )
    one_hot = used.ravel()[:, None] == np.arange(len(CATEGORIES))
    return counts.reshape(*counts.shape[:-2], used.size) @ one_hot.astype(float)


def category_of(counts: Numbers, rule: str = "mode") -> Codes:
    """Which category is the feature, by the named rule? Codes of `CATEGORIES`; −1 without answers.

    Raises:
        UnknownName: there is no such rule in `RULES`.
        InvalidParameter: the counts have no six categories on their last axis.
    """
    if rule not in RULES:
        raise UnknownName.among("category rule", rule, RULES, where="rule")
    used, table = RULES[rule], checked_counts(counts)
    n = table.sum(axis=-1, keepdims=True)
    ranked = table[..., _PRIORITY]
    if used.by_group:
        wanted = ranked[..., :3].sum(axis=-1, keepdims=True) > ranked[..., 3:].sum(axis=-1, keepdims=True)
        ranked = np.where(wanted == (np.arange(6) < 3), ranked, -1.0)
    best = ranked.max(axis=-1, keepdims=True)
    # R and Q are no rivals to give way: only a lead among M, O, A, I can be too close to call.
    ordinary = ranked[..., :4].max(axis=-1, keepdims=True) >= best
    tied = ranked >= best - np.where(ordinary, used.close, 0.0) * n - 1e-12 * n
    return np.where(n[..., 0] > 0, _PRIORITY[tied.argmax(axis=-1)], -1).astype(np.int8)


@dataclass(frozen=True, slots=True, eq=False)
class Strength:
    """How clear is the category? Both are shares of all answers; NaN without any.

    Attributes:
        total: (A + O + M) / n: how many would notice the feature.
        category: The share of the most frequent category minus that of the second.
    """

    total: Any
    category: Any


def strength(counts: Numbers) -> Strength:
    """How strongly does the feature matter, and by how much does its category lead? (Lee & Newcomb 1997.)

    Raises:
        InvalidParameter: the counts have no six categories on their last axis.
    """
    table = checked_counts(counts)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = table / table.sum(axis=-1, keepdims=True)
    ordered = np.sort(share, axis=-1)
    return Strength(plain(share[..., :3].sum(axis=-1)), plain(ordered[..., -1] - ordered[..., -2]))


@dataclass(frozen=True, slots=True, eq=False)
class Coefficients:
    """By how much can the feature satisfy when there, and dissatisfy when not?

    Attributes:
        plus: CS+ = (A + O) / (A + O + M + I), from 0 to 1.
        minus: CS− = −(O + M) / (A + O + M + I), from −1 to 0.
        plus_interval: Wilson's interval of CS+.
        minus_interval: That of CS−.
        n: A + O + M + I.
    """

    plus: Any
    minus: Any
    plus_interval: Interval
    minus_interval: Interval
    n: Any


def coefficients(counts: Numbers, confidence: float = 0.95) -> Coefficients:
    """The customer satisfaction coefficients (Berger et al. 1993); NaN where no answer is A, O, M or I.

    Raises:
        InvalidParameter: the counts have no six categories on their last axis.
    """
    table = checked_counts(counts)
    better, worse, n = table[..., [0, 1]].sum(-1), table[..., [1, 2]].sum(-1), table[..., :4].sum(-1)
    better, worse = np.minimum(better, n), np.minimum(worse, n)
    plus, minus = wilson(better, n, confidence), wilson(worse, n, confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        share_plus, share_minus = better / n, worse / n
    return Coefficients(
        plus=plain(share_plus),
        minus=plain(0.0 - share_minus),
        plus_interval=plus,
        minus_interval=interval_of(0.0 - np.asarray(minus.high), 0.0 - np.asarray(minus.low)),
        n=plain(n),
    )


@dataclass(frozen=True, slots=True, eq=False)
class ContinuousScores:
    """The feature's mean place on DuMouchel's plane, with how widely customers differ.

    Attributes:
        functional: The mean functional score with interval and standard deviation, −2 to 4.
        dysfunctional: The mean dysfunctional score, the same.
        correlation: Between a customer's two scores; NaN where either doesn't vary.
    """

    functional: Score
    dysfunctional: Score
    correlation: Any


def continuous_scores(
    pairs: Numbers,
    functional: Sequence[float] = FUNCTIONAL_SCORES,
    dysfunctional: Sequence[float] = DYSFUNCTIONAL_SCORES,
    confidence: float = 0.95,
) -> ContinuousScores:
    """Where does the feature lie between cold and delighting, between dispensable and must-be?

    A mean near the middle may be an indifferent feature or one that divides customers: read it with `sd`.

    Args:
        pairs: Counts of pairs (..., functional answers, dysfunctional answers).
        functional: The score of each functional answer.
        dysfunctional: That of each dysfunctional one.
        confidence: That of the means' intervals.

    Raises:
        InvalidParameter: scores and pairs don't fit together.
    """
    counts = np.asarray(pairs, dtype=float)
    if counts.shape[-2:] != (len(functional), len(dysfunctional)):
        raise InvalidParameter(
            f"{len(functional)} and {len(dysfunctional)} scores don't fit pairs of {counts.shape[-2:]} answers.",
            where="functional, dysfunctional",
        )
    x, y = np.asarray(functional, dtype=float), np.asarray(dysfunctional, dtype=float)
    f = mean_of_answers(x, counts.sum(axis=-1), confidence)
    d = mean_of_answers(y, counts.sum(axis=-2), confidence)
    n = counts.sum(axis=(-2, -1))
    with np.errstate(divide="ignore", invalid="ignore"):
        products = np.einsum("...fd,f,d->...", counts, x, y) - n * np.asarray(f.score) * np.asarray(d.score)
        spread = (n - 1) * np.asarray(f.sd) * np.asarray(d.sd)
        correlation = np.where(spread > 0, products / spread, np.nan)
    return ContinuousScores(f, d, plain(correlation))


def checked_counts(counts: Numbers) -> Floats:
    """Counts with the six categories on their last axis, as floats.

    Raises:
        InvalidParameter: they are not, or one is negative or missing.
    """
    table = np.asarray(counts, dtype=float)
    if table.ndim == 0 or table.shape[-1] != len(CATEGORIES):
        raise InvalidParameter(
            f"Counts of shape {table.shape} have no {len(CATEGORIES)} categories on their last axis.",
            where="counts",
            allowed=CATEGORIES,
        )
    if not (table >= 0).all():
        raise InvalidParameter("A count is negative or missing.", where="counts", hint="Give 0 for none.")
    return table


def _pairs(
    functional: npt.ArrayLike, dysfunctional: npt.ArrayLike, answers: tuple[int, ...]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    f, d = np.asarray(functional, dtype=np.int64), np.asarray(dysfunctional, dtype=np.int64)
    if f.shape != d.shape:
        raise InvalidParameter(
            f"{f.size} functional and {d.size} dysfunctional answers don't pair up.",
            where="functional, dysfunctional",
            hint="Give −1 for a missing half.",
        )
    for name, codes, known in (("functional", f, answers[0]), ("dysfunctional", d, answers[1])):
        if codes.size and (codes.max() >= known or codes.min() < -1):
            raise InvalidParameter(
                f"A {name} answer's code lies outside 0 to {known - 1}.",
                where=name,
                hint="Give −1 for a missing answer, or the table made for this wording.",
            )
    return f, d
