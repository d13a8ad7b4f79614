"""Sessions read off a block, and the block with sessions in the place of customers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wayfare.histories.block import Block

SESSION_COLUMNS = ("session",)
"""What a fold has to read, where the log has it, to use `by_session`."""


@dataclass(frozen=True, eq=False)
class Visits:
    """A block cut into sessions.

    Attributes:
        block: The block with a session's number in the place of its customer, so that whatever is asked of
            whole histories can be asked of sessions.
        customer: The position in the original block of each session's customer (sessions,).
    """

    block: Block
    customer: NDArray[np.int64]


def by_session(block: Block, gap: int) -> Visits:
    """The sessions of a block.

    Rows with a `session` id belong together by it, whatever lies between them; rows without one, and logs without
    the column, start a new session after every pause of at least `gap` µs.
    """
    pause = block.first.copy()
    pause[1:] |= np.diff(block["time"]) >= gap
    if not block.has("session"):
        return _cut(block, pause)
    ids = block["session"].astype(np.int64)
    key = np.where(ids >= 0, ids, -1 - np.cumsum(pause))
    order = np.lexsort((key, block.owner))
    by_key = Block({name: values[order] for name, values in block.columns.items()})
    new = by_key.first.copy()
    new[1:] |= np.diff(key[order]) != 0
    return _cut(by_key, new)


def _cut(block: Block, new: NDArray[np.bool_]) -> Visits:
    number = np.cumsum(new) - 1
    return Visits(Block({**block.columns, "customer": number}), block.owner[new])
