"""How sure are we when we look every day? Confidence sequences: intervals that hold at every look at once.

A usual interval covers the truth at one sample size fixed beforehand; who looks a hundred times is misled two times in
five. Of a confidence sequence all intervals together, whenever they are looked at, cover it with the stated confidence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from wayfare.errors import InvalidParameter
from wayfare.stats.intervals import Floats, Interval, Numbers, interval_of, plain, upper_level

__all__ = [
    "TUNED_AT",
    "Effect",
    "Interval",
    "Sums",
    "count_sequence",
    "difference_sequence",
    "mean_sequence",
    "rate_sequence",
    "ratio_sequence",
]

TUNED_AT = 1_000
"""The sample size at which sequences of means are narrowest, unless another is said before looking."""
_HALVINGS = 80


@dataclass(frozen=True, slots=True)
class Sums:
    """What a sample's mean and variance need: the sum of its values, that of their squares, and how many there are."""

    total: float
    squares: float
    n: float

    @property
    def mean(self) -> float:
        """The mean; NaN of nothing."""
        return self.total / self.n if self.n > 0 else float("nan")

    @property
    def variance(self) -> float:
        """The unbiased variance; NaN below two values."""
        if self.n < 2:
            return float("nan")
        return max(self.squares - self.total**2 / self.n, 0.0) / (self.n - 1)


@dataclass(frozen=True, slots=True)
class Effect:
    """How far the second sample is from the first, and between which values that lies at every look."""

    estimate: float
    low: float
    high: float


def mean_sequence(
    total: Numbers, sum_of_squares: Numbers, n: Numbers, confidence: float = 0.95, tuned_at: float = TUNED_AT
) -> Interval:
    """Between which values does the true mean lie, however often we look, given a sum, a sum of squares and a count?

    The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (2024, Annals of Statistics 52,
    theorem 2.2): mean ± s·√(2(nρ² + 1)/(n²ρ²) · log(√(nρ² + 1)/α)), with ρ chosen so that it is narrowest at the sample
    size `tuned_at`, which must not depend on the data. It holds for large samples: begin to look at a few dozen values.
    Numbers or arrays; NaN where `n` is below 2, and where all values are equal: how far others would stray, they don't
    say.

    Raises:
        InvalidParameter: `confidence` is not between 0 and 1, or `tuned_at` is not positive.
    """
    return ratio_sequence(total, n, sum_of_squares, total, n, n, confidence, tuned_at)


def ratio_sequence(
    sum_x: Numbers,
    sum_y: Numbers,
    sum_xx: Numbers,
    sum_xy: Numbers,
    sum_yy: Numbers,
    n: Numbers,
    confidence: float = 0.95,
    tuned_at: float = TUNED_AT,
) -> Interval:
    """Between which values does the ratio of two means lie, however often we look: revenue (x) per order (y)?

    The sequence of `mean_sequence` for the influence (x − R·y)/ȳ of each of the n customers, since the ratio is
    asymptotically the mean of these (the delta method).
    NaN where `n` is below 2, `sum_y` is 0, or all influences are 0.

    Raises:
        InvalidParameter: `confidence` is not between 0 and 1, or `tuned_at` is not positive.
    """
    x, y, count = (np.asarray(values, dtype=float) for values in (sum_x, sum_y, n))
    xx, xy, yy = (np.asarray(values, dtype=float) for values in (sum_xx, sum_xy, sum_yy))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = x / y
        squares = xx - 2 * ratio * xy + ratio**2 * yy
        # What rounding leaves of equal values is no variance.
        squares = np.where(squares > 1e-12 * np.maximum(np.abs(xx), 1e-300), squares, np.nan)
        deviation = np.sqrt(np.where(count > 1, squares / (count - 1), np.nan)) * count / y
        half = np.abs(deviation) * _margin(np.where(count > 1, count, np.nan), confidence, tuned_at)
    return interval_of(ratio - half, ratio + half)


def rate_sequence(successes: Numbers, trials: Numbers, confidence: float = 0.95) -> Interval:
    """Between which shares does the true one lie, however often we look, given `successes` of `trials`?

    Exact at every size: the shares p at which Robbins's mixture ∫ likelihood(q) dq / likelihood(p) over q uniform stays
    below 1/α (Robbins 1970, Annals of Mathematical Statistics 41; Howard, Ramdas, McAuliffe & Sekhon 2021, Annals of
    Statistics 49). By convexity it also holds for the mean of any values between 0 and 1, of which `successes` is the
    sum. Numbers or arrays; counts may be fractional; NaN where there are no trials.

    Raises:
        InvalidParameter: `confidence` is not between 0 and 1, or there are more successes than trials.
    """
    from scipy.special import betaln, xlog1py, xlogy

    hits, n = np.broadcast_arrays(np.asarray(successes, dtype=float), np.asarray(trials, dtype=float))
    limit = -np.log(_alpha(confidence))
    if ((hits < 0) | (hits > n)).any():
        raise InvalidParameter(
            "There are more successes than trials, or fewer than none.",
            where="successes",
            hint="Count the successes among the trials.",
        )
    misses, mixed = n - hits, betaln(hits + 1, n - hits + 1)
    share = hits / np.where(n > 0, n, np.nan)

    def inside(p: Floats) -> Any:
        return mixed - xlogy(hits, p) - xlog1py(misses, -p) < limit

    low = _edge(inside, np.nan_to_num(share), np.zeros_like(share))
    high = _edge(inside, np.nan_to_num(share), np.ones_like(share))
    unknown = np.where(np.isnan(share), np.nan, 0.0)
    return interval_of(low + unknown, high + unknown)


def count_sequence(count: Numbers, exposure: Numbers, confidence: float = 0.95) -> Interval:
    """Between which numbers does the expected count lie, however often we look, when `count` came of `exposure` customers?

    Exact for Poisson counts: Robbins's mixture as in `rate_sequence`, over an exponential rate with mean 1 a customer.
    Numbers or arrays; NaN where there was no exposure.

    Raises:
        InvalidParameter: `confidence` is not between 0 and 1, or a count is negative.
    """
    from scipy.special import gammaln, xlogy

    seen, size = np.broadcast_arrays(np.asarray(count, dtype=float), np.asarray(exposure, dtype=float))
    limit = -np.log(_alpha(confidence))
    if (seen < 0).any():
        raise InvalidParameter("A count is negative.", where="count", hint="Give 0 for none.")
    known = np.where(size > 0, size, 1.0)
    mixed = gammaln(seen + 1) - (seen + 1) * np.log1p(known)

    def inside(expected: Floats) -> Any:
        return mixed + expected - xlogy(seen, expected / known) < limit

    far = seen + 10.0
    while (beyond := inside(far)).any():
        far = np.where(beyond, 2 * far, far)
    unknown = np.where(size > 0, 0.0, np.nan)
    low, high = _edge(inside, seen, np.zeros_like(seen)), _edge(inside, seen, far)
    return interval_of(low + unknown, high + unknown)


def difference_sequence(
    a: Sums, b: Sums, *, relative: bool = False, confidence: float = 0.95, tuned_at: float = 5_000
) -> Effect:
    """How far is the mean of b above that of a, however often we look?

    The sequence of `mean_sequence` with the variance of the difference, or of the relative difference (b − a)/a by the
    delta method, at the size of both samples together: what GrowthBook calls sequential testing. NaN where a sample
    has fewer than two values, does not vary, or `relative` meets a mean of 0.

    Args:
        a: The sample compared with.
        b: The sample compared.
        relative: Whether the difference is a share of a's mean.
        confidence: Of all looks together.
        tuned_at: The size of both samples together at which the sequence is narrowest.

    Raises:
        InvalidParameter: `confidence` is not between 0 and 1, or `tuned_at` is not positive.
    """
    base, n = a.mean if relative else 1.0, a.n + b.n
    if not min(a.n, b.n) >= 2 or base == 0:
        return Effect(float("nan"), float("nan"), float("nan"))
    estimate = (b.mean - a.mean) / base
    of_a = a.variance / a.n * ((b.mean / a.mean) ** 2 if relative else 1.0)
    variance = (of_a + b.variance / b.n) / base**2
    half = np.sqrt(variance * n if variance > 0 else np.nan) * _margin(n, confidence, tuned_at)
    return Effect(float(estimate), float(estimate - half), float(estimate + half))


def _margin(n: Numbers, confidence: float, tuned_at: float) -> Any:
    """The half-width for values of variance 1, with ρ² = (−2 log α + log(1 − 2 log α))/n* at the size n* it is tuned at."""
    alpha = _alpha(confidence)
    if not tuned_at > 0:
        raise InvalidParameter(
            f"A sequence can't be tuned at {tuned_at:g} values.",
            where="tuned_at",
            hint="Give a number above 0.",
        )
    rho_squared = (-2 * np.log(alpha) + np.log1p(-2 * np.log(alpha))) / tuned_at
    spread = np.asarray(n, dtype=float) * rho_squared
    return np.sqrt(
        2 * (spread + 1) * (np.log1p(spread) / 2 - np.log(alpha)) / (spread * np.asarray(n, dtype=float))
    )


def _alpha(confidence: float) -> float:
    return 2 * (1 - upper_level(confidence))


def _edge(inside: Callable[[Floats], Any], best: Floats, end: Floats) -> Floats:
    """Between `best`, which is inside, and `end`: where inside stops; `end` itself where it never does."""
    near, far = np.array(best, dtype=float), np.array(end, dtype=float)
    whole = inside(far)
    for _ in range(_HALVINGS):
        middle = (near + far) / 2
        kept = inside(middle)
        near, far = np.where(kept, middle, near), np.where(kept, far, middle)
    return np.where(whole, np.asarray(end, dtype=float), plain(near))
