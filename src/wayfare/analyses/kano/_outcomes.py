"""What came after an answer: another order, or leaving."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses.kano._respondents import Sample

AGAIN, GONE, OVERALL = "re-purchase", "leaving", "overall satisfaction"
EVENTS = 10
"""Of each kind of outcome, so many are needed for a regression."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Outcome:
    """Something that came after the answer.

    Attributes:
        name: What it is called.
        known: Of whom it is known (respondents,).
        happened: Whether it did within the window (respondents,).
        days: Days until it did, or until the log's end (respondents,).
        ever: Whether it did by the log's end (respondents,).
    """

    name: str
    known: Bools
    happened: Bools
    days: Floats
    ever: Bools

    @property
    def enough(self) -> bool:
        """Whether a regression can say anything."""
        hits = int(self.happened[self.known].sum())
        return min(hits, int(self.known.sum()) - hits) >= EVENTS


def outcomes_of(sample: Sample, leaving: Sequence[str]) -> list[Outcome]:
    """Leaving where the log has an event that says so; re-purchase, unless it is a log without orders of that kind."""
    gone = [(GONE, sample.gone, sample.left)] if leaving else []
    orders = bool(sample.orders.any() or (~np.isnan(sample.wait)).any())
    kinds = [*([(AGAIN, sample.again, sample.wait)] if orders or not gone else []), *gone]
    return [
        Outcome(name, sample.over, happened, np.where(np.isnan(days), sample.watched, days), ~np.isnan(days))
        for name, happened, days in kinds
    ]
