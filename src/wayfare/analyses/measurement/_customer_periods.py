"""What each customer did in each period, added up: the sums that a scorecard and its intervals are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses._observed import Periods, rows_of
from wayfare.histories.block import Block
from wayfare.histories.fold import Fold
from wayfare.histories.orders import ORDER_COLUMNS, Orders, orders_of
from wayfare.histories.stages import StageMap

AGAIN = 90 * 86_400_000_000

FIELDS = (
    "active",
    "buyers",
    "orders",
    "valued",
    "revenue",
    "refunds",
    "repeat",
    "ripe",
    "again",
    "retained",
    "exposed",
)
"""What is counted of a customer in a period: was active; ordered; orders; orders with a known value; their value;
refunds; ordered who had ordered before; the first order's 90 days are over; ordered again in them; ordered who also
ordered in the period before; ordered in the period before."""

PAIRS = (
    ("revenue", "revenue"),
    ("revenue", "valued"),
    ("valued", "valued"),
    ("revenue", "refunds"),
    ("refunds", "refunds"),
)


@dataclass(frozen=True, eq=False)
class CustomerPeriods(Fold[dict[str, Any]]):
    """Sums over customers, by period, for the whole time, and for windows of several periods.

    Attributes:
        periods: The calendar.
        shown: The first period that is shown; the whole time starts there.
        windows: Ranges of periods [first, last) to compare.
        ends: The log's end, µs.
        stages: Which events are orders.
        codes: The events that are counted; None for all.
    """

    periods: Periods
    shown: int
    windows: tuple[tuple[int, int], ...]
    ends: int
    stages: StageMap
    codes: tuple[int, ...] | None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns read."""
        return ORDER_COLUMNS

    def scan(self, block: Block) -> dict[str, Any]:
        """The sums of one block's customers, by period."""
        new = self.periods.number(block["time"][block.starts[:-1]])
        block = block if self.codes is None else block.keep(rows_of(block, self.codes))
        period, orders = self.periods.rows(block), orders_of(block, self.stages)
        by_period = self._quantities(block, orders, period)
        whole = self._quantities(block, orders, np.where(period >= self.shown, 0, -1))
        totals = np.stack([value[whole.period == 0] for value in whole.values])
        windows = [self._window(by_period, block.customers, window) for window in self.windows]
        return {
            "new": np.bincount(new, minlength=self.periods.count),
            "sums": np.stack([self._add(by_period, value) for value in by_period.values]),
            "pairs": np.stack([self._add(by_period, by_period.of(a) * by_period.of(b)) for a, b in PAIRS]),
            "whole": totals.sum(axis=1),
            "whole_moments": totals @ totals.T,
            "windows": np.array([w.sum(axis=1) for w in windows]).reshape(len(windows), len(FIELDS)),
            "window_moments": np.array([w @ w.T for w in windows]).reshape(
                len(windows), len(FIELDS), len(FIELDS)
            ),
        }

    def _add(self, quantities: _Quantities, value: NDArray[np.float64]) -> NDArray[np.float64]:
        sums: NDArray[Any] = np.bincount(
            quantities.period + 1, weights=value, minlength=self.periods.count + 1
        )
        return sums[1:]

    def _window(self, by_period: _Quantities, customers: int, window: tuple[int, int]) -> NDArray[np.float64]:
        """Each customer's sums over the periods of a window (fields, customers)."""
        inside, before = (
            np.flatnonzero((by_period.period + later >= window[0]) & (by_period.period + later < window[1]))
            for later in (0, 1)
        )
        owner = by_period.owner[inside]
        totals = [
            np.bincount(owner, weights=value[inside], minlength=customers) for value in by_period.values
        ]
        ordered = by_period.of("buyers")[before]
        totals[FIELDS.index("exposed")] = np.bincount(
            by_period.owner[before], weights=ordered, minlength=customers
        )
        return np.stack(totals)

    def _quantities(self, block: Block, orders: Orders, period: NDArray[np.int64]) -> _Quantities:
        new = block.first.copy()
        new[1:] |= period[1:] != period[:-1]
        label, groups = np.cumsum(new) - 1, int(new.sum())
        of_order = label[orders.row]
        first = np.append(True, of_order[1:] != of_order[:-1])[: len(of_order)]
        last = np.append(of_order[1:] != of_order[:-1], True)[: len(of_order)]
        again, ripe = _again(orders), orders.time + AGAIN <= self.ends
        before = np.append(False, np.diff(orders.owner[first]) == 0)[: first.sum()]
        before &= np.append(0, np.diff(period[orders.row[first]]))[: first.sum()] == 1

        def count(where: NDArray[np.bool_]) -> NDArray[np.float64]:
            return np.bincount(of_order[where], minlength=groups).astype(float)

        value = block["value"] if block.has("value") else np.zeros(block.rows)
        refunded = np.where(~self.stages.is_order(block) & (value < 0), -value, 0.0)
        ordered = count(first)
        retained = np.zeros(groups)
        retained[of_order[first][before]] = 1
        found = {
            "active": np.ones(groups), "buyers": ordered, "orders": count(np.ones_like(first)), "valued": count(~np.isnan(orders.value)),
            "revenue": np.bincount(of_order, weights=np.nan_to_num(orders.value), minlength=groups),
            "refunds": np.bincount(label, weights=refunded, minlength=groups), "repeat": count(last & (orders.number > 1)),
            "ripe": count(first & ripe), "again": count(first & ripe & again), "retained": retained, "exposed": np.zeros(groups),
        }  # fmt: skip
        return _Quantities(period[new], block.owner[new], tuple(found[field] for field in FIELDS))


@dataclass(frozen=True, eq=False)
class _Quantities:
    """One value of each field for each (customer, period), by customer and time (groups,)."""

    period: NDArray[np.int64]
    owner: NDArray[np.int64]
    values: tuple[NDArray[Any], ...]

    def of(self, field: str) -> NDArray[np.float64]:
        return self.values[FIELDS.index(field)]


def _again(orders: Orders) -> NDArray[np.bool_]:
    """Per order: whether the customer's next one comes within 90 days."""
    same = orders.owner[1:] == orders.owner[:-1]
    return np.append(same & (np.diff(orders.time) <= AGAIN), False)[: len(orders.row)]
