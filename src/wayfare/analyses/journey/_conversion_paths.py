"""The fold behind `attribution`: paths of touches that end in a conversion or in none, as sums that add up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wayfare.histories.block import Block
from wayfare.histories.fold import Fold, add_up
from wayfare.histories.orders import ORDER_COLUMNS, Orders, orders_of
from wayfare.histories.stages import StageMap
from wayfare.stats.attribution import RULES
from wayfare.stats.markov_counts import step_counts

CONVERSIONS, UNTOUCHED, NULLS, OPEN = range(4)
"""Positions in `paths` of the conversions, those without a touch, the paths without a conversion, those still open."""


@dataclass(frozen=True)
class Touches:
    """Which rows are touches, and of which channel.

    Attributes:
        column: The property that names the channel.
        place: The channel's number by the property's code.
        channels: How many channels there are.
        events: Whether the event is a touch, by event code.
    """

    column: str
    place: tuple[int, ...]
    channels: int
    events: tuple[bool, ...]

    def rows(self, block: Block) -> NDArray[np.int64]:
        """The rows of a block that are touches."""
        if not block.has(self.column):
            return np.empty(0, dtype=np.int64)
        return np.flatnonzero(np.array(self.events, dtype=bool)[block["event"]] & (block[self.column] >= 0))

    def codes(self, block: Block, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The channels of those rows."""
        if not rows.size:
            return np.empty(0, dtype=np.int64)
        return np.array(self.place, dtype=np.int64)[block[self.column][rows]]


@dataclass(frozen=True)
class TouchCounts(Fold[NDArray[np.int64]]):
    """How many touches each channel has."""

    touches: Touches

    @property
    def columns(self) -> tuple[str, ...]:
        """The event and the channel."""
        return ("event", self.touches.column)

    def scan(self, block: Block) -> NDArray[np.int64]:
        """Counts (channels,)."""
        return np.bincount(
            self.touches.codes(block, self.touches.rows(block)), minlength=self.touches.channels
        )


@dataclass(frozen=True)
class ConversionPaths(Fold[dict[str, Any]]):
    """Credit by position, the steps between channels, touches and costs, from every path.

    Attributes:
        conversion: A stage map whose orders are the conversions.
        touches: Which rows are touches.
        every: Whether each conversion ends a path; else only the customer's first.
        lookback: How long before its path's end a touch may be, µs.
        collapse: Touches of one channel with a shorter pause than this are one, µs; 0 for none.
        half_life: After how long a touch counts half by time decay, µs.
        order: How many channels make a state of the Markov chain.
        rules: The rules of position that are computed.
        ends: The log's end, µs: paths that reach `lookback` before it are open.
    """

    conversion: StageMap
    touches: Touches
    every: bool
    lookback: int
    collapse: int
    half_life: int
    order: int
    rules: tuple[str, ...]
    ends: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of orders, the channel and the cost."""
        return (*ORDER_COLUMNS, self.touches.column, "cost")

    def merge(self, left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
        """Sums add up; steps are gathered by their number."""
        steps = left["steps"] + right["steps"]
        return add_up({**left, "steps": 0}, {**right, "steps": 0}) | {"steps": steps}

    def scan(self, block: Block) -> dict[str, Any]:
        """The sums of one block."""
        found = orders_of(block, self.conversion)
        kept = np.ones(found.row.size, dtype=bool) if self.every else found.number == 1
        rows = self._within_scope(block, found)
        path, ended = _path_numbers(block, rows, found.row[kept], found.owner[kept])
        paths = block.customers + int(kept.sum())
        won, worth, until = np.zeros(paths, dtype=bool), np.zeros(paths), np.zeros(paths, dtype=np.int64)
        until[path] = block["time"][rows]  # the last touch of each path, as rows ascend
        won[ended], worth[ended], until[ended] = True, np.nan_to_num(found.value[kept]), found.time[kept]
        counted = self._counted(block, rows, path, until)
        touched = np.bincount(path[counted], minlength=paths)
        lost = ~won & (touched > 0)
        return {
            "paths": np.array(
                [
                    won.sum(),
                    (won & (touched == 0)).sum(),
                    lost.sum(),
                    (lost & (until > self.ends - self.lookback)).sum(),
                ]
            ),
            "worth": np.array([worth.sum(), worth[touched == 0].sum()]),
            **self._spent(block, rows),
            **self._credited(block, rows[counted], until[path[counted]], touched, won, worth),
        }

    def _within_scope(self, block: Block, found: Orders) -> NDArray[np.int64]:
        rows = self.touches.rows(block)
        if self.every:
            return rows
        end = np.full(block.customers, block.rows, dtype=np.int64)
        first = found.number == 1
        end[found.owner[first]] = found.row[first]
        return rows[rows < end[block.owner[rows]]]

    def _counted(self, block: Block, rows: NDArray, path: NDArray, until: NDArray) -> NDArray[np.bool_]:
        """Per touch: whether it is recent enough and not one with the touch before it (touches,)."""
        time = block["time"][rows]
        counted = until[path] - time <= self.lookback
        if self.collapse and rows.size:
            codes = self.touches.codes(block, rows)
            goes_on = (np.diff(path) == 0) & (np.diff(codes) == 0) & (np.diff(time) < self.collapse)
            counted[1:] &= ~(goes_on & counted[:-1])
        return counted

    def _spent(self, block: Block, rows: NDArray) -> dict[str, NDArray]:
        """What touches cost by channel, those out of the lookback too: the money is spent."""
        codes, channels = self.touches.codes(block, rows), self.touches.channels
        cost = block["cost"][rows] if block.has("cost") else np.full(rows.size, np.nan)
        return {
            "cost": np.bincount(codes, weights=np.nan_to_num(cost), minlength=channels),
            "costed": np.bincount(codes, weights=~np.isnan(cost), minlength=channels),
        }

    def _credited(
        self, block: Block, rows: NDArray, until: NDArray, touched: NDArray, won: NDArray, worth: NDArray
    ) -> dict[str, Any]:
        codes, channels = self.touches.codes(block, rows), self.touches.channels
        walked = touched > 0
        of_won = np.repeat(won, touched)
        paid = walked & won
        paths, paid_codes = _offsets(touched[paid]), codes[of_won]
        half_lives = (until - block["time"][rows])[of_won] / self.half_life
        each_worth = np.repeat(worth[paid], touched[paid])
        credit = []
        for rule in self.rules:
            share = RULES[rule](paths, half_lives)
            credit += [
                np.bincount(paid_codes, weights=part, minlength=channels)
                for part in (share, share * each_worth)
            ]
        return {
            "touches": np.bincount(codes, minlength=channels),
            "credit": np.array(credit, dtype=float).reshape(len(self.rules), 2, channels),
            "steps": step_counts(
                _offsets(touched[walked]), codes, won[walked], channels=channels, order=self.order
            ),
        }


def _path_numbers(
    block: Block, rows: NDArray, conversions: NDArray, owners: NDArray
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The path that each touch is on, and the path that each conversion ends.

    A customer with n conversions has n + 1 paths, numbered through the block; the last one has no conversion.
    """
    before = np.searchsorted(conversions, rows)
    return block.owner[rows] + before, owners + np.arange(conversions.size)


def _offsets(lengths: NDArray) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
