"""A feature's launch: what customers ordered again after it, against before it and against those held out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wayfare.histories.block import Block
from wayfare.histories.filter import Condition
from wayfare.histories.fold import Fold
from wayfare.histories.orders import ORDER_COLUMNS, orders_of
from wayfare.histories.stages import StageMap
from wayfare.stats.proportions import difference_of_proportions

BEFORE, AFTER, HELD_OUT = range(3)
ENOUGH = 30
_Z = 1.959964


@dataclass(frozen=True)
class Cohorts(Fold[NDArray[np.float64]]):
    """Customers by the first order that they placed in a stretch of time: how many, who ordered again, and for how much.

    Attributes:
        stages: Which events are orders.
        stretches: Of each launch: the stretch before it and the one from it on, as (from, to, from, to), µs.
        within: How long after that order another one counts, µs.
        held_out: Which customers did not get what was launched, where that is known.
    """

    stages: StageMap
    stretches: tuple[tuple[int, int, int, int], ...]
    within: int
    held_out: Condition | None

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of orders, and the one that says who is held out."""
        return (*ORDER_COLUMNS, *((self.held_out.column,) if self.held_out else ()))

    def scan(self, block: Block) -> NDArray[np.float64]:
        """Customers, those who ordered again, the sum and the sum of squares of value (launches, 3, 4)."""
        orders = orders_of(block, self.stages)
        out = self.held_out.members(block) if self.held_out else np.zeros(block.customers, dtype=bool)
        sums = np.zeros((len(self.stretches), 3, 4))
        for number, (first, last, start, end) in enumerate(self.stretches):
            sums[number, BEFORE] = self._sums(block, orders, first, last, ~out)
            sums[number, AFTER] = self._sums(block, orders, start, end, ~out)
            sums[number, HELD_OUT] = self._sums(block, orders, start, end, out)
        return sums

    def _sums(
        self, block: Block, orders: Any, start: int, end: int, who: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        inside = (orders.time >= start) & (orders.time < end) & who[orders.owner]
        first = np.full(block.customers, np.iinfo(np.int64).max)
        np.minimum.at(first, orders.owner[inside], orders.time[inside])
        mine = np.flatnonzero(first < np.iinfo(np.int64).max)
        at = first[orders.owner]
        # Subtracted, not added: a customer without a first order stands at the largest integer.
        later = (orders.time > at) & (orders.time - self.within <= at)
        value = np.bincount(orders.owner[later], np.nan_to_num(orders.value[later]), block.customers)[mine]
        again = np.bincount(orders.owner[later], minlength=block.customers)[mine] > 0
        return np.array([len(mine), again.sum(), value.sum(), (value**2).sum()])


def stretches(launch: int, within: int, ends: int) -> tuple[int, int, int, int] | None:
    """The stretch before a launch and the one after it, as long as the log's end allows; None where it is too late."""
    length = min(within, ends - within - launch + 1)
    if length <= 0:
        return None
    # Whoever orders in the first stretch has the whole window before the launch.
    return launch - within - length, launch - within, launch, launch + length


def compared(
    without: NDArray[np.float64], having: NDArray[np.float64], margin: float, cost: float | None
) -> dict[str, Any]:
    """What the launch changed, from the sums of those without it and those with it."""
    row: dict[str, Any] = {"customers_without": int(without[0]), "customers_with": int(having[0])}
    names = ("repurchase_change", "value_change", "gain", "return_on_investment")
    for name in names:
        row |= {name: np.nan, f"{name}_low": np.nan, f"{name}_high": np.nan}
    for name, sums in (("without", without), ("with", having)):
        row[f"repurchase_{name}"] = float(sums[1] / sums[0]) if sums[0] else np.nan
    if min(without[0], having[0]) < ENOUGH:
        return row | {"note": f"under {ENOUGH} customers on one side: too few to say"}
    shares = difference_of_proportions(having[1], having[0], without[1], without[0])
    row |= {
        "repurchase_change": shares.estimate,
        "repurchase_change_low": shares.low,
        "repurchase_change_high": shares.high,
    }
    (mean, error), (other, other_error) = (_mean(sums) for sums in (having, without))
    change, half = mean - other, _Z * float(np.hypot(error, other_error))
    ends = {"": change, "_low": change - half, "_high": change + half}
    for end, value in ends.items():
        gain = value * margin * having[0]
        row |= {f"value_change{end}": value, f"gain{end}": gain}
        if cost is not None:
            row[f"return_on_investment{end}"] = (gain - cost) / cost
    return row | {"note": ""}


def _mean(sums: NDArray[np.float64]) -> tuple[float, float]:
    n, _, total, squares = sums
    mean = total / n
    return float(mean), float(np.sqrt(max(squares - n * mean**2, 0.0) / (n - 1) / n))
