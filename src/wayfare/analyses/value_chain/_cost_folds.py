"""The folds behind `activity_costs`: events and minutes of all customers, and what each order and customer cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses.value_chain._minutes import RowEquation, rows_of_event
from wayfare.domain.journey import STAGES
from wayfare.histories.block import Block
from wayfare.histories.fold import Fold
from wayfare.histories.orders import ORDER_COLUMNS, orders_of
from wayfare.histories.stages import NO_STAGE, StageMap
from wayfare.stats.costing import money_counts

ALL, ORDERED = 0, 1
"""The groups of customers that sums are kept for: everybody, and who ordered."""


@dataclass(frozen=True)
class Used(Fold[dict[str, NDArray]]):
    """How often each event happened in each stage, whom each activity reached, and the minutes of equations with terms.

    Attributes:
        stages: Which stage an event stands for.
        events: How many event codes there are.
        equations: Those with terms; the others take their base at every event.
        served: The events that each activity serves.
    """

    stages: StageMap
    events: int
    equations: tuple[RowEquation, ...]
    served: tuple[tuple[int, ...], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The event and what the equations read."""
        return ("event", *(name for equation in self.equations for name in equation.columns))

    def scan(self, block: Block) -> dict[str, NDArray]:
        """Events (event codes, no stage and the stages), minutes (equations,) and customers (activities,)."""
        width = len(STAGES) + 1
        place = block["event"].astype(np.int64) * width + self.stages.stages(block) - NO_STAGE
        minutes = [
            equation.of(block, rows_of_event(block, equation.event)).sum() for equation in self.equations
        ]
        return {
            "events": np.bincount(place, minlength=self.events * width).reshape(self.events, width),
            "minutes": np.array(minutes, dtype=float),
            "customers": self._customers(block),
        }

    def _customers(self, block: Block) -> NDArray[np.int64]:
        """Customers who met something that the activity serves (activities,)."""
        column = {code: n for n, code in enumerate(sorted({code for codes in self.served for code in codes}))}
        place = np.full(self.events, -1)
        place[list(column)] = list(column.values())
        wanted = place[block["event"]]
        rows = np.flatnonzero(wanted >= 0)
        met = np.zeros((block.customers, len(column)), dtype=bool)
        met[block.owner[rows], wanted[rows]] = True
        reached = [met[:, [column[code] for code in codes]].any(axis=1).sum() for codes in self.served]
        return np.array(reached, dtype=np.int64)


@dataclass(frozen=True)
class Served(Fold[dict[str, NDArray]]):
    """What it cost to serve each order and each customer, as distributions.

    Attributes:
        stages: Which events are orders.
        unit: Money that one event costs, by event code.
        equations: Those with terms, each with its money a minute, on top of that.
        margin: The share of a customer's value that is left before serving.
    """

    stages: StageMap
    unit: tuple[float, ...]
    equations: tuple[tuple[RowEquation, float], ...]
    margin: float

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of orders and what the equations read."""
        return (*ORDER_COLUMNS, *(name for equation, _ in self.equations for name in equation.columns))

    def scan(self, block: Block) -> dict[str, NDArray]:
        """Distributions and sums of one block."""
        cost = self._cost(block)
        of_order, outside = self._orders(block, cost)
        spent, value = block.total(cost), self._value(block)
        left = value * self.margin - spent
        ordered = block.any_of(self.stages.is_order(block))
        return {
            "order_cost": money_counts(of_order),
            "orders": np.array([of_order.size, of_order.sum(), outside]),
            "cost": money_counts(spent),
            "value": money_counts(value),
            "margin": money_counts(left),
            "groups": np.array([_group(spent, value, left, who) for who in (ordered | True, ordered)]),
        }

    def _cost(self, block: Block) -> NDArray[np.float64]:
        """Money of each row (rows,)."""
        cost = np.array(self.unit, dtype=float)[block["event"]] if self.unit else np.zeros(block.rows)
        for equation, rate in self.equations:
            rows = rows_of_event(block, equation.event)
            cost[rows] += equation.of(block, rows) * rate
        return cost

    def _orders(self, block: Block, cost: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
        """Money of each order (orders,), and that of rows after a customer's last order."""
        orders, is_order = orders_of(block, self.stages), self.stages.is_order(block)
        row = np.arange(block.rows)
        upcoming = np.searchsorted(orders.row, row)
        own = np.searchsorted(orders.row, row, side="right") - 1
        place = np.where(is_order, own, upcoming)
        whose = np.append(orders.owner, -1)[np.minimum(place, orders.row.size)]
        inside = whose == block.owner
        each = np.bincount(place[inside], weights=cost[inside], minlength=orders.row.size)
        return each.astype(float), float(cost[~inside].sum())

    def _value(self, block: Block) -> NDArray[np.float64]:
        """Per customer: what was ordered less what was given back (customers,); nan where the log has no values."""
        if not block.has("value"):
            return np.full(block.customers, np.nan)
        value = np.nan_to_num(block["value"])
        return block.total(np.where(self.stages.is_order(block) | (value < 0), value, 0.0))


def _group(spent: NDArray, value: NDArray, left: NDArray, who: NDArray[np.bool_]) -> list[float]:
    """Customers, their cost and value, how many cost more than they bring, and what those lose."""
    loses = who & (left < 0)
    return [who.sum(), spent[who].sum(), value[who].sum(), loses.sum(), -left[loses].sum()]
