"""How far off the same forecast would have been, made earlier: the rolling origins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wayfare.analyses._order_days import Buyers
from wayfare.analyses.repurchase._candidates import CALENDAR, ENOUGH, Candidate, fit
from wayfare.analyses.repurchase._forecast_given import NOTHING, Given

EARLIER = 3
"""How many origins before the holdout's."""

SHORTEST_RECORD = 364
"""Days of record that an origin needs."""


@dataclass(frozen=True)
class Miss:
    """What a forecast from an earlier day said of the total, and what came."""

    expected: float
    actual: float


def earlier_errors(name: str, judge: Candidate | None, buyers: Buyers, given: Given = NOTHING) -> list[Miss]:
    """The misses of the model called `name`, the latest origin first: that of the holdout, and those before."""
    if judge is None:
        return []
    found = [_miss(buyers, buyers.before, float(judge.expected.sum()))]
    for cut in range(buyers.before - 1, -1, -1):
        summary = buyers.at(cut)
        if summary.repeaters < ENOUGH:
            break
        # A season can't be told from a short record. A forecast without one says how far off this one may be only
        # where none with one is there to say it.
        model = fit(name, buyers, cut, given=given)
        if name in CALENDAR and not model.seasonal:
            if len(found) > 1:
                break
            model = fit(name.removesuffix(" with calendar"), buyers, cut, given=given)
        if model.paced:
            weeks = (buyers.cuts[cut + 1] - buyers.cuts[cut]) / 7
            found.append(_miss(buyers, cut, float(model.paced.orders(summary, weeks).sum())))
    return found


def _miss(buyers: Buyers, cut: int, expected: float) -> Miss:
    known = buyers.days[:, cut] > 0
    return Miss(expected, float(np.sum(buyers.days[known, cut + 1] - buyers.days[known, cut])))
