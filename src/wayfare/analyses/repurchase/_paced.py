"""A re-purchase model in calendar time: on its own clock where a season or trend is known, in plain weeks otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses.repurchase._order_days import Summary

if TYPE_CHECKING:
    from wayfare.stats.btyd.calendar import Calendar
    from wayfare.stats.btyd.count_model import CountModel

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Paced:
    """A fitted model and the clock that it was fitted on; spans of time are given in weeks.

    Attributes:
        model: Fitted on recencies and ages on the clock.
        calendar: The clock; None for plain weeks.
    """

    model: CountModel
    calendar: Calendar | None = None

    def elapsed(self, start: Any, end: Any) -> Any:
        """The clock's time between two moments, in weeks since 1970."""
        return self.calendar.elapsed(start, end) if self.calendar else np.asarray(end) - start

    def table(self, summary: Summary) -> dict[str, Floats]:
        """A summary as the model reads it."""
        return table_on(self.calendar, summary)

    def ahead(self, summary: Summary, weeks: float) -> float:
        """The clock's time in the next weeks after the summary."""
        return (
            float(self.calendar.elapsed(summary.end, summary.end + weeks)) if self.calendar else float(weeks)
        )

    def alive(self, summary: Summary) -> Floats:
        """The chance that each has not left."""
        return self.model.predict_alive(self.table(summary))

    def orders(self, summary: Summary, weeks: float) -> Floats:
        """Expected orders of each in the next weeks."""
        return self.model.predict_orders(self.table(summary), self.ahead(summary, weeks))

    def buy(self, summary: Summary, weeks: float) -> Floats:
        """The chance of each to order in the next weeks."""
        return self.model.predict_buy(self.table(summary), self.ahead(summary, weeks))

    def wait(self, summary: Summary, quantiles: Sequence[float]) -> Floats:
        """Weeks until the chance of another order reaches each of the quantiles, infinite where it doesn't."""
        waits = self.model.predict_next(self.table(summary), quantiles)
        if self.calendar is None:
            return waits
        known = np.isfinite(waits)
        return np.where(
            known, self.calendar.after(summary.end, np.where(known, waits, 0.0)) - summary.end, np.inf
        )


def table_on(calendar: Calendar | None, summary: Summary) -> dict[str, Floats]:
    """Frequencies, recencies and ages, the latter on a clock."""
    if calendar is None:
        return {"frequency": summary.frequency, "recency": summary.recency, "age": summary.age}
    last = summary.first + summary.recency
    return {
        "frequency": summary.frequency,
        "recency": np.where(summary.frequency > 0, calendar.elapsed(summary.first, last), 0.0),
        "age": np.asarray(calendar.elapsed(summary.first, np.full(len(last), summary.end))),
    }
