"""What is at stake with unhappy customers: how much less they order again, and what an order again is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses.kano._respondents import Sample
from wayfare.stats.proportions import wilson

ENOUGH = 10
"""Customers on either side, in all; under it the difference is too few to say."""
_FEWEST = 5
_BANDS = (0.5, 1.5, 3.5)
_Z = 1.959964


@dataclass(frozen=True)
class Stake:
    """What is known of those who are unhappy with a feature.

    Attributes:
        rated: Who rated it.
        unhappy: Of those, who rated it below the middle of the scale, by the latest rating.
        low: Lower end of the 95% interval of their share.
        high: Upper end.
        difference: How much more of the others ordered again within the window, at equal numbers of orders before.
        difference_low: Lower end of its 95% interval.
        difference_high: Upper end.
        value: Money: unhappy × difference × what who orders again orders within the window.
        value_low: Lower end of its 95% interval.
        value_high: Upper end.
    """

    rated: int
    unhappy: int
    low: float = np.nan
    high: float = np.nan
    difference: float = np.nan
    difference_low: float = np.nan
    difference_high: float = np.nan
    value: float = np.nan
    value_low: float = np.nan
    value_high: float = np.nan


def stake_of(sample: Sample, place: int, margin: float, *, has_value: bool) -> Stake:
    """What is at stake with one rated question."""
    scores, rated = sample.now[:, place], sample.rated[place]
    n, unhappy = int((~np.isnan(scores)).sum()), int(rated.unhappy(scores).sum())
    share = wilson(unhappy, n)
    difference, error = _difference(sample, place)
    if np.isnan(difference):
        return Stake(n, unhappy, share.low, share.high)
    ends = (difference, difference - _Z * error, difference + _Z * error)
    worth, spread = _worth(sample) if has_value else (np.nan, np.nan)
    # The product of two independent estimates: first-order variance.
    half = _Z * float(np.hypot(worth * error, difference * spread))
    money = [
        unhappy * margin * part
        for part in (worth * difference, worth * difference - half, worth * difference + half)
    ]
    return Stake(n, unhappy, share.low, share.high, *ends, *money)


def _difference(sample: Sample, place: int) -> tuple[float, float]:
    """The share of the content less that of the unhappy who ordered again, in bands of orders before, weighted as the unhappy."""
    scores = sample.then[:, place]
    known = sample.over & ~np.isnan(scores)
    low = sample.rated[place].unhappy(scores)
    if min((known & low).sum(), (known & ~low).sum()) < ENOUGH:
        return np.nan, np.nan
    band = np.searchsorted(_BANDS, sample.orders)
    total, variance, weights = 0.0, 0.0, 0.0
    for number in np.unique(band[known & low]):
        sides = [sample.again[known & (band == number) & side] for side in (low, ~low)]
        if min(len(side) for side in sides) < _FEWEST:
            continue
        weight = len(sides[0])
        total += weight * float(sides[1].mean() - sides[0].mean())
        variance += weight**2 * sum(_variance(side) for side in sides)
        weights += weight
    return (total / weights, float(np.sqrt(variance)) / weights) if weights else (np.nan, np.nan)


def _variance(hits: NDArray[np.bool_]) -> float:
    """Of a share, with one hit and one miss added, so that all or none is not certainty (Agresti & Caffo 2000)."""
    n = len(hits) + 2
    share = (hits.sum() + 1) / n
    return float(share * (1 - share) / n)


def _worth(sample: Sample) -> tuple[float, float]:
    """The mean value ordered within the window by those who did order, and its standard error."""
    values = sample.value[sample.over & sample.again]
    if len(values) < 2:
        return np.nan, np.nan
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
