"""What the user gave a forecast beside the orders: a known calendar, covariates, how parameters are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wayfare.analyses.repurchase._forecast_traits import Traits
from wayfare.errors import InvalidParameter

if TYPE_CHECKING:
    from wayfare.stats.btyd.calendar import Calendar

_MONTHS = 12
_YEARS = 51


@dataclass(frozen=True, eq=False)
class Given:
    """What holds for every model that is tried.

    Attributes:
        months: The relative rate of each month, January first, of mean 1; empty where no calendar is known.
        traits: Covariates; None without.
        method: How parameters are drawn: laplace or bootstrap.
    """

    months: tuple[float, ...] = ()
    traits: Traits | None = None
    method: str = "laplace"

    def clock(self, origin: int) -> Calendar:
        """The known calendar from the month of a day (its number since 1970) on, in weeks since 1970."""
        from wayfare.stats.btyd import Calendar

        start = np.datetime64(origin, "D").astype("datetime64[M]")
        months = start + np.arange(_YEARS * _MONTHS + 1)
        # A day counts as the moment in its middle, so that months change half a day before their first.
        edges = (months.astype("datetime64[D]").astype(np.int64) - 0.5) / 7
        return Calendar.of_rates(edges, np.array(self.months)[months[:-1].astype(np.int64) % _MONTHS])


NOTHING = Given()


def months_of(calendar: Sequence[float], model: str, calendars: Sequence[str]) -> tuple[float, ...]:
    """The months' multipliers with a mean of 1.

    Raises:
        InvalidParameter: there are not twelve, one is not above 0, or the model takes no calendar.
    """
    if not calendar:
        return ()
    rates = np.asarray(calendar, dtype=float)
    if len(rates) != _MONTHS or not (np.isfinite(rates) & (rates > 0)).all():
        raise InvalidParameter(
            f"{len(rates)} numbers are no calendar."
            if len(rates) != _MONTHS
            else "A calendar's multipliers must be above 0.",
            where="calendar",
            hint="Give twelve numbers above 0, January first, such as 1,1,1,1,1,1,0.8,0.8,1,1,1.3,1.9.",
        )
    if model not in ("best", *calendars):
        raise InvalidParameter(
            f"{model} takes no calendar.", where="model", allowed=("best", *calendars), hint="Leave one out."
        )
    return tuple((rates / rates.mean()).tolist())
