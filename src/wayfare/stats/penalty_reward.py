"""Does a bad touchpoint hurt more than a good one pleases? Penalty–reward contrasts from ordinary ratings.

Overall = a + Σ (pᵢ · lowᵢ + rᵢ · highᵢ): what a low rating costs and a high one earns against a rating in
between (Brandt 1987; Mikulić & Prebežac 2008, Managing Service Quality 18, 559–576). Reviews call Kano
categories derived so questionable (Mikulić & Prebežac 2011, Managing Service Quality 21): keep them apart from
asked ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wayfare.errors import InvalidParameter
from wayfare.stats.intervals import Floats, Interval, Numbers
from wayfare.stats.moments import (
    check_identified,
    correlations,
    moments_of,
    slopes,
    solvable,
    whole_counts,
)
from wayfare.stats.resampling import percentile_interval

IMPACT_CLASSES = ("frustrator", "dissatisfier", "hybrid", "satisfier", "delighter")
"""By asymmetry, cut at −0.7, −0.2, 0.2 and 0.7 (Mikulić & Prebežac 2008)."""

THRESHOLDS = (-0.7, -0.2, 0.2, 0.7)

DERIVED_CATEGORIES = {
    "frustrator": "M",
    "dissatisfier": "M",
    "hybrid": "O",
    "satisfier": "A",
    "delighter": "A",
}
"""The Kano category that each class resembles; a `neutral` driver resembles I. Weaker than asking."""

# Fewer low (or high) ratings than this say nothing, and vanish from a bootstrap draw now and then.
_FEWEST = 5


@dataclass(frozen=True, slots=True, eq=False)
class PenaltyReward:
    """What a low rating of each driver costs, what a high one earns, and how unlike the two are.

    NaN where a driver can't be told, with the reason; without low ratings its reward may still be known. Impacts that point the wrong way (a low rating that
    pleases) count as none in range and asymmetry, which so lies between −1 and 1.

    Attributes:
        penalty: The change of the outcome where the driver is rated low, usually negative.
        reward: The change where it is rated high, usually positive.
        range: r + |p|: how much the driver matters at all.
        asymmetry: (r − |p|) / (r + |p|): −1 only hurts, 1 only pleases.
        penalty_interval: Percentile interval of the penalty.
        reward_interval: That of the reward.
        range_interval: That of the range.
        asymmetry_interval: That of the asymmetry.
        impact_class: An index of `IMPACT_CLASSES`; −1 where unknown.
        class_probability: Of each class over the draws, (k, 5).
        neutral: Whether neither interval of penalty and reward leaves out 0: nothing to be seen.
        low_n: How many rated it low.
        high_n: How many rated it high.
        reasons: What a driver lacks to be told in full; "" where nothing.
        r_squared: Of the regression.
        n: How many rows were used.
        left_out: How many were not, for a missing answer.
        draws: How many bootstrap draws could be used.
    """

    penalty: Floats
    reward: Floats
    range: Floats
    asymmetry: Floats
    penalty_interval: Interval
    reward_interval: Interval
    range_interval: Interval
    asymmetry_interval: Interval
    impact_class: npt.NDArray[np.int64]
    class_probability: Floats
    neutral: npt.NDArray[np.bool_]
    low_n: npt.NDArray[np.int64]
    high_n: npt.NDArray[np.int64]
    reasons: tuple[str, ...]
    r_squared: float
    n: int
    left_out: int
    draws: int


def penalty_reward(
    ratings: Numbers,
    outcome: Numbers,
    low: Numbers,
    high: Numbers,
    counts: npt.ArrayLike | None = None,
    names: Sequence[str] | None = None,
    *,
    draws: int = 1_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> PenaltyReward:
    """Which touchpoints only hurt when bad, and which only please when good?

    Args:
        ratings: One row a customer, one column a driver; NaN where missing.
        outcome: The overall rating, one a row.
        low: A rating at most this high is low; a number, or one a driver.
        high: A rating at least this high is high.
        counts: How many customers gave exactly this row; 1 each where not given.
        names: Of the drivers, for errors and reasons.
        draws: Of the bootstrap.
        confidence: That of the percentile intervals.
        seed: Of the draws.

    Raises:
        InvalidParameter: `low` is not below `high`, too few rows, an outcome that doesn't vary, or drivers
            whose low and high ratings always come together; which.
    """
    x, y, times, left_out = _complete(ratings, outcome, counts)
    bottom, top = _cuts(x.shape[1], low, high)
    labels = [f"driver {index}" for index in range(x.shape[1])] if names is None else list(names)
    bands = np.hstack([x <= bottom, x >= top]).astype(float)
    band_n, reasons, columns, told = _identified(times @ bands, int(times.sum()))
    if not told.any():
        raise InvalidParameter(
            f"No driver has low, middle and high ratings: {labels[0]}: {reasons[0]}.",
            where="low, high",
            hint="Set other cuts, or ask more customers.",
        )
    moments = moments_of(bands[:, columns], y, times, seed=seed)
    ends = [f"{label} rated {end}" for end in ("low", "high") for label in labels]
    total = moments.total()
    matrix = correlations(total)
    check_identified(matrix[0], moments.n, [end for end, is_in in zip(ends, columns, strict=True) if is_in])
    redrawn = moments.redrawn(draws, seed)
    redrawn = redrawn[solvable(correlations(redrawn))]
    point, drawn = (_spread_out(slopes(sums), columns, told) for sums in (total, redrawn))
    return _contrast(
        point,
        drawn,
        confidence,
        low_n=band_n[0],
        high_n=band_n[1],
        reasons=reasons,
        r_squared=float(matrix[0, :-1, -1] @ np.linalg.solve(matrix[0, :-1, :-1], matrix[0, :-1, -1])),
        n=moments.n,
        left_out=left_out,
    )


def impact_class(asymmetry: Numbers) -> npt.NDArray[np.int64]:
    """Which of `IMPACT_CLASSES` is a driver of this asymmetry? −1 where it is NaN."""
    values = np.asarray(asymmetry, dtype=float)
    # Cut so that ±0.2 are still hybrid, 0.7 still a satisfier and −0.7 still a dissatisfier.
    below = sum((values >= cut).astype(np.int64) for cut in THRESHOLDS[:2])
    above = sum((values > cut).astype(np.int64) for cut in THRESHOLDS[2:])
    return np.where(np.isnan(values), -1, below + above)


def _contrast(
    point: Floats,
    drawn: Floats,
    confidence: float,
    *,
    low_n: npt.NDArray[np.int64],
    high_n: npt.NDArray[np.int64],
    reasons: tuple[str, ...],
    r_squared: float,
    n: int,
    left_out: int,
) -> PenaltyReward:
    penalty, reward, reach, asymmetry = (part[0] for part in _indices(point))
    intervals = [percentile_interval(part, confidence) for part in _indices(drawn)]
    classes = impact_class(_indices(drawn)[3])
    share = np.stack([(classes == code).sum(axis=0) for code in range(len(IMPACT_CLASSES))], axis=-1)
    known = (classes >= 0).sum(axis=0)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        probability = np.where(known > 0, share / known, np.nan)
    seen = [(interval.low > 0) | (interval.high < 0) for interval in intervals[:2]]
    return PenaltyReward(
        penalty=penalty,
        reward=reward,
        range=reach,
        asymmetry=asymmetry,
        penalty_interval=intervals[0],
        reward_interval=intervals[1],
        range_interval=intervals[2],
        asymmetry_interval=intervals[3],
        impact_class=impact_class(asymmetry),
        class_probability=probability,
        neutral=~(seen[0] | seen[1]) & ~np.isnan(reach),
        low_n=low_n,
        high_n=high_n,
        reasons=reasons,
        r_squared=r_squared,
        n=n,
        left_out=left_out,
        draws=len(drawn),
    )


def _indices(slope: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Penalty, reward, range and asymmetry from the coefficients (..., 2k), low ones first."""
    k = slope.shape[-1] // 2
    penalty, reward = slope[..., :k], slope[..., k:]
    hurt, please = np.maximum(-penalty, 0.0), np.maximum(reward, 0.0)
    reach = hurt + please
    with np.errstate(divide="ignore", invalid="ignore"):
        asymmetry = np.where(reach > 0, (please - hurt) / reach, np.nan)
    return penalty, reward, reach, asymmetry


def _spread_out(slope: Floats, columns: npt.NDArray[np.bool_], told: npt.NDArray[np.bool_]) -> Floats:
    """Coefficients in their places among all columns, NaN where they can't be told."""
    full = np.full((len(slope), columns.size), np.nan)
    full[:, columns] = slope
    return np.where(told, full, np.nan)


def _identified(
    sums: Floats, n: int
) -> tuple[npt.NDArray[np.int64], tuple[str, ...], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Low and high counts (2, k), what a driver lacks, which columns enter, which coefficients mean something.

    Without a middle there is nothing to measure low and high against: the high column stays in as a control.
    """
    counts = np.vstack([sums.reshape(2, -1).astype(np.int64), np.zeros(sums.size // 2, dtype=np.int64)])
    counts[2] = n - counts[0] - counts[1]
    reasons = []
    for bands in counts.T.tolist():
        few = [
            f"{number} rated it {band}"
            for number, band in zip(bands, ("low", "high", "in the middle"), strict=True)
            if number < _FEWEST
        ]
        reasons.append(f"only {' and '.join(few)}, {_FEWEST} are needed" if few else "")
    varies = (counts[:2] >= _FEWEST) & (n - counts[:2] >= _FEWEST)
    middle = counts[2] >= _FEWEST
    columns = np.concatenate([varies[0] & middle, varies[1]])
    return counts[:2], tuple(reasons), columns, columns & np.tile(middle, 2)


def _complete(
    ratings: Numbers, outcome: Numbers, counts: npt.ArrayLike | None
) -> tuple[Floats, Floats, npt.NDArray[np.int64], int]:
    """The rows without a missing answer, how many customers each stands for, and how many are left out."""
    x, y = np.asarray(ratings, dtype=float), np.asarray(outcome, dtype=float)
    if x.ndim != 2 or not x.shape[1] or y.shape != x.shape[:1]:
        raise InvalidParameter(
            f"Ratings of shape {x.shape} and an outcome of shape {y.shape} don't fit together.",
            where="ratings, outcome",
            hint="Give one row a customer in both, and one column a driver.",
        )
    times = whole_counts(counts, len(y))
    known = ~(np.isnan(x).any(axis=1) | np.isnan(y))
    if known.all():
        return x, y, times, 0
    return x[known], y[known], times[known], int(times[~known].sum())


def _cuts(drivers: int, low: Numbers, high: Numbers) -> tuple[Floats, Floats]:
    bottom, top = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    if any(cut.shape not in {(), (drivers,)} for cut in (bottom, top)) or not (bottom < top).all():
        raise InvalidParameter(
            "The cut for low ratings is not below that for high ones.",
            where="low, high",
            hint="Give two numbers with a middle between them, such as 2 and 4 of 5, or two for each driver.",
        )
    return bottom, top
