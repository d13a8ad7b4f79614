"""Where on the map customers fall silent, and how long they take from one touchpoint to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from wayfare.domain.journey import STAGES
from wayfare.histories.block import Block
from wayfare.histories.fold import Fold
from wayfare.histories.orders import one_row_an_order
from wayfare.histories.stages import StageMap
from wayfare.histories.tally import Tally
from wayfare.stats.quantiles import BUCKETS, bucket_of, sparse_quantile

Cell = tuple[str, str]
"""A stage and an event that stands for it."""


@dataclass(frozen=True)
class Places(Fold[dict[str, Any]]):
    """Of each event and stage: whose last touchpoint it was, and the times to the next one.

    Who has been silent since `silent_since` (µs) or longer has left; the others may still come back.
    """

    stages: StageMap
    silent_since: int

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads."""
        return ("event", "order")

    def scan(self, block: Block) -> dict[str, Any]:
        """The counts of one block."""
        block = one_row_an_order(block)
        stage = self.stages.stages(block)
        rows = np.flatnonzero(stage >= 0)
        cell = block["event"][rows].astype(np.int64) * len(STAGES) + stage[rows]
        owner, cells = block.owner[rows], len(self.stages.before) * len(STAGES)
        goes_on = owner[1:] == owner[:-1]
        last = np.append(~goes_on, np.ones(min(len(rows), 1), dtype=bool))
        silent = (block["time"][block.starts[1:] - 1] <= self.silent_since)[owner]
        took = bucket_of(np.diff(block["time"][rows])[goes_on] / 1e6)
        return {
            "left": np.bincount(cell[last & silent], minlength=cells),
            "pending": np.bincount(cell[last & ~silent], minlength=cells),
            "took": Tally.of(cell[:-1][goes_on] * BUCKETS + took),
        }


def placed(found: dict[str, Any], names: list[str]) -> dict[Cell, dict[str, Any]]:
    """Of each stage and event at which anything was found: `left`, `pending`, `median_seconds`."""
    keys, counts = found["took"].counted()
    timed, median = sparse_quantile(keys // BUCKETS, keys % BUCKETS, counts, 0.5)
    seconds = dict(zip(timed.tolist(), median.tolist(), strict=True))
    left, pending = found["left"], found["pending"]
    cells = np.union1d(np.flatnonzero(left + pending), timed).tolist()
    return {
        (STAGES[cell % len(STAGES)].value, names[cell // len(STAGES)]): {
            "left": int(left[cell]),
            "pending": int(pending[cell]),
            "median_seconds": seconds.get(cell),
        }
        for cell in cells
    }
