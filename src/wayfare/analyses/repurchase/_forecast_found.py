"""What a forecast is told from: the models that were tried, the chosen one, and the weeks as it sees them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses._order_days import Buyers, Summary
from wayfare.analyses.repurchase._candidates import Candidate
from wayfare.analyses.repurchase._forecast_given import Given
from wayfare.analyses.repurchase._holdout import actual_orders
from wayfare.analyses.repurchase._outlook import Outlook, Season
from wayfare.analyses.repurchase._worth import Worth
from wayfare.study import Study

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Expected:
    """Of each customer: the chance of not having left, orders within the horizon, the chance of one or more."""

    alive: Floats
    orders: Floats
    buy: Floats


@dataclass(frozen=True, eq=False)
class Forecast:
    """All that the tables and the findings are made of.

    Attributes:
        study: Whose.
        buyers: What each customer ordered.
        weeks: The horizon.
        held_out: The holdout's weeks; 0 without one.
        candidates: The models that were tried, in a fixed order.
        chosen: The model on all orders; None where none could be fitted.
        worth: What orders are worth, on all orders.
        given: What the user gave beside the orders.
        confidence: Of the intervals of totals and weeks.
        ahead: The weeks ahead; None where no model could be fitted.
        before: The holdout's weeks as they were forecast; None without one.
        season: The weeks so far against the final model.
        season_then: The same at the holdout's start.
    """

    study: Study
    buyers: Buyers
    weeks: int
    held_out: int
    candidates: tuple[Candidate, ...]
    chosen: Candidate | None
    worth: Worth
    given: Given
    confidence: float
    ahead: Outlook | None = None
    before: Outlook | None = None
    season: Season | None = None
    season_then: Season | None = None

    @cached_property
    def summary(self) -> Summary:
        """What is known today."""
        return self.buyers.at()

    @cached_property
    def expected(self) -> Expected:
        """What the chosen model says of each customer."""
        assert self.chosen
        assert self.chosen.paced
        paced, weeks = self.chosen.paced, float(self.weeks)
        return Expected(
            paced.alive(self.summary), paced.orders(self.summary, weeks), paced.buy(self.summary, weeks)
        )

    @cached_property
    def earlier(self) -> Summary:
        """What was known at the holdout's start."""
        return self.buyers.at(self.buyers.before)

    @cached_property
    def came(self) -> Floats:
        """The holdout's orders of each customer known at its start."""
        return actual_orders(self.buyers, self.earlier)

    @property
    def judge(self) -> Candidate | None:
        """The chosen kind of model as it was fitted before the holdout."""
        return next(
            (c for c in self.candidates if self.chosen and c.name == self.chosen.name and len(c.expected)),
            None,
        )
