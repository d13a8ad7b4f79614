"""Who has been silent for longer than somebody of the same orders would be, were he or she still a customer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses._order_days import WEEK, Buyers

if TYPE_CHECKING:
    from wayfare.analyses.repurchase._paced import Paced

Floats = NDArray[np.float64]

_STEPS = 48
_LONGEST = 52.18 * 50


@dataclass(frozen=True, eq=False)
class Lateness:
    """The repeat customers of some day and how overdue each is; (repeaters,) each.

    Attributes:
        who: Their places in `Buyers`.
        frequency: Repeat orders.
        recency: Weeks from the first order to the last.
        silence: Weeks since the last.
        last: Week since 1970 of the last order.
        overdue: The chance that one still a customer would have ordered by now.
        late: Whether that chance is high enough.
    """

    who: NDArray[np.int64]
    frequency: Floats
    recency: Floats
    silence: Floats
    last: Floats
    overdue: Floats
    late: NDArray[np.bool_]

    @property
    def gap_days(self) -> Floats:
        """Mean days between orders."""
        return self.recency * WEEK / self.frequency


def lateness_at(buyers: Buyers, cut: int, paced: Paced | None, late: float) -> Lateness:
    """How overdue each repeat customer is at cut number `cut`."""
    summary = buyers.at(cut)
    again = summary.frequency > 0
    frequency, recency = summary.frequency[again], summary.recency[again]
    silence = summary.age[again] - recency
    last = summary.first[again] + recency
    overdue = _overdue(paced, frequency, recency, last, silence)
    return Lateness(summary.who[again], frequency, recency, silence, last, overdue, overdue >= late)


def due_days(paced: Paced | None, lateness: Lateness, chosen: NDArray[np.int64], late: float) -> Floats:
    """Days after the last order at which each of the chosen became late: the chance reaches `late`, by bisection."""
    frequency, recency, last = lateness.frequency[chosen], lateness.recency[chosen], lateness.last[chosen]
    if paced is None:
        return recency * np.expm1(-np.log1p(-late) / frequency) * WEEK
    low, high = np.zeros(len(chosen)), np.full(len(chosen), np.log1p(_LONGEST))
    for _ in range(_STEPS):
        middle = (low + high) / 2
        reached = _overdue(paced, frequency, recency, last, np.expm1(middle)) >= late
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return np.expm1(high) * WEEK


def _overdue(
    paced: Paced | None, frequency: Floats, recency: Floats, last: Floats, silence: Floats
) -> Floats:
    """The chance of an order within the silence, for one who was a customer at the last order.

    Without a model, from the customer's own gaps alone: exponential, with a flat prior for the log of their mean.
    """
    if not len(frequency):
        return np.zeros(0)
    if paced is None:
        return np.asarray(-np.expm1(-frequency * np.log1p(silence / recency)))
    before = np.asarray(paced.elapsed(last - recency, last)) if paced.calendar else recency
    then = {"frequency": frequency, "recency": before, "age": before}
    since = np.asarray(paced.elapsed(last, last + silence)) if paced.calendar else silence
    return np.asarray(
        paced.model.predict_buy(then, since) / np.maximum(paced.model.predict_alive(then), 1e-12)
    )
