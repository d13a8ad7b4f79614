"""How sure are we of a share, a mean, a ratio, a count, or the difference between two shares?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from wayfare.errors import InvalidParameter
from wayfare.stats.intervals import Floats, Interval, Numbers, interval_of, plain, t_of, upper_level, z_of

__all__ = [
    "Difference",
    "Interval",
    "difference_of_proportions",
    "mean_interval",
    "poisson_interval",
    "ratio_interval",
    "wilson",
]


@dataclass(frozen=True, slots=True)
class Difference:
    """The first share minus the second, its interval, and the two-sided p value of no difference."""

    estimate: Any
    low: Any
    high: Any
    p: Any


def wilson(successes: Numbers, trials: Numbers, confidence: float = 0.95) -> Interval:
    """Between which shares does the true one lie, given `successes` of `trials`?

    Wilson's score interval (Wilson 1927, JASA 22; Brown, Cai & DasGupta 2001, eq. 4), without continuity
    correction. Numbers or arrays that broadcast; counts may be fractional; NaN where there are no trials.

    Raises:
        InvalidParameter: `confidence` is not between 0 and 1, or there are more successes than trials.
    """
    return interval_of(*_wilson(_floats(successes), _floats(trials), z_of(confidence)))


def mean_interval(total: Numbers, sum_of_squares: Numbers, n: Numbers, confidence: float = 0.95) -> Interval:
    """Between which values does the true mean lie, given a sum, a sum of squares and a count?

    Student's t interval, in the unit of the values. Numbers or arrays; NaN where `n` is below 2.
    """
    return ratio_interval(total, n, sum_of_squares, total, n, n, confidence)


def ratio_interval(
    sum_x: Numbers,
    sum_y: Numbers,
    sum_xx: Numbers,
    sum_xy: Numbers,
    sum_yy: Numbers,
    n: Numbers,
    confidence: float = 0.95,
) -> Interval:
    """Between which values does the ratio of two means lie: revenue (x) per order (y) over n customers?

    The ratio is sum_x / sum_y; its variance is that of the residuals x − R·y by the delta method (Cochran
    1977, Sampling Techniques, chapter 6), with Student's t on n − 1 degrees of freedom. With y = 1 for each
    row it is the t interval of a mean. NaN where `n` is below 2 or `sum_y` is 0.
    """
    x, y, count = _floats(sum_x), _floats(sum_y), _floats(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = x / y
        squares = _floats(sum_xx) - 2 * ratio * _floats(sum_xy) + ratio**2 * _floats(sum_yy)
        variance = np.maximum(squares, 0.0) / (count - 1) * count / y**2
        half = t_of(confidence, count - 1) * np.sqrt(np.where(count > 1, variance, np.nan))
    low, high = ratio - half, ratio + half
    known = np.isfinite(low) & np.isfinite(high)
    return interval_of(np.where(known, low, np.nan), np.where(known, high, np.nan))


def poisson_interval(count: Numbers, confidence: float = 0.95) -> Interval:
    """Between which numbers does the expected count lie, when `count` were seen?

    Garwood's exact interval (Garwood 1936, Biometrika 28): never covers less than `confidence`.
    """
    from scipy.special import gammaincinv

    k = _floats(count)
    upper = upper_level(confidence)
    low = np.where(k > 0, gammaincinv(np.where(k > 0, k, 1.0), 1.0 - upper), 0.0)
    return interval_of(low, gammaincinv(k + 1.0, upper))


def difference_of_proportions(
    successes_a: Numbers,
    trials_a: Numbers,
    successes_b: Numbers,
    trials_b: Numbers,
    confidence: float = 0.95,
) -> Difference:
    """How far is share a above share b, and could they be the same?

    The interval is Newcombe's hybrid score interval (Newcombe 1998, Statistics in Medicine 17, 873–890,
    method 10). The p value is that of the pooled z test, or of Fisher's exact test where a cell of the
    two-by-two table is expected to hold fewer than 5. NaN where either has no trials.

    Raises:
        InvalidParameter: `confidence` is not between 0 and 1, or there are more successes than trials.
    """
    arrays = np.broadcast_arrays(*map(_floats, (successes_a, trials_a, successes_b, trials_b)))
    x_a, n_a, x_b, n_b = arrays
    z = z_of(confidence)
    low_a, high_a = _wilson(x_a, n_a, z)
    low_b, high_b = _wilson(x_b, n_b, z)
    with np.errstate(divide="ignore", invalid="ignore"):
        share_a, share_b = x_a / n_a, x_b / n_b
        estimate = np.where((n_a > 0) & (n_b > 0), share_a - share_b, np.nan)
        low = estimate - np.hypot(share_a - low_a, high_b - share_b)
        high = estimate + np.hypot(high_a - share_a, share_b - low_b)
    return Difference(plain(estimate), plain(low), plain(high), plain(_p_of_difference(x_a, n_a, x_b, n_b)))


def _floats(values: Numbers) -> Floats:
    return np.asarray(values, dtype=float)


def _wilson(successes: Floats, trials: Floats, z: float) -> tuple[Floats, Floats]:
    if ((successes < 0) | (successes > trials)).any():
        raise InvalidParameter(
            "There are more successes than trials, or fewer than none.",
            where="successes",
            hint="Count the successes among the trials.",
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        n = np.where(trials > 0, trials, np.nan)
        share = successes / n
        centre = (successes + z * z / 2) / (n + z * z)
        half = z * np.sqrt(n * share * (1 - share) + z * z / 4) / (n + z * z)
    # At 0 and at all successes the bound is 0 or 1 exactly; rounding would leave 1e-17.
    low = np.where(successes == 0, np.where(np.isnan(n), np.nan, 0.0), np.maximum(centre - half, 0.0))
    high = np.where(successes == n, 1.0, np.minimum(centre + half, 1.0))
    return low, high


def _p_of_difference(x_a: Floats, n_a: Floats, x_b: Floats, n_b: Floats) -> Floats:
    from scipy.special import ndtr

    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = (x_a + x_b) / (n_a + n_b)
        spread = np.sqrt(pooled * (1 - pooled) * (1 / n_a + 1 / n_b))
        p = 2 * ndtr(-np.abs(x_a / n_a - x_b / n_b) / spread)
        smallest = np.minimum(n_a, n_b) * np.minimum(pooled, 1 - pooled)
    p = np.atleast_1d(np.where((n_a > 0) & (n_b > 0), p, np.nan))
    few = np.atleast_1d((smallest < 5) & (n_a > 0) & (n_b > 0))
    cells = [np.atleast_1d(part) for part in (x_a, n_a, x_b, n_b)]
    for index in zip(*np.nonzero(few), strict=True):
        p[index] = _fisher(*(round(float(cell[index])) for cell in cells))
    return p.reshape(np.shape(x_a))


def _fisher(x_a: int, n_a: int, x_b: int, n_b: int) -> float:
    from scipy.stats import fisher_exact

    return float(fisher_exact([[x_a, n_a - x_a], [x_b, n_b - x_b]])[1])
