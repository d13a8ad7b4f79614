"""What a part of the log holds: how many customers, from when to when, and how often each event."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wayfare.histories.block import Block
from wayfare.histories.fold import Fold

_NEVER = np.iinfo(np.int64)


@dataclass(frozen=True, eq=False)
class Held:
    """What is there, by event code.

    Attributes:
        customers: Customers with any event.
        rows: Events of each kind (events,).
        reach: Customers with the event (events,).
        first: The first moment, µs; the largest integer where nothing is there.
        last: The last moment, µs; the smallest integer where nothing is there.
    """

    customers: int
    rows: NDArray[np.int64]
    reach: NDArray[np.int64]
    first: int
    last: int

    @property
    def total(self) -> int:
        """All events."""
        return int(self.rows.sum())


@dataclass(frozen=True)
class Occurrences(Fold[Held]):
    """Counts what there is of `events` kinds of event, in one pass."""

    events: int

    @property
    def columns(self) -> tuple[str, ...]:
        """The event alone."""
        return ("event",)

    def scan(self, block: Block) -> Held:
        """The counts of one block."""
        time = block["time"]
        return Held(
            block.customers,
            np.bincount(block["event"], minlength=self.events),
            block.customers_of_each(block["event"], self.events),
            int(time.min(initial=_NEVER.max)),
            int(time.max(initial=_NEVER.min)),
        )

    def merge(self, left: Held, right: Held) -> Held:
        """Counts add; the time range is both."""
        return Held(
            left.customers + right.customers,
            left.rows + right.rows,
            left.reach + right.reach,
            min(left.first, right.first),
            max(left.last, right.last),
        )
