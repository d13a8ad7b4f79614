"""What a forecast is told from: the models that were tried, the chosen one, and the weeks as it sees them."""

from __future__ import annotations

from dataclasses import dataclass

from wayfare.analyses.repurchase._candidates import Candidate
from wayfare.analyses.repurchase._order_days import Buyers, Summary
from wayfare.analyses.repurchase._outlook import Outlook, Season
from wayfare.analyses.repurchase._worth import Worth
from wayfare.study import Study


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
        ahead: The weeks ahead.
        before: The holdout's weeks as they were forecast; None without one.
        season: The weeks so far against the final model.
        season_then: The same at the holdout's start.
        confidence: Of the intervals of totals and weeks.
    """

    study: Study
    buyers: Buyers
    weeks: int
    held_out: int
    candidates: tuple[Candidate, ...]
    chosen: Candidate | None
    worth: Worth
    ahead: Outlook | None
    before: Outlook | None
    season: Season | None
    season_then: Season | None
    confidence: float

    @property
    def earlier(self) -> Summary:
        """What was known at the holdout's start."""
        return self.buyers.at(self.buyers.before)

    @property
    def judge(self) -> Candidate | None:
        """The chosen kind of model as it was fitted before the holdout."""
        return next(
            (c for c in self.candidates if self.chosen and c.name == self.chosen.name and len(c.expected)),
            None,
        )
