"""A re-purchase model in calendar time: on its own clock where a season or trend is known, in plain weeks otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses._order_days import Summary

if TYPE_CHECKING:
    from wayfare.analyses.repurchase._forecast_traits import Traits
    from wayfare.stats.btyd.calendar import Calendar
    from wayfare.stats.btyd.count_model import CountModel

Floats = NDArray[np.float64]
Known = dict[str, dict[str, Floats]]

MOST_DRAWS = 40
"""How many draws of the parameters a bootstrap gives, as each is a fit."""


@dataclass(frozen=True, eq=False)
class Kinds:
    """Kinds of customer.

    Attributes:
        table: As the model reads it, a row a kind.
        known: Their covariates.
        first: For each kind the place of a customer of it.
        of: For each customer its kind.
    """

    table: dict[str, Floats]
    known: Known
    first: NDArray[np.intp]
    of: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.first)

    def added(self, values: Floats) -> Floats:
        """Sums over the customers of each kind."""
        return np.bincount(self.of, weights=values, minlength=len(self)).astype(float)


@dataclass(frozen=True, eq=False)
class Paced:
    """A fitted model and the clock that it was fitted on; spans of time are given in weeks.

    Attributes:
        model: Fitted on recencies and ages on the clock.
        calendar: The clock; None for plain weeks.
        traits: The covariates that it was fitted with; None without.
        method: How parameters are drawn: laplace or bootstrap.
    """

    model: CountModel
    calendar: Calendar | None = None
    traits: Traits | None = None
    method: str = "laplace"

    def elapsed(self, start: Any, end: Any) -> Any:
        """The clock's time between two moments, in weeks since 1970."""
        return self.calendar.elapsed(start, end) if self.calendar else np.asarray(end) - start

    def table(self, summary: Summary) -> dict[str, Floats]:
        """A summary as the model reads it."""
        return table_on(self.calendar, summary)

    def known(self, summary: Summary) -> Known:
        """The covariates of a summary's customers, as the model's predictions take them."""
        return known_of(self.traits, summary)

    def effects(self, summary: Summary) -> list[Floats]:
        """What the covariates of each customer come to, for the rate and for the drop-out; nothing without covariates."""
        params = self.model.params_
        return [
            np.sum([params[f"{kind}_{name}"] * values for name, values in told.items()], axis=0)
            for kind, told in self.known(summary).items()
        ]

    def kinds(self, summary: Summary, *further: Floats, age: Floats | None = None) -> Kinds:
        """Customers alike in repeat orders, age and covariates, as if they had just ordered: recency matters to P(alive) alone."""
        from wayfare.stats.btyd.summary import groups

        own, known = self.table(summary), self.known(summary)
        age = own["age"] if age is None else age
        first, kind = groups(own["frequency"], age, *further, *self.effects(summary))
        x, age = own["frequency"][first], age[first]
        return Kinds(
            {"frequency": x, "recency": np.where(x > 0, age, 0.0), "age": age},
            {name: {n: values[first] for n, values in told.items()} for name, told in known.items()},
            first,
            kind,
        )

    def draws(self, count: int) -> Floats:
        """Parameters that the orders could as well have come from, a draw a row."""
        if self.method == "bootstrap":
            return self._resampled[:count]
        return self.model.draws(count, seed=5)

    @cached_property
    def _resampled(self) -> Floats:
        return self.model.draws(MOST_DRAWS, seed=5, method="bootstrap")

    def ahead(self, summary: Summary, weeks: float) -> float:
        """The clock's time in the next weeks after the summary."""
        return (
            float(self.calendar.elapsed(summary.end, summary.end + weeks)) if self.calendar else float(weeks)
        )

    def alive(self, summary: Summary) -> Floats:
        """The chance that each has not left."""
        return self.model.predict_alive(self.table(summary), **self.known(summary))

    def orders(self, summary: Summary, weeks: float) -> Floats:
        """Expected orders of each in the next weeks."""
        ahead = self.ahead(summary, weeks)
        return self.model.predict_orders(self.table(summary), ahead, **self.known(summary))

    def by_week(self, summary: Summary, weeks: int, worth: Floats) -> tuple[Floats, Floats]:
        """Expected orders of all customers in each of the next weeks, and what they are worth.

        Args:
            summary: Whose.
            weeks: How many weeks.
            worth: What an order of each customer is worth.
        """
        kinds, alive = self.kinds(summary), self.alive(summary)
        each = np.column_stack([kinds.added(alive), kinds.added(alive * worth)])
        theta, rows = self.model._read(kinds.table, kinds.known.get("rate"), kinds.known.get("dropout"))
        until = [
            self.model._orders(
                theta, rows.frequency, rows.age, np.asarray(self.ahead(summary, week), dtype=float)
            )
            @ each
            for week in range(1, weeks + 1)
        ]
        orders, value = np.diff(np.array(until), axis=0, prepend=0.0).T
        return orders, value

    def buy(self, summary: Summary, weeks: float) -> Floats:
        """The chance of each to order in the next weeks."""
        ahead = self.ahead(summary, weeks)
        return self.model.predict_buy(self.table(summary), ahead, **self.known(summary))

    def wait(self, summary: Summary, quantiles: Sequence[float]) -> Floats:
        """Weeks until the chance of another order reaches each of the quantiles, infinite where it doesn't."""
        waits = self.model.predict_next(self.table(summary), quantiles, **self.known(summary))
        if self.calendar is None:
            return waits
        known = np.isfinite(waits)
        return np.where(
            known, self.calendar.after(summary.end, np.where(known, waits, 0.0)) - summary.end, np.inf
        )


def simulated(model: CountModel, table: dict[str, Floats], known: Known, ahead: float, seed: int) -> Floats:
    """Orders that each customer might place within a time on the clock."""
    theta, rows = model._read(table, known.get("rate"), known.get("dropout"))
    return model._simulate(theta, rows, ahead, np.random.default_rng(seed))


def known_of(traits: Traits | None, summary: Summary) -> Known:
    """Covariates of the rate and of the drop-out: the same ones; nothing where there are none."""
    found = traits.at(summary) if traits else {}
    return {"rate": found, "dropout": found} if found else {}


def table_on(calendar: Calendar | None, summary: Summary) -> dict[str, Floats]:
    """Frequencies, recencies and ages, the latter on a clock."""
    if calendar is None:
        return {"frequency": summary.frequency, "recency": summary.recency, "age": summary.age}
    if not len(summary.first):
        return {name: np.zeros(0) for name in ("frequency", "recency", "age")}
    # Customers are many and days few: the clock is read once a day.
    first, last = (
        np.rint(7 * moment).astype(np.int64) for moment in (summary.first, summary.first + summary.recency)
    )
    origin = first.min()
    clock = calendar.at(np.arange(origin, round(7 * summary.end) + 1) / 7)
    begun = clock[first - origin]
    return {
        "frequency": summary.frequency,
        "recency": np.where(summary.frequency > 0, clock[last - origin] - begun, 0.0),
        "age": clock[-1] - begun,
    }
