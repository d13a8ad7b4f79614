"""Time-driven activity-based costing: what a minute costs, how much of a capacity was used, what lies idle.

Kaplan and Anderson, *Time-Driven Activity-Based Costing*, Harvard Business Review, November 2004. Days are numbered
since 1970-01-01, and a span holds its first and its last day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from wayfare.stats.intervals import checked_share
from wayfare.stats.quantiles import BUCKETS, bucket_of, seconds_of

_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_FINE = 1000.0
"""Buckets begin at one; money is counted in thousandths, so that they begin at a thousandth of the currency."""


@dataclass(frozen=True, slots=True)
class Resource:
    """What a capacity cost and what became of it; `traced + unused` is the cost.

    Attributes:
        cost: What was paid: the capacity at its rate, or the minutes used where those are more.
        traced: The minutes used at the rate.
        unused: The capacity that nobody used at the rate.
        share: Minutes used of the capacity; above 1 is an overload; nan without capacity.
        idle: Minutes of the capacity that nobody used.
        overload: Minutes used beyond the capacity.
    """

    cost: float
    traced: float
    unused: float
    share: float
    idle: float
    overload: float


def resource(used: float, capacity: float, rate: float) -> Resource:
    """What became of `capacity` minutes at `rate` money a minute, of which `used` were needed?

    Unused capacity stands apart and is never spread over what was made (Kaplan and Anderson 2004). Minutes beyond the
    capacity are priced at the same rate, as if they had been bought.
    """
    idle, overload = max(capacity - used, 0.0), max(used - capacity, 0.0)
    share = used / capacity if capacity > 0 else float("nan")
    return Resource(max(used, capacity) * rate, used * rate, idle * rate, share, idle, overload)


def overlapping_share(since: int, to: int, first: int, last: int) -> float:
    """Which share of the days from `since` to `to` lies within those from `first` to `last`?"""
    shared = min(to, last) - max(since, first) + 1
    return max(shared, 0) / max(to - since + 1, 1)


def over_span(amount: float, per: Literal["month", "quarter", "year"], first: int, last: int) -> float:
    """How much is `amount` a calendar month, quarter or year over the days from `first` to `last`?

    A period that lies partly within the span counts with the share of its days that do; none where `last` is before `first`.
    """
    if last < first:
        return 0.0
    length = _MONTHS[per]
    days = np.array([first, last]).astype("datetime64[D]")
    low, high = (int(month) // length for month in days.astype("datetime64[M]").astype(np.int64))
    edges = (
        (np.arange(low, high + 2) * length).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    )
    shared = np.minimum(edges[1:] - 1, last) - np.maximum(edges[:-1], first) + 1
    return float(amount * (shared / np.diff(edges)).sum())


def money_counts(money: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Amounts of money, losses below zero, counted in buckets that add up (2 · BUCKETS − 1,); nan is left out.

    The middle bucket holds what is less than a thousandth on either side of zero; amounts up to four million are told
    apart to within 0.4%.
    """
    known = money[~np.isnan(money)]
    place = np.sign(known).astype(np.int64) * bucket_of(np.abs(known) * _FINE) + (BUCKETS - 1)
    return np.bincount(place, minlength=2 * BUCKETS - 1)


def money_quantile(counts: npt.ArrayLike, q: float) -> float:
    """The q-quantile of amounts counted by `money_counts`, interpolated as NumPy does; nan without any.

    Raises:
        InvalidParameter: `q` is not between 0 and 1.
    """
    cumulated = np.cumsum(np.asarray(counts))
    position = max(int(cumulated[-1]) - 1, 0) * checked_share(q)
    if cumulated[-1] == 0:
        return float("nan")
    below, above = np.searchsorted(cumulated, [np.floor(position), np.ceil(position)], side="right")
    low, high = _money_of(below), _money_of(above)
    return low + (position - float(np.floor(position))) * (high - low)


def _money_of(place: Any) -> float:
    signed = int(place) - (BUCKETS - 1)
    return float(np.sign(signed) * seconds_of(abs(signed))) / _FINE
