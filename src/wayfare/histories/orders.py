"""Orders read off a block: which rows belong to one order, when it was placed, what it was worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wayfare.histories.block import Block
from wayfare.histories.stages import StageMap

ORDER_COLUMNS = ("event", "order", "value")
"""What a fold has to read to use `orders_of`."""


@dataclass(frozen=True, eq=False)
class Orders:
    """The orders of a block's customers, by customer and time; all arrays are (orders,).

    Attributes:
        row: The first row of each order.
        owner: The position in the block of its customer.
        time: When it was placed, µs UTC.
        value: What its lines add up to; nan where the log has no values. Refunds are not taken off.
        number: The how-manieth order of its customer it is, from 1.
        lines: How many rows it has.
    """

    row: NDArray[np.int64]
    owner: NDArray[np.int64]
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    number: NDArray[np.int64]
    lines: NDArray[np.int64]


def orders_of(block: Block, stages: StageMap) -> Orders:
    """The orders of the block.

    Order rows of one customer with the same `order` id are one order; without an id, those of one instant are.
    """
    return block.once(("orders", stages), lambda: _orders(block, stages))


def _orders(block: Block, stages: StageMap) -> Orders:
    rows = np.flatnonzero(stages.is_order(block))
    owner, time = block.owner[rows], block["time"][rows]
    ids = block["order"][rows].astype(np.int64) if block.has("order") else np.full(len(rows), -1)
    key = np.where(ids >= 0, ids, -2 - time)
    label, starts = _groups(owner, key)
    count = len(starts)
    values = block["value"][rows] if block.has("value") else np.full(len(rows), np.nan)
    total = np.bincount(label, weights=np.nan_to_num(values), minlength=count)
    known = np.bincount(label, weights=~np.isnan(values), minlength=count) > 0
    whose = owner[starts]
    before = np.searchsorted(whose, whose)
    lines = np.bincount(label, minlength=count)
    return Orders(
        rows[starts],
        whose,
        time[starts],
        np.where(known, total, np.nan),
        np.arange(count) - before + 1,
        lines,
    )


def _groups(owner: NDArray, key: NDArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The group of equal (owner, key) that each row is in, groups numbered by first row; and those first rows."""
    by_key = np.lexsort((key, owner))
    new = np.ones(len(by_key), dtype=bool)
    new[1:] = (np.diff(owner[by_key]) != 0) | (np.diff(key[by_key]) != 0)
    first = by_key[new]
    earliest = np.argsort(first)
    number = np.empty_like(earliest)
    number[earliest] = np.arange(len(earliest))
    label = np.empty_like(by_key)
    label[by_key] = number[np.cumsum(new) - 1]
    return label, first[earliest]


def one_row_an_order(block: Block) -> Block:
    """The block with the lines of one order, at one instant, as one row."""
    if not block.has("order"):
        return block
    again = ~block.first
    again[1:] &= block["order"][1:] >= 0
    for name in ("order", "event", "time"):
        again[1:] &= block[name][1:] == block[name][:-1]
    return block.keep(~again)
