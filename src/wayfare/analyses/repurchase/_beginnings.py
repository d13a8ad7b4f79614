"""How each customer began: first channel, first product, who sent them, and what the first months brought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses._order_days import Buyers, DayRows, cents, day_rows
from wayfare.histories.block import Block
from wayfare.histories.fold import Fold
from wayfare.histories.orders import ORDER_COLUMNS
from wayfare.histories.stages import StageMap
from wayfare.study import Study

TEXTS = ("channel", "product", "category")
_REFERRED = ("referral_visit", "referral_sign")


@dataclass(frozen=True)
class Beginnings(Fold[list[dict[str, NDArray]]]):
    """Per buyer: codes of the first channel, product and category, whether referred, and the first days' orders.

    Attributes:
        stages: Which events are orders.
        zone: Whose days are meant.
        until: The log's last day.
        within: How many days after the first order are the first days.
        referrals: Codes of the events of one who was referred.
    """

    stages: StageMap
    zone: str
    until: int
    within: int
    referrals: tuple[int, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns read."""
        return (*ORDER_COLUMNS, *TEXTS, "referrer")

    def scan(self, block: Block) -> list[dict[str, NDArray]]:
        """What one block says."""
        days = day_rows(block, self.stages, self.zone, self.until)
        owner = days.owner[days.starts]
        anything = np.ones(block.rows, dtype=bool)
        bought = self.stages.is_order(block)
        return [
            {
                "code": days.codes,
                "channel": _first(block, "channel", anything)[owner],
                "product": _first(block, "product", bought)[owner],
                "category": _first(block, "category", bought)[owner],
                "referred": self._referred(block)[owner],
                **self._early(days),
            }
        ]

    def _referred(self, block: Block) -> NDArray[np.bool_]:
        mask = block.happened(self.referrals)
        if block.has("referrer") and block["referrer"].dtype.kind == "i":
            mask |= block["referrer"] >= 0
        return block.any_of(mask)

    def _early(self, days: DayRows) -> dict[str, NDArray]:
        customer = np.repeat(np.arange(len(days.starts)), np.diff(np.append(days.starts, len(days.day))))
        soon = days.day - days.day[days.starts][customer] < self.within
        count = np.bincount(customer[soon], minlength=len(days.starts))
        value = np.bincount(
            customer[soon], weights=np.nan_to_num(days.value[soon]), minlength=len(days.starts)
        )
        return {"early_orders": count - 1, "early_value": value}


def _first(block: Block, column: str, where: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The column's first known code a customer, among the rows that count; -1 where there is none."""
    if not block.has(column) or block[column].dtype.kind != "i":
        return np.full(block.customers, -1)
    row = block.first_row(where & (block[column] >= 0))
    values = block[column]
    return np.where(row >= 0, values[np.maximum(row, 0)] if len(values) else -1, -1).astype(np.int64)


def beginnings(study: Study, until: int, within: int) -> Beginnings:
    """The fold for a study."""
    names = study.log.names("event").to_list()
    referrals = tuple(
        code for code, name in enumerate(names) if any(w in name.lower().replace(" ", "_") for w in _REFERRED)
    )
    return Beginnings(study.stages, study.zone, until, within, referrals)


@dataclass(frozen=True, eq=False)
class Began:
    """The fold's answer in the order of `Buyers`; (buyers,) each.

    Attributes:
        texts: By column, each buyer's first name in it; null where unknown. Columns that the log lacks are absent.
        referred: Who was; None where the log can't tell.
        early_orders: Repeat order days in the first days.
        early_value: What was ordered in them.
        followed: Whether the log goes on that long after the first order.
    """

    texts: dict[str, pa.Array]
    referred: NDArray[np.bool_] | None
    early_orders: NDArray[np.int64]
    early_value: NDArray[np.float64]
    followed: NDArray[np.bool_]


def began(study: Study, buyers: Buyers, fold: Beginnings, found: list[dict[str, NDArray]]) -> Began:
    """Codes as names, in the order of the buyers."""
    columns: dict[str, Any] = {name: np.concatenate([chunk[name] for chunk in found]) for name in found[0]}
    order = np.argsort(columns["code"])
    rows = order[np.searchsorted(columns["code"], buyers.codes, sorter=order)] if len(buyers) else order
    columns = {name: values[rows] for name, values in columns.items()}
    texts = {name: study.log.names(name).take(columns[name]) for name in TEXTS if (columns[name] >= 0).any()}
    return Began(
        texts=texts,
        referred=columns["referred"] if columns["referred"].any() else None,
        early_orders=columns["early_orders"],
        early_value=cents(columns["early_value"]),
        followed=buyers.first_day + fold.within <= buyers.cuts[-1] + 1,
    )
