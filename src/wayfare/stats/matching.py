"""How do customers who met something differ from like customers who didn't? Observational, never a proof.

Coarsened exact matching (Iacus, King & Porro 2012, Political Analysis 20, 1–24): customers are compared only
within strata of equal background; strata that hold one kind only are left out, and what share of the touched
is left is told. It removes what the strata know and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wayfare.errors import InvalidParameter
from wayfare.stats.intervals import Floats, Numbers, same_shape, z_of


@dataclass(frozen=True, slots=True)
class MatchedEffect:
    """The mean difference that matched treated customers show against like untreated ones.

    Attributes:
        estimate: The effect on the treated that could be matched, in the unit of the outcome.
        low: The lower bound of its interval.
        high: The upper bound.
        n_treated: All treated customers.
        n_control: All others.
        n_matched: The treated in strata that hold both kinds.
        overlap: n_matched / n_treated.
        treated_mean: The mean outcome of the matched treated.
        control_mean: The mean outcome of the others, weighted to the strata of the matched treated.
        p: The two-sided p value of no difference (normal approximation).
    """

    estimate: float
    low: float
    high: float
    n_treated: float
    n_control: float
    n_matched: float
    overlap: float
    treated_mean: float
    control_mean: float
    p: float


def stratified_effect(
    outcome: Numbers,
    treated: Numbers,
    strata: Numbers,
    weights: Numbers | None = None,
    confidence: float = 0.95,
) -> MatchedEffect:
    """How much higher is the outcome of the treated than that of like customers?

    Args:
        outcome: One value a customer; 0 and 1 for a share.
        treated: Whether the customer met the thing in question.
        strata: The customer's stratum, any labels; equal labels are compared.
        weights: How many equal customers a row stands for; 1 each where not given.
        confidence: That of the interval.

    Returns:
        A `MatchedEffect`; NaN estimates where no stratum holds both kinds.

    Raises:
        InvalidParameter: the arrays differ in length.
    """
    values, met = np.asarray(outcome, dtype=float), np.asarray(treated, dtype=bool)
    labels = np.asarray(strata)
    weight = np.ones(values.shape) if weights is None else np.asarray(weights, dtype=float)
    same_shape("stratified_effect", values, met, labels, weight)
    distinct, stratum = np.unique(labels, return_inverse=True)

    def sums(part: Floats) -> tuple[Floats, Floats, Floats]:
        moments = (part, part * values, part * values**2)
        by_stratum = [np.bincount(stratum, weights=m, minlength=distinct.size).astype(float) for m in moments]
        return by_stratum[0], by_stratum[1], by_stratum[2]

    return stratified_effect_from_sums(*sums(weight * met), *sums(weight * ~met), confidence=confidence)


def stratified_effect_from_sums(
    n_t: Numbers,
    sum_t: Numbers,
    sumsq_t: Numbers,
    n_c: Numbers,
    sum_c: Numbers,
    sumsq_c: Numbers,
    confidence: float = 0.95,
) -> MatchedEffect:
    """The same from sums: count, sum and sum of squares of the outcome, treated and others, one a stratum.

    estimate = Σ n_t (ȳ_t − ȳ_c) / Σ n_t over the strata that hold both; its variance is
    Σ n_t² (s²_t / n_t + s²_c / n_c) / (Σ n_t)², where a stratum with one customer of a kind borrows that
    kind's pooled variance within strata. NaN bounds where no stratum holds two of a kind.

    Raises:
        InvalidParameter: the arrays differ in length.
    """
    z = z_of(confidence)
    sums = (n_t, sum_t, sumsq_t, n_c, sum_c, sumsq_c)
    arrays = [np.atleast_1d(np.asarray(part, dtype=float)) for part in sums]
    same_shape("stratified_effect_from_sums", *arrays)
    if (arrays[0] < 0).any() or (arrays[3] < 0).any():
        raise InvalidParameter("A stratum can't hold fewer than no customers.", where="n_t, n_c")
    both = (arrays[0] > 0) & (arrays[3] > 0)
    in_treated, in_control = [part[both] for part in arrays[:3]], [part[both] for part in arrays[3:]]
    matched, treated, others = in_treated[0].sum(), arrays[0].sum(), arrays[3].sum()
    mean_t, variance_t = _weighted_mean(in_treated[0], *in_treated)
    mean_c, variance_c = _weighted_mean(in_treated[0], *in_control)
    estimate, spread = mean_t - mean_c, float(np.sqrt(variance_t + variance_c))
    return MatchedEffect(
        estimate=estimate,
        low=estimate - z * spread,
        high=estimate + z * spread,
        n_treated=float(treated),
        n_control=float(others),
        n_matched=float(matched),
        overlap=float(matched / treated) if treated else float("nan"),
        treated_mean=mean_t,
        control_mean=mean_c,
        p=_p_of(estimate, spread),
    )


def _weighted_mean(weight: Floats, n: Floats, total: Floats, squares: Floats) -> tuple[float, float]:
    """The mean over strata, weighted, and its variance; NaN without strata."""
    if not n.size:
        return float("nan"), float("nan")
    share = weight / weight.sum()
    return float(share @ (total / n)), float(share**2 @ (_variances(n, total, squares) / n))


def _variances(n: Floats, total: Floats, squares: Floats) -> Floats:
    """The variance within each stratum; the pooled one where a stratum holds a single customer."""
    deviations = np.maximum(squares - total**2 / n, 0.0)
    several = n > 1
    freedom = (n[several] - 1).sum()
    pooled = deviations[several].sum() / freedom if freedom else np.nan
    return np.where(several, deviations / np.where(several, n - 1, 1.0), pooled)


def _p_of(estimate: float, spread: float) -> float:
    from scipy.special import ndtr

    if np.isnan(estimate) or np.isnan(spread):
        return float("nan")
    if spread == 0.0:
        return 1.0 if estimate == 0.0 else 0.0
    return float(2 * ndtr(-abs(estimate) / spread))
