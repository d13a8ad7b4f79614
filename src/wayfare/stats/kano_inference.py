"""How sure is a Kano category: top-two test, category probabilities, ellipses, change over waves, power."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from wayfare.errors import InvalidParameter
from wayfare.stats.intervals import Floats, Numbers, plain, upper_level, z_of
from wayfare.stats.kano import CATEGORIES, Codes, category_of, checked_counts, coefficients
from wayfare.stats.proportions import Difference, difference_of_proportions

# Half an answer in each category (Jeffreys's prior): without it a handful of equal answers would be certain.
_PRIOR = 0.5
# Half an answer in each of A, O, M, I keeps ellipses from collapsing where a category is empty.
_ELLIPSE_PRIOR = 0.5
_TIE_ORDER = np.array([CATEGORIES.index(letter) for letter in "MOAIRQ"])


@dataclass(frozen=True, slots=True, eq=False)
class TopTwo:
    """Can the most frequent category be told from the second?

    Attributes:
        first: The most frequent category, a code of `CATEGORIES`; −1 without answers.
        second: The next one.
        p: That both are equally frequent: the exact two-sided binomial test on the answers in either.
        fong_difference: From how many answers' difference on Fong's test tells them apart (Fong 1996).
        fong_distinct: Whether it does. Too liberal: about 17 % false alarms at its nominal 10 %.
    """

    first: Codes
    second: Codes
    p: Any
    fong_difference: Any
    fong_distinct: Any


def top_two(counts: Numbers) -> TopTwo:
    """Is the most frequent category ahead of the second by more than chance?

    The exact test asks, of the a + b answers in either, how rarely a fair coin would split them as unevenly.
    Fong's critical difference is 1.65·√((a + b)(2n − a − b) / (2n)) (Fong 1996, CQM Journal 5).

    Args:
        counts: Of shape (..., 6).

    Raises:
        InvalidParameter: the counts have no six categories on their last axis.
    """
    table = checked_counts(counts)
    ranked = table[..., _TIE_ORDER]
    order = np.argsort(-ranked, axis=-1, kind="stable")[..., :2]
    a, b = (np.take_along_axis(ranked, order[..., [k]], axis=-1)[..., 0] for k in (0, 1))
    n = table.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        critical = 1.65 * np.sqrt((a + b) * (2 * n - a - b) / (2 * n))
    names = np.where(n[..., None] > 0, _TIE_ORDER[order], -1).astype(np.int8)
    return TopTwo(
        first=names[..., 0],
        second=names[..., 1],
        p=plain(_sign_test(a, b)),
        fong_difference=plain(critical),
        fong_distinct=(a - b >= critical)[()],
    )


def category_probabilities(
    counts: Numbers, rule: str = "mode", draws: int = 1_000, seed: int = 0, *, batch_cells: int = 4_000_000
) -> Floats:
    """How likely is each category to be the one that all customers together would give?

    Shares are drawn from the Dirichlet distribution of counts plus ½ each (the Bayesian bootstrap of a table,
    Rubin 1981, with Jeffreys's prior, so that a few equal answers are not taken for certainty), and the rule
    is applied to every draw. All features are drawn at once; the cost does not depend on how many answered.

    Args:
        counts: Of shape (..., 6).
        rule: One of `kano.RULES`.
        draws: How many.
        seed: Of the draws.
        batch_cells: How many drawn numbers are held at a time.

    Returns:
        Probabilities of the shape of `counts`; NaN where nobody answered.

    Raises:
        InvalidParameter: the counts have no six categories on their last axis, or `draws` is below 1.
        UnknownName: there is no such rule.
    """
    table = checked_counts(counts)
    if draws < 1:
        raise InvalidParameter(
            f"{draws} draws are too few.", where="draws", hint="Give 1 or more, such as 1000."
        )
    flat, rng = table.reshape(-1, len(CATEGORIES)), np.random.default_rng(seed)
    hits = np.zeros(flat.shape)
    size = max(1, batch_cells // max(flat.size, 1))
    for begin in range(0, draws, size):
        shares = rng.standard_gamma(flat + _PRIOR, size=(min(size, draws - begin), *flat.shape))
        drawn = category_of(shares, rule)
        hits += np.stack([(drawn == code).sum(axis=0) for code in range(len(CATEGORIES))], axis=-1)
    answered = flat.sum(axis=-1, keepdims=True) > 0
    return np.where(answered, hits / draws, np.nan).reshape(table.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Ellipses:
    """Where in the picture the feature plausibly lies: CS− across, CS+ up.

    Attributes:
        outline: Points around each ellipse, (..., points, 2): CS− and CS+, cut to the picture.
        covariance: Of CS− and CS+, (..., 2, 2).
        semi_major: Half the longer axis.
        semi_minor: Half the shorter one.
        angle: From the CS− axis to the longer one, in radians.
    """

    outline: Floats
    covariance: Floats
    semi_major: Any
    semi_minor: Any
    angle: Any


def coefficient_ellipses(counts: Numbers, confidence: float = 0.95, points: int = 48) -> Ellipses:
    """Between which values do CS− and CS+ lie together, given that one answer (O) moves both?

    With N = A + O + M + I: var CS+ = CS+(1 − CS+)/N, var CS− alike, and cov = −(O/N − CS+·|CS−|)/N, the
    multinomial covariance, after half an answer in each of the four categories; the radius is that of χ² on
    two degrees of freedom. NaN where nobody answered A, O, M or I.

    Raises:
        InvalidParameter: the counts have no six categories, or `confidence` is not between 0 and 1.
    """
    upper_level(confidence)
    table = checked_counts(counts)[..., :4]
    table = np.where(table.sum(axis=-1, keepdims=True) > 0, table + _ELLIPSE_PRIOR, np.nan)
    n = table.sum(axis=-1)
    share = table / n[..., None]
    plus, worse = share[..., 0] + share[..., 1], share[..., 1] + share[..., 2]
    cross = -(share[..., 1] - plus * worse)
    rows = [[worse * (1 - worse), cross], [cross, plus * (1 - plus)]]
    covariance = np.stack([np.stack(row, axis=-1) for row in rows], axis=-2) / n[..., None, None]
    known = np.isfinite(n)[..., None, None]
    values, vectors = np.linalg.eigh(np.where(known, covariance, np.eye(2)))
    radius = np.sqrt(-2 * np.log1p(-confidence) * np.maximum(values, 0.0))
    radius = np.where(known[..., 0], radius, np.nan)
    turn = np.linspace(0, 2 * np.pi, points, endpoint=False)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    outline = np.einsum("...ij,...j,pj->...pi", vectors, radius, circle)
    outline = outline + np.stack([-worse, plus], axis=-1)[..., None, :]
    major = vectors[..., :, 1]
    return Ellipses(
        outline=np.clip(outline, [-1.0, 0.0], [0.0, 1.0]),
        covariance=covariance,
        semi_major=plain(radius[..., 1]),
        semi_minor=plain(radius[..., 0]),
        angle=plain(np.where(np.isfinite(n), np.arctan2(major[..., 1], major[..., 0]), np.nan)),
    )


@dataclass(frozen=True, slots=True, eq=False)
class WaveChange:
    """How a feature moved from one wave to a later one, asked of other customers.

    Attributes:
        before: The category before, a code of `CATEGORIES`.
        after: The category after.
        plus: CS+ after minus before, with Newcombe's interval and p.
        minus: CS− after minus before, the same; negative where its lack hurts more than it did.
        transition: The probability of each category before (rows) and after (columns), (..., 6, 6).
        moved: The probability that the category is not what it was.
        p: Of equal shares of all categories in both waves (Pearson's χ²); NaN where there is nothing to compare.
    """

    before: Codes
    after: Codes
    plus: Difference
    minus: Difference
    transition: Floats
    moved: Any
    p: Any


def wave_change(
    before: Numbers,
    after: Numbers,
    rule: str = "mode",
    draws: int = 1_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> WaveChange:
    """Did the feature move, for instance from delighter to must-be: `transition[A, M]`?

    Waves are taken as samples of different customers; where the same ones answer twice, intervals are wider
    than they need be. `moved` is a probability given equal prior odds, not a test: use `p` and the intervals
    to say that something changed.

    Args:
        before: Counts of the first wave, (..., 6).
        after: Counts of the later one, the same shape.
        rule: One of `kano.RULES`.
        draws: As for `category_probabilities`.
        seed: Of the draws.
        confidence: That of the intervals.

    Raises:
        InvalidParameter: the waves differ in shape or have no six categories.
        UnknownName: there is no such rule.
    """
    old, new = checked_counts(before), checked_counts(after)
    if old.shape != new.shape:
        raise InvalidParameter(
            f"Waves of shape {old.shape} and {new.shape} don't fit together.",
            where="before, after",
            hint="Give the same features in the same order.",
        )
    was = category_probabilities(old, rule, draws, seed)
    now = category_probabilities(new, rule, draws, seed + 1)
    transition = was[..., :, None] * now[..., None, :]
    stayed = np.trace(transition, axis1=-2, axis2=-1)
    n_old, n_new = (coefficients(part, confidence).n for part in (old, new))
    better, worse = [0, 1], [1, 2]
    return WaveChange(
        before=category_of(old, rule),
        after=category_of(new, rule),
        plus=difference_of_proportions(
            new[..., better].sum(-1), n_new, old[..., better].sum(-1), n_old, confidence
        ),
        minus=difference_of_proportions(
            old[..., worse].sum(-1), n_old, new[..., worse].sum(-1), n_new, confidence
        ),
        transition=transition,
        moved=plain(1.0 - stayed),
        p=plain(_p_of_equal_shares(old, new)),
    )


def top_two_power(n: npt.ArrayLike, first: float, second: float, alpha: float = 0.05) -> Any:
    """With n answers, how likely is the exact test to tell categories of these true shares apart?

    Exact: over how many of the n fall in either category, and how they split.

    Args:
        n: How many answers; a number or an array.
        first: The true share of the more frequent category.
        second: The true share of the other.
        alpha: The level of the two-sided test.

    Raises:
        InvalidParameter: shares that can't be, or an `alpha` outside 0 and 1.
    """
    _check_shares(first, second, alpha)
    sizes = np.asarray(n, dtype=np.int64)
    if sizes.size and sizes.min() < 0:
        raise InvalidParameter(f"{sizes.min()} answers can't be asked for.", where="n")
    return plain(np.vectorize(lambda k: _power(int(k), first, second, alpha), otypes=[float])(sizes))


def answers_needed(first: float, second: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """How many answers does it take until these two shares can be told apart, `power` of the time?

    The normal approximation for correlated shares, n = (z_α√(p₁ + p₂) + z_β√(p₁ + p₂ − (p₁ − p₂)²))² /
    (p₁ − p₂)² (Connor 1987, Biometrics 43), plus 1 / (p₁ − p₂) for the exact test's steps.

    Raises:
        InvalidParameter: shares that can't be or that are equal, or a level outside 0 and 1.
    """
    from scipy.special import ndtri

    _check_shares(first, second, alpha)
    if not 0 < power < 1 or first <= second:
        raise InvalidParameter(
            f"No number of answers tells {first:g} from {second:g} with a power of {power:g}.",
            where="first, second, power",
            hint="Give the larger share first and a power between 0 and 1, such as 0.8.",
        )
    gap, both = first - second, first + second
    root = z_of(1 - alpha) * np.sqrt(both) + float(ndtri(power)) * np.sqrt(both - gap**2)
    return int(np.ceil((root / gap) ** 2 + 1 / gap))


def _check_shares(first: float, second: float, alpha: float) -> None:
    if not (0 <= second <= 1 and first > 0 and first + second <= 1 + 1e-12):
        raise InvalidParameter(
            f"Shares of {first:g} and {second:g} can't be those of two categories.",
            where="first, second",
            hint="Give shares between 0 and 1 that add up to 1 at most.",
        )
    if not 0 < alpha < 1:
        raise InvalidParameter(f"A level of {alpha:g} can't be used.", where="alpha", hint="Give 0.05, say.")


def _power(n: int, first: float, second: float, alpha: float) -> float:
    from scipy.special import bdtrc
    from scipy.stats import binom

    either = np.arange(n + 1)
    chance = binom.pmf(either, n, min(first + second, 1.0))
    # The fewest answers for the first category that the two-sided test calls at each number in either.
    needed = binom.isf(alpha / 2, either, 0.5) + 1
    possible = needed <= either
    wins = np.zeros(n + 1)
    wins[possible] = bdtrc(needed[possible] - 1, either[possible], first / (first + second))
    return float(chance @ wins)


def _sign_test(a: Floats, b: Floats) -> Floats:
    """The exact two-sided p value of a against b at even odds, a ≥ b; fractional counts are interpolated."""
    from scipy.special import betainc

    tail = betainc(np.where(a > 0, a, 1.0), b + 1.0, 0.5)
    return np.where(a > 0, np.minimum(2 * tail, 1.0), np.nan)


def _p_of_equal_shares(old: Floats, new: Floats) -> Floats:
    from scipy.special import chdtrc

    both = old + new
    n_old, n_new = old.sum(axis=-1, keepdims=True), new.sum(axis=-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected_old, expected_new = both * n_old / (n_old + n_new), both * n_new / (n_old + n_new)
        terms = (old - expected_old) ** 2 / expected_old + (new - expected_new) ** 2 / expected_new
    freedom = (both > 0).sum(axis=-1) - 1
    usable = (n_old > 0)[..., 0] & (n_new > 0)[..., 0] & (freedom > 0)
    statistic = np.where(both > 0, terms, 0.0).sum(axis=-1)
    return np.where(usable, chdtrc(np.where(usable, freedom, 1), np.where(usable, statistic, 0.0)), np.nan)
