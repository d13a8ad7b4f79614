"""How long does it take until something happens, when some are still waiting?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from wayfare.errors import InvalidParameter
from wayfare.stats.intervals import Floats, Interval, Numbers, checked_share, plain, same_shape, z_of

# A product of fractions that should be 0.5 can come out as 0.5000000000000001.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class SurvivalCurve:
    """The share for whom it hasn't happened yet, after each distinct duration.

    Attributes:
        times: The distinct durations, ascending, in the unit they came in.
        at_risk: How many were still waiting just before each.
        events: For how many it happened then.
        censored: How many were last seen waiting then.
        survival: The Kaplan–Meier share still waiting after it.
        low: The lower bound of the share, pointwise.
        high: The upper bound.
    """

    times: Floats
    at_risk: Floats
    events: Floats
    censored: Floats
    survival: Floats
    low: Floats
    high: Floats

    def at(self, time: Numbers) -> Any:
        """The share still waiting after `time`: 1 before the first duration, NaN beyond the last.

        Beyond the last duration it is 0 where the event came to all.
        """
        moment = np.asarray(time, dtype=float)
        values = np.append(self.survival, 1.0)[np.searchsorted(self.times, moment, side="right") - 1]
        last = self.times[-1] if self.times.size else -np.inf
        ended = self.survival[-1] == 0.0 if self.times.size else False
        return plain(np.where((moment > last) & (not ended), np.nan, values))

    def quantile(self, q: float) -> float:
        """The first duration after which at least the share `q` is through; NaN where it is never reached.

        The median waiting time is `quantile(0.5)`.
        """
        return self._first_at_or_below(self.survival, q)

    def quantile_interval(self, q: float) -> Interval:
        """Between which durations the true quantile lies; NaN on a side that the data don't bound.

        Brookmeyer & Crowley (1982, Biometrics 38) on the log-log scale: the durations whose interval for the
        share holds 1 − q.
        """
        return Interval(self._first_at_or_below(self.low, q), self._first_at_or_below(self.high, q))

    def _first_at_or_below(self, shares: Floats, q: float) -> float:
        reached = np.flatnonzero(shares <= 1.0 - checked_share(q) + _ROUNDING)
        return float(self.times[reached[0]]) if reached.size else float("nan")


@dataclass(frozen=True, slots=True)
class LogRank:
    """The log-rank test of equal waiting times: χ², its degrees of freedom, and the p value."""

    statistic: float
    degrees_of_freedom: int
    p: float


def kaplan_meier(
    durations: Numbers, observed: Numbers, weights: Numbers | None = None, confidence: float = 0.95
) -> SurvivalCurve:
    """What share is still waiting after each duration, counting those who left the record while waiting?

    The product-limit estimate (Kaplan & Meier 1958, JASA 53), Greenwood's variance, and pointwise intervals
    on the log-log scale (Kalbfleisch & Prentice 2002, section 1.4). At a tie, events come before censorings.
    Once the share is 0, its lower bound is 0 and its upper bound is the last one known.

    Args:
        durations: How long each waited, not negative, any unit.
        observed: Whether it happened (true) or the record ended first (false).
        weights: How many customers each row stands for; 1 each where not given.
        confidence: That of the intervals.

    Raises:
        InvalidParameter: durations are negative or unknown, or the arrays differ in length.
    """
    times, events, censored = _table(durations, observed, weights)
    at_risk = _at_risk(events + censored)
    stay = at_risk - events
    survival = np.cumprod(stay / at_risk, dtype=np.float64)
    low, high = _log_log_limits(survival, events, at_risk, z_of(confidence))
    return SurvivalCurve(times, at_risk, events, censored, survival, low, high)


def log_rank(groups: Sequence[tuple[Any, ...]]) -> LogRank:
    """Do these groups wait equally long?

    The log-rank test with the hypergeometric variance (Mantel 1966; Peto & Peto 1972, JRSS A 135).

    Args:
        groups: For each group its durations and observed flags, and optionally its weights.

    Returns:
        A `LogRank`. p is NaN, and the degrees of freedom 0, where fewer than two groups are ever compared.

    Raises:
        InvalidParameter: durations are negative or unknown, or a group's arrays differ in length.
    """
    tables = [_table(*group) for group in groups]
    times = np.unique(np.concatenate([table[0] for table in tables])) if tables else np.empty(0)
    events = np.zeros((len(tables), times.size))
    leaving = np.zeros_like(events)
    for row, (own_times, own_events, own_censored) in enumerate(tables):
        columns = np.searchsorted(times, own_times)
        events[row, columns] = own_events
        leaving[row, columns] = own_events + own_censored
    return _log_rank_of(events, _at_risk(leaving))


def _log_rank_of(events: Floats, at_risk: Floats) -> LogRank:
    from scipy.special import chdtrc

    total, deaths = at_risk.sum(axis=0), events.sum(axis=0)
    compared = (deaths > 0) & (total > 1)
    total, deaths, events = total[compared], deaths[compared], events[:, compared]
    share = at_risk[:, compared] / total
    surplus = (events - deaths * share).sum(axis=1)
    scale = deaths * (total - deaths) / (total - 1)
    covariance = np.diag((scale * share).sum(axis=1)) - (scale * share) @ share.T
    # A group that never meets another in the risk set has no variance and compares nothing.
    meets = np.diag(covariance) > 0
    degrees = max(int(meets.sum()) - 1, 0)
    if degrees == 0:
        return LogRank(0.0, 0, float("nan"))
    surplus, covariance = surplus[meets][:-1], covariance[np.ix_(meets, meets)][:-1, :-1]
    statistic = float(surplus @ np.linalg.pinv(covariance, hermitian=True) @ surplus)
    return LogRank(statistic, degrees, float(chdtrc(degrees, statistic)))


def _table(
    durations: Numbers, observed: Numbers, weights: Numbers | None = None
) -> tuple[Floats, Floats, Floats]:
    """The distinct durations with the events and the censorings at each."""
    waited, happened = np.asarray(durations, dtype=float), np.asarray(observed, dtype=bool)
    weight = np.ones(waited.shape) if weights is None else np.asarray(weights, dtype=float)
    same_shape("durations", waited, happened, weight)
    present = weight > 0
    waited, happened, weight = waited[present], happened[present], weight[present]
    _check_durations(waited)
    times, index = np.unique(waited, return_inverse=True)
    events = np.bincount(index, weights=weight * happened, minlength=times.size).astype(float)
    censored = np.bincount(index, weights=weight * ~happened, minlength=times.size).astype(float)
    return times, events, censored


def _check_durations(waited: npt.NDArray[np.float64]) -> None:
    if waited.size and not (waited >= 0).all():
        wrong = waited[~(waited >= 0)][0]
        raise InvalidParameter(
            f"A duration of {wrong} can't be used.",
            where="durations",
            hint="Give durations of 0 or more; leave out those who never started.",
        )


def _at_risk(leaving: Floats) -> Floats:
    return np.cumsum(leaving[..., ::-1], axis=-1)[..., ::-1]


def _log_log_limits(survival: Floats, events: Floats, at_risk: Floats, z: float) -> tuple[Floats, Floats]:
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(events / (at_risk * (at_risk - events)))
        log_survival = np.log(survival)
        spread = z * np.sqrt(greenwood) / np.abs(log_survival)
        low = np.exp(log_survival * np.exp(spread))
        high = np.exp(log_survival * np.exp(-spread))
    untouched, ended = survival >= 1.0, survival <= 0.0
    low = np.where(untouched, 1.0, np.where(ended, 0.0, low))
    high = np.where(untouched, 1.0, np.where(ended, np.nan, high))
    if ended.any():
        before = high[~ended]
        high = np.where(ended, before[-1] if before.size else 1.0, high)
    return low, high
