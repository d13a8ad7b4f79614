"""The journey's stages and orders, looked up for the codes of one log, to be read off a block."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wayfare.domain.journey import STAGES, JourneyMap
from wayfare.histories.block import Block
from wayfare.histories.source import Names

NO_STAGE = -1


@dataclass(frozen=True)
class StageMap:
    """Which stage each event code stands for before and after a customer's first order, and which are orders.

    The three tuples are indexed by event code; a stage is its position in `STAGES`, or `NO_STAGE`.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    orders: tuple[bool, ...]

    @cached_property
    def _lookup(self) -> tuple[NDArray[np.int8], NDArray[np.int8], tuple[int, ...]]:
        return (
            np.array(self.before, dtype=np.int8),
            np.array(self.after, dtype=np.int8),
            tuple(code for code, ordered in enumerate(self.orders) if ordered),
        )

    def is_order(self, block: Block) -> NDArray[np.bool_]:
        """Per row: whether the event is an order line (rows,)."""
        return block.once(("is_order", self), lambda: block.happened(self._lookup[2]))

    def has_ordered(self, block: Block) -> NDArray[np.bool_]:
        """Per row: whether the customer ordered at an earlier row (rows,); lines of the first order itself do not count."""
        return block.once(("has_ordered", self), lambda: self._has_ordered(block))

    def _has_ordered(self, block: Block) -> NDArray[np.bool_]:
        orders = self.is_order(block)
        first = block.first_row(orders)
        since = np.where(first >= 0, block["time"][np.maximum(first, 0)], np.iinfo(np.int64).max)[block.owner]
        return (
            (np.arange(block.rows) > first[block.owner])
            & (first >= 0)[block.owner]
            & ~(orders & (block["time"] == since))
        )

    def stages(self, block: Block) -> NDArray[np.int8]:
        """Per row: the position in `STAGES` of the stage it stands for, `NO_STAGE` where it stands for none (rows,)."""
        return block.once(("stages", self), lambda: self._stages(block))

    def _stages(self, block: Block) -> NDArray[np.int8]:
        before, after, _ = self._lookup
        return np.where(self.has_ordered(block), after[block["event"]], before[block["event"]])


def stage_map(journey: JourneyMap, events: Names) -> StageMap:
    """The journey's stages for the event codes of one log."""
    position: dict[str, int] = {stage: index for index, stage in enumerate(STAGES)}
    placed = {t.event: t for t in journey.touchpoints}
    before, after = [], []
    for event in events.to_list():
        touchpoint = placed.get(event)
        first = position.get(touchpoint.stage, NO_STAGE) if touchpoint else NO_STAGE
        then = touchpoint.after_purchase if touchpoint else None
        before.append(first)
        after.append(first if then is None else position.get(then, NO_STAGE))
    orders = set(journey.orders)
    return StageMap(tuple(before), tuple(after), tuple(event in orders for event in events.to_list()))
