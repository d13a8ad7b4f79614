"""What happened to a customer around the last two orders: refunds, contacts, scores, deliveries, slower gaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses._order_days import Buyers, day_rows
from wayfare.histories.answers import SATISFACTION_COLUMNS, satisfaction, satisfaction_kind
from wayfare.histories.block import Block
from wayfare.histories.calendar import local_days
from wayfare.histories.fold import Fold
from wayfare.histories.orders import ORDER_COLUMNS
from wayfare.histories.stages import StageMap
from wayfare.study import Study

SIGNALS = ("slower gaps", "refund", "support contact", "low score", "late delivery")
"""In the order in which they are named."""

_REFUND = ("refund", "return", "cancel", "chargeback")
_CONTACT = ("support", "complaint", "ticket", "claim")
_SLOWER = 1.5
_LATE_DELIVERY = 0.9

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class LastOrders(Fold[list[dict[str, NDArray]]]):
    """Per repeat buyer: the last two order days, and what the log says from the first of them on.

    Attributes:
        stages: Which events are orders.
        zone: Whose days are meant.
        until: The log's last day.
        refunds: Codes of refund events.
        contacts: Codes of events that are complaints or questions.
    """

    stages: StageMap
    zone: str
    until: int
    refunds: tuple[int, ...]
    contacts: tuple[int, ...]
    rated: int

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns read."""
        return (*ORDER_COLUMNS, *SATISFACTION_COLUMNS, "delivery_days")

    def scan(self, block: Block) -> list[dict[str, NDArray]]:
        """What one block says."""
        days = day_rows(block, self.stages, self.zone, self.until)
        ends = np.append(days.starts, len(days.day))[1:]
        again = ends - days.starts > 1
        last, before, owner = (
            days.day[ends[again] - 1],
            days.day[ends[again] - 2],
            days.owner[days.starts[again]],
        )
        since = np.full(block.customers, np.iinfo(np.int64).max)
        since[owner] = before
        return [
            {"code": days.codes[again], "last": last, "before": before, **self._seen(block, since, owner)}
        ]

    def _seen(self, block: Block, since: NDArray[np.int64], owner: NDArray) -> dict[str, NDArray]:
        score = satisfaction(block, self.rated)
        masks = {
            "refund": block.happened(self.refunds),
            "contact": block.happened(self.contacts),
            "score": ~np.isnan(score),
            "delivery": ~np.isnan(days := _days(block)),
        }
        # Few rows say anything: only theirs are looked up in the calendar.
        rows = np.flatnonzero(np.any(list(masks.values()), axis=0))
        recent = np.zeros(block.rows, dtype=bool)
        recent[rows] = local_days(block["time"][rows], self.zone) >= since[block.owner[rows]]
        return {
            "refund": block.any_of(recent & masks["refund"])[owner],
            "contact": block.any_of(recent & masks["contact"])[owner],
            "score": _last(block, recent & masks["score"], score)[owner],
            "delivery": _last(block, recent & masks["delivery"], days)[owner],
        }


def _days(block: Block) -> NDArray[np.float64]:
    """How long each delivery took; NaN where a row is none or the log does not say."""
    if not block.has("delivery_days") or block["delivery_days"].dtype.kind != "f":
        return np.full(block.rows, np.nan)
    return block["delivery_days"]


def _last(block: Block, told: Bools, values: NDArray[np.float64]) -> NDArray[np.float64]:
    if not told.any():
        return np.full(block.customers, np.nan)
    row = block.last_row(told)
    return np.where(row >= 0, values[np.maximum(row, 0)], np.nan)


def last_orders(study: Study, until: int) -> LastOrders:
    """The fold for a study's own names of refunds and contacts."""
    names = study.log.names("event").to_list()
    orders = set(study.journey.orders)

    def like(words: tuple[str, ...]) -> tuple[int, ...]:
        return tuple(
            code
            for code, name in enumerate(names)
            if name not in orders and any(w in name.lower() for w in words)
        )

    rated = satisfaction_kind(study.log.source)
    return LastOrders(study.stages, study.zone, until, like(_REFUND), like(_CONTACT), rated)


def signals_of(buyers: Buyers, found: list[dict[str, NDArray]]) -> tuple[NDArray[np.int64], dict[str, Bools]]:
    """The places of repeat buyers in `Buyers`, and for each of them whether each signal was seen; absent where unknowable."""
    columns: dict[str, Any] = {name: np.concatenate([chunk[name] for chunk in found]) for name in found[0]}
    if not len(columns["code"]):
        return np.zeros(0, dtype=np.int64), {}
    order = np.argsort(columns["code"])
    who = np.flatnonzero(buyers.days[:, -1] > 1)
    rows = order[np.searchsorted(columns["code"], buyers.codes[who], sorter=order)]
    columns = {name: values[rows] for name, values in columns.items()}
    earlier = (columns["before"] - buyers.first_day[who]) / np.maximum(buyers.days[who, -1] - 2, 1)
    slower = (buyers.days[who, -1] > 2) & (columns["last"] - columns["before"] > _SLOWER * earlier)
    seen = {"slower gaps": slower, "refund": columns["refund"], "support contact": columns["contact"]}
    if not np.isnan(columns["score"]).all():
        seen["low score"] = columns["score"] <= (6 if np.nanmax(columns["score"]) > 5 else 2)
    if not np.isnan(columns["delivery"]).all():
        seen["late delivery"] = columns["delivery"] > np.nanquantile(columns["delivery"], _LATE_DELIVERY)
    return who, {name: mask for name, mask in seen.items() if mask.any()}
