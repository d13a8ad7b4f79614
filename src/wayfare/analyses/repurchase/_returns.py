"""How many days after an order the next one came, counted by group; and each customer's own pace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from wayfare.histories.block import Block
from wayfare.histories.calendar import local_days
from wayfare.histories.fold import Fold
from wayfare.histories.orders import ORDER_COLUMNS, orders_of
from wayfare.histories.stages import StageMap
from wayfare.stats.proportions import wilson
from wayfare.study import Study

LONGEST = 730
BANDS = ("after order 1", "after order 2", "after order 3", "after orders 4–6", "after order 7 or later")
_LAST_OF = np.array([1, 2, 3, 6])
EVERYBODY, OTHER, NONE = "all orders", "(other)", "(none)"
LARGEST = 6
_BINS = (*range(1, 29), *range(29, 183, 7), *range(183, LONGEST + 2, 30))


@dataclass(frozen=True)
class Returns(Fold[dict[str, Any]]):
    """The waits after each order day, and one row a buyer; orders of one customer on one day count as one, those below zero
    (refunds) as none.

    Attributes:
        stages: Which events are orders.
        zone: Whose days are meant.
        now: The log's last day, since 1970.
        by: A column; orders are grouped by what it was in their customer's first order.
    """

    stages: StageMap
    zone: str
    now: int
    by: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of orders, and what they are grouped by."""
        return (*ORDER_COLUMNS, *((self.by,) if self.by else ()))

    def scan(self, block: Block) -> dict[str, Any]:
        """The waits of one block as (key, count), and its buyers."""
        orders = orders_of(block, self.stages)
        real = ~(orders.value < 0)
        placed, row, day = orders.owner[real], orders.row[real], local_days(orders.time[real], self.zone)
        new = np.ones(len(day), dtype=bool)
        new[1:] = (np.diff(placed) != 0) | (np.diff(day) != 0)
        owner, day = placed[new], day[new]
        start = np.flatnonzero(np.diff(owner, prepend=-1))
        last = np.append(start[1:], len(owner)) - 1 if len(start) else start
        number = np.arange(len(owner)) - np.repeat(start, last - start + 1)
        again = np.ones(len(owner), dtype=bool)
        again[last] = False
        wait = np.where(again, np.diff(day, append=0), self.now - day)
        key = np.minimum(wait, LONGEST) * 2 + (again & (wait <= LONGEST))
        found = {
            "bands": _counted(band_of(number + 1), key),
            **self._buyers(block, owner, day, wait, again, start, last),
        }
        group = self._first_value(block, row[new][start], owner[start]) if self.by else None
        found["groups"] = _counted(np.repeat(group + 1, last - start + 1), key) if group is not None else []
        found["members"] = (
            [np.column_stack(np.unique(group, return_counts=True))] if group is not None else []
        )
        return found

    def _first_value(self, block: Block, row: NDArray, owner: NDArray) -> NDArray[np.int64]:
        """The first known value among the rows of each customer's first order; -1 where there is none."""
        orders = self.stages.is_order(block)
        first = np.full(block.customers, np.iinfo(np.int64).min)
        first[owner] = block["time"][row]
        mine = np.flatnonzero(orders & (block["time"] == first[block.owner]) & (block[self.by] >= 0))[::-1]
        found = np.full(block.customers, -1, dtype=np.int64)
        found[block.owner[mine]] = block[self.by][mine]
        return found[owner]

    def _buyers(
        self,
        block: Block,
        owner: NDArray,
        day: NDArray,
        wait: NDArray,
        again: NDArray,
        start: NDArray,
        last: NDArray,
    ) -> dict[str, Any]:
        pace = np.where(again, np.log(np.maximum(wait, 1)), 0.0)
        sums = [np.add.reduceat(part, start) if len(start) else part for part in (pace, pace**2)]
        return {
            "code": [block.codes[owner[start]]],
            "orders": [(last - start + 1).astype(np.int32)],
            "last": [day[last].astype(np.int32)],
            "pace": [sums[0]],
            "squares": [sums[1]],
        }


def band_of(number: NDArray[np.int64]) -> NDArray[np.int64]:
    """The place in `BANDS` of the how-manieth order, from 1."""
    return np.searchsorted(_LAST_OF, number)


def _counted(group: NDArray[np.int64], key: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    keys, counts = np.unique(group.astype(np.int64) * (2 * LONGEST + 2) + key, return_counts=True)
    return [np.column_stack([keys, counts])]


@dataclass(frozen=True, eq=False)
class Waits:
    """How many waits ended, and were cut off, on each day after an order; arrays are (LONGEST + 1,)."""

    returned: NDArray[np.int64]
    cut: NDArray[np.int64]

    @property
    def orders(self) -> int:
        """How many waits there are."""
        return int(self.returned.sum() + self.cut.sum())

    @property
    def at_risk(self) -> NDArray[np.int64]:
        """Still waiting and watched on each day."""
        return np.cumsum((self.returned + self.cut)[::-1])[::-1]

    def __add__(self, other: Waits) -> Waits:
        return Waits(self.returned + other.returned, self.cut + other.cut)

    def waiting(self) -> NDArray[np.float64]:
        """The share still waiting after each day (Kaplan–Meier), 1 on day 0; nan beyond what was watched."""
        at_risk = self.at_risk
        share = np.where(at_risk > 0, self.returned / np.maximum(at_risk, 1), np.nan)
        share[0] = 0.0
        return np.cumprod(1 - share)


def waits_by_group(chunks: Sequence[NDArray[np.int64]]) -> dict[int, Waits]:
    """The counts of a fold added up, by group."""
    counted = np.concatenate([*chunks, np.zeros((0, 2), np.int64)])
    keys, place = np.unique(counted[:, 0], return_inverse=True)
    counts = np.bincount(place, weights=counted[:, 1], minlength=len(keys)).astype(np.int64)
    group, key = np.divmod(keys, 2 * LONGEST + 2)
    found = {}
    for number in np.unique(group).tolist():
        table = np.zeros(2 * LONGEST + 2, dtype=np.int64)
        table[key[group == number]] = counts[group == number]
        found[number] = Waits(table[1::2], table[::2])
    return found


@dataclass(frozen=True, eq=False)
class Groups:
    """The waits of each group by its name, in the order in which they are shown; and how many customers it has."""

    waits: dict[str, Waits]
    customers: dict[str, int]


def groups_of(study: Study, fold: Returns, found: dict[str, Any]) -> Groups:
    """All orders, by order number, and by the first order's value; the six largest and the rest."""
    orders = np.concatenate(found["orders"])
    bands = waits_by_group(found["bands"])
    nothing = Waits(np.zeros(LONGEST + 1, np.int64), np.zeros(LONGEST + 1, np.int64))
    waits = {EVERYBODY: sum(bands.values(), nothing), **{BANDS[band]: bands[band] for band in bands}}
    first_of = np.append([1], _LAST_OF + 1)
    customers = {
        EVERYBODY: len(orders),
        **{BANDS[band]: int((orders >= first_of[band]).sum()) for band in bands},
    }
    if fold.by and len(orders):
        _add_values(study, fold, found, waits, customers)
    return Groups(waits, customers)


def _add_values(
    study: Study, fold: Returns, found: dict[str, Any], waits: dict[str, Waits], customers: dict[str, int]
) -> None:
    members = np.concatenate(found["members"])
    codes, place = np.unique(members[:, 0], return_inverse=True)
    counts = np.bincount(place, weights=members[:, 1]).astype(int).tolist()
    names = [name if name is not None else NONE for name in study.log.names(fold.by).take(codes).to_pylist()]
    ranked = sorted(
        zip(names, codes.tolist(), counts, strict=True), key=lambda one: (one[0] == NONE, -one[2], one[0])
    )
    values = waits_by_group(found["groups"])
    for place_in, (name, code, count) in enumerate(ranked):
        label = f"{fold.by}: {name if place_in < LARGEST or name == NONE else OTHER}"
        waits[label] = waits[label] + values[code + 1] if label in waits else values[code + 1]
        customers[label] = customers.get(label, 0) + count


def hazard_rows(name: str, waits: Waits) -> list[dict[str, Any]]:
    """One row a stretch of days: single days for four weeks, weeks to half a year, then 30 days."""
    at_risk = waits.at_risk
    rows = []
    for first, after in zip(_BINS, (*_BINS[1:], LONGEST + 1), strict=True):
        days, returned = int(at_risk[first:after].sum()), int(waits.returned[first:after].sum())
        if days:
            chance = wilson(returned, days)
            rows.append({"group": name, "day_from": first, "day_to": after - 1, "at_risk": int(at_risk[first]), "returned": returned,
                         "hazard": returned / days, "low": chance.low, "high": chance.high})  # fmt: skip
    return rows


def sorted_buyers(study: Study, found: dict[str, Any]) -> dict[str, Any]:
    """The fold's buyers with their names, by name."""
    columns = {name: np.concatenate(found[name]) for name in ("code", "orders", "last", "pace", "squares")}
    names = study.log.names("customer").take(columns.pop("code"))
    by = np.asarray(pc.sort_indices(names)) if len(names) else np.zeros(0, dtype=np.int64)
    return {"customer": names.take(by), **{name: values[by] for name, values in columns.items()}}
