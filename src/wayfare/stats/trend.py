"""Is a metric rising or falling from period to period, and by how much?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wayfare.stats.intervals import Floats, Numbers, z_of


@dataclass(frozen=True, slots=True)
class Trend:
    """The median change a period, its interval, and the two-sided p value of no trend."""

    slope_per_period: float
    low: float
    high: float
    p: float


def mann_kendall_sen(values: Numbers, confidence: float = 0.95) -> Trend:
    """By how much does a metric change from one period to the next, and could it be chance?

    Sen's slope is the median of the slopes between all pairs of periods, so that one odd month doesn't
    carry it (Sen 1968, JASA 63); its interval and the Mann–Kendall test use the variance with ties and the
    continuity correction (Gilbert 1987, Statistical Methods for Environmental Pollution Monitoring, ch. 16).
    Both suppose independent periods: seasonal or autocorrelated metrics get p values that are too small.

    Args:
        values: One value a period, in order and evenly spaced; NaN where a period is missing.
        confidence: That of the interval.

    Returns:
        A `Trend`; NaN throughout where fewer than 3 periods are known.
    """
    array = np.asarray(values, dtype=float)
    period = np.flatnonzero(~np.isnan(array))
    z = z_of(confidence)
    if period.size < 3:
        return Trend(np.nan, np.nan, np.nan, np.nan)
    known = array[period]
    i, j = np.triu_indices(period.size, k=1)
    slopes = np.sort((known[j] - known[i]) / (period[j] - period[i]))
    score = float(np.sign(known[j] - known[i]).sum())
    spread = np.sqrt(_variance_of_score(known))
    low, high = _slope_limits(slopes, z * spread)
    return Trend(float(np.median(slopes)), low, high, _p_of_score(score, spread))


def _variance_of_score(values: Floats) -> float:
    n = values.size
    ties = np.unique(values, return_counts=True)[1]
    return float(n * (n - 1) * (2 * n + 5) - (ties * (ties - 1) * (2 * ties + 5)).sum()) / 18.0


def _p_of_score(score: float, spread: float) -> float:
    from scipy.special import ndtr

    if spread == 0.0:
        return 1.0
    return float(min(1.0, 2 * ndtr(-max(abs(score) - 1.0, 0.0) / spread)))


def _slope_limits(slopes: Floats, reach: float) -> tuple[float, float]:
    """The slopes at ranks (N − C) / 2 and (N + C) / 2 + 1, interpolated; NaN where there are too few pairs."""
    rank_low = (slopes.size - reach) / 2.0
    rank_high = (slopes.size + reach) / 2.0 + 1.0
    if rank_low < 1.0 or rank_high > slopes.size:
        return float("nan"), float("nan")
    ranks = np.arange(1, slopes.size + 1)
    return float(np.interp(rank_low, ranks, slopes)), float(np.interp(rank_high, ranks, slopes))
